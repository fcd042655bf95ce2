//! Events for `tracing`.

use http::Method;
use tracing::{Level, field};

use super::{
    escape,
    event::{Event, EventKind},
    reporter::Reporter,
    user::{self, UserId},
};
use crate::decision::{Denial, Mask, Reason};

const MAX_PATH: usize = 256;
const MAX_DETAIL: usize = 512;
const MAX_REQUEST_ID: usize = 128;

/// Reports to `tracing`, under the target `tower_authz`. The default.
///
/// A denial is one event `access denied`: `WARN` if someone who is known was refused or something looks like an
/// attack, `ERROR` if the server is at fault, `INFO` otherwise; allowed requests are `DEBUG`. Whatever comes from
/// outside is escaped to printable ASCII and capped. Nothing is formatted while nobody listens.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TracingReporter {
    user_id: UserId,
}

impl TracingReporter {
    /// Names users by subject.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses how users are named.
    pub fn user_id(self, user_id: UserId) -> Self {
        Self { user_id }
    }
}

/// An event with all its fields; the level must be constant, since each has a static call site of its own.
macro_rules! emit {
    ($level:expr, $event:expr, $reporter:expr) => {{
        let (event, denial) = ($event, $event.denial());
        tracing::event!(
            target: "tower_authz",
            $level,
            event.name = name(event.kind()),
            authz.reason = event.reason().map(Reason::as_str),
            authz.detail = denial.and_then(Denial::get_detail).map(|detail| escape::text(detail, MAX_DETAIL)),
            authz.rule = event.rule(),
            authz.required = event.required().map(|required| escape::text(required, MAX_DETAIL)),
            authz.missing = denial.and_then(missing),
            authz.mode = event.mode().as_str(),
            authz.candidate = candidate(event),
            authz.policy.revision = event.revision(),
            authz.candidate.revision = event.candidate(),
            authz.hint = event.hint(),
            http.request.method = method(event.method()),
            http.route = event.route(),
            url.path = escape::path(event.path(), MAX_PATH),
            http.response.status_code = event.status().map(|status| status.as_u16()),
            authz.status.unmasked = denial.map(|denial| denial.unmasked_status().as_u16()),
            user.id = event.principal().and_then(|principal| $reporter.user_id.show(principal)),
            user.issuer = event.principal().and_then(|principal| $reporter.user_id.show_issuer(principal)),
            user.roles = event.principal().map(user::roles),
            client.address = event.client().map(field::display),
            http.request.id = event.request_id().map(|id| escape::text(id, MAX_REQUEST_ID)),
            "{}",
            message(event.kind())
        );
    }};
}

impl Reporter for TracingReporter {
    fn report(&self, event: &Event<'_>) {
        match level(event) {
            Level::ERROR => emit!(Level::ERROR, event, self),
            Level::WARN => emit!(Level::WARN, event, self),
            Level::INFO => emit!(Level::INFO, event, self),
            _ => emit!(Level::DEBUG, event, self),
        }
    }

    fn wants_allowed(&self) -> bool {
        tracing::enabled!(target: "tower_authz", Level::DEBUG)
    }
}

fn level(event: &Event<'_>) -> Level {
    match (event.kind(), event.denial()) {
        (EventKind::ShadowDiffers, _) => Level::INFO,
        (EventKind::Denied, Some(denial)) => level_of_denial(denial),
        _ => Level::DEBUG,
    }
}

fn level_of_denial(denial: &Denial) -> Level {
    match denial.reason() {
        Reason::AuthenticatorUnavailable | Reason::InternalError => Level::ERROR,
        Reason::NoCredentials | Reason::StepUpRequired | Reason::NotListed | Reason::MethodNotListed
            if denial.mask() == Mask::None =>
        {
            Level::INFO
        }
        _ => Level::WARN,
    }
}

fn name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Denied => "authz.denied",
        EventKind::Allowed => "authz.allowed",
        EventKind::ShadowDiffers => "authz.shadow_differs",
    }
}

fn message(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Denied => "access denied",
        EventKind::Allowed => "access allowed",
        EventKind::ShadowDiffers => "shadow grants decide differently",
    }
}

/// What the candidates of a shadow rule say.
fn candidate(event: &Event<'_>) -> Option<&'static str> {
    let says = if event.denial().is_some() { "deny" } else { "allow" };
    (event.kind() == EventKind::ShadowDiffers).then_some(says)
}

fn missing(denial: &Denial) -> Option<String> {
    let names: Vec<_> = denial.missing().collect();
    (!names.is_empty()).then(|| escape::text(&names.join(", "), MAX_DETAIL))
}

/// The methods of RFC 9110 and RFC 5789; the others are one, so that they cannot fill a log's index.
fn method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::CONNECT
        | Method::OPTIONS
        | Method::TRACE
        | Method::PATCH => method.as_str(),
        _ => "_OTHER",
    }
}
