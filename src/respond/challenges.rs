//! The `WWW-Authenticate` lines of an answer (RFC 9110, section 11.6.1).

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    challenge::Challenge,
    decision::{Denial, Reason, StepUp},
};

/// The realm of policies that name none.
const DEFAULT_REALM: &str = "api";

/// The ways in, and the lines that do not depend on the request.
#[derive(Debug)]
pub(super) struct Challenges {
    ways: Vec<Challenge>,
    plain: Vec<HeaderValue>,
    invalid_token: Vec<HeaderValue>,
    invalid_request: Vec<HeaderValue>,
}

impl Challenges {
    /// At least one way: a private `Session` where none is registered.
    pub(super) fn new(mut ways: Vec<Challenge>, realm: Option<&str>) -> Self {
        if ways.is_empty() {
            ways.push(Challenge::session());
        }
        let realm = realm.filter(|realm| !realm.is_empty()).unwrap_or(DEFAULT_REALM);
        let ways: Vec<_> = ways.into_iter().map(|way| with_realm(way, realm)).collect();
        Self {
            plain: lines(ways.iter().cloned()),
            invalid_token: lines(ways.iter().cloned().map(|way| {
                let description = "the access token is expired, revoked, malformed or otherwise not valid";
                if takes_token(&way) { error(way, "invalid_token", description) } else { way }
            })),
            invalid_request: lines(
                ways.iter()
                    .filter(|way| takes_token(way))
                    .cloned()
                    .map(|way| error(way, "invalid_request", "the request has more than one set of credentials")),
            ),
            ways,
        }
    }

    /// Adds the lines that an answer of `status` to `denial` has; `disclose` lets it name the missing permissions.
    pub(super) fn add(&self, headers: &mut HeaderMap, status: StatusCode, denial: &Denial, disclose: bool) {
        let made;
        let lines = match (status, denial.reason()) {
            (StatusCode::UNAUTHORIZED, Reason::InvalidCredentials) => &self.invalid_token,
            (StatusCode::UNAUTHORIZED, Reason::StepUpRequired) => {
                made = self.step_up(denial.step_up());
                &made
            }
            (StatusCode::UNAUTHORIZED, _) => &self.plain,
            (StatusCode::BAD_REQUEST, Reason::AmbiguousCredentials) => &self.invalid_request,
            (StatusCode::FORBIDDEN, Reason::InsufficientRole | Reason::InsufficientPermission) if disclose => {
                made = self.insufficient_scope(denial);
                &made
            }
            _ => return,
        };
        for line in lines {
            headers.append(header::WWW_AUTHENTICATE, line.clone());
        }
    }

    /// RFC 9470, section 3. The private `Session` says it too: its clients must learn it from somewhere.
    fn step_up(&self, step_up: Option<&StepUp>) -> Vec<HeaderValue> {
        lines(self.ways.iter().cloned().map(|way| {
            if !takes_token(&way) && way.scheme() != Challenge::session().scheme() {
                return way;
            }
            let description = "a different authentication is required";
            let mut way = error(way, "insufficient_user_authentication", description);
            if let Some(acr) = step_up.map(|step_up| step_up.acr.join(" ")).filter(|acr| !acr.is_empty()) {
                way = way.param("acr_values", &acr);
            }
            if let Some(max_age) = step_up.and_then(|step_up| step_up.max_age) {
                way = way.param("max_age", &max_age.as_secs().to_string());
            }
            way
        }))
    }

    /// RFC 6750, section 3.1. Roles are no scopes, so only permissions are named.
    fn insufficient_scope(&self, denial: &Denial) -> Vec<HeaderValue> {
        let scope = match denial.reason() {
            Reason::InsufficientPermission => denial.missing().collect::<Vec<_>>().join(" "),
            _ => String::new(),
        };
        lines(self.ways.iter().filter(|way| takes_token(way)).cloned().map(|way| {
            let way = error(way, "insufficient_scope", "the access token does not give the rights that are required");
            if scope.is_empty() { way } else { way.param("scope", &scope) }
        }))
    }
}

fn with_realm(way: Challenge, realm: &str) -> Challenge {
    if way.get("realm").is_some() { way } else { way.realm(realm) }
}

/// Whether the scheme has the errors of RFC 6750; `DPoP` (RFC 9449, section 7.1) has them too.
fn takes_token(way: &Challenge) -> bool {
    ["Bearer", "DPoP"].iter().any(|scheme| way.scheme().eq_ignore_ascii_case(scheme))
}

fn error(way: Challenge, error: &str, description: &str) -> Challenge {
    way.param("error", error).param("error_description", description)
}

fn lines(ways: impl Iterator<Item = Challenge>) -> Vec<HeaderValue> {
    ways.filter_map(|way| HeaderValue::from_maybe_shared(bytes::Bytes::from(way.to_string())).ok()).collect()
}
