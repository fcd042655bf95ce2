//! Whether a token is meant for us, and now (RFC 7519, section 4.1).

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::identity::{CredentialError, CredentialErrorKind};

/// What the claims of a token must say.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    pub(super) issuer: Option<String>,
    /// Any of these; a token with an audience is refused where none is listed.
    pub(super) audiences: Vec<String>,
    pub(super) leeway: Duration,
}

impl Expectation {
    /// When the token expires, if the claims say what they must.
    pub(super) fn check(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, CredentialError> {
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        self.check_not_before(claims, now)?;
        self.check_expiry(claims, now)
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), CredentialError> {
        let Some(issuer) = &self.issuer else { return Ok(()) };
        if claims.get("iss").and_then(Value::as_str) == Some(issuer) {
            return Ok(());
        }
        Err(CredentialErrorKind::WrongIssuer.into())
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), CredentialError> {
        let is_ours = |audience: &Value| self.audiences.iter().any(|ours| audience.as_str() == Some(ours));
        let meant_for_us = match claims.get("aud") {
            None => self.audiences.is_empty(),
            Some(Value::Array(audiences)) => audiences.iter().all(Value::is_string) && audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
        };
        if meant_for_us { Ok(()) } else { Err(CredentialErrorKind::WrongAudience.into()) }
    }

    fn check_not_before(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<(), CredentialError> {
        let Some(not_before) = time(claims, "nbf")? else { return Ok(()) };
        let now = now.checked_add(self.leeway).unwrap_or(now);
        if now < not_before { Err(CredentialErrorKind::NotYetValid.into()) } else { Ok(()) }
    }

    fn check_expiry(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, CredentialError> {
        let expires = time(claims, "exp")?.ok_or_else(|| malformed("exp"))?;
        let until = expires.checked_add(self.leeway).unwrap_or(expires);
        if now < until { Ok(expires) } else { Err(CredentialErrorKind::Expired.into()) }
    }
}

/// A time in seconds since 1970, with or without a fraction (`NumericDate`, RFC 7519, section 2).
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<SystemTime>, CredentialError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let since = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    time.map(Some).ok_or_else(|| malformed(name))
}

fn malformed(claim: &str) -> CredentialError {
    let detail = format!("the claim `{claim}` is missing or no time");
    CredentialError::new(CredentialErrorKind::Malformed).detail(detail)
}
