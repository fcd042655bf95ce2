//! What is answered: each file a behaviour.

mod answers;
mod challenges;
mod disclosure;
mod login;
mod masking;
mod negotiation;
mod own_answers;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};

use super::{Renderer, Responder};
use crate::{
    challenge::Challenge,
    decision::{Denial, Reason, RuleInfo, StepUp},
    target::Head,
};

const REASONS: [Reason; 14] = [
    Reason::PathRejected,
    Reason::InvalidCredentials,
    Reason::AmbiguousCredentials,
    Reason::AuthenticatorUnavailable,
    Reason::NotListed,
    Reason::MethodNotListed,
    Reason::DeniedByRule,
    Reason::NoCredentials,
    Reason::ConflictingRoles,
    Reason::StepUpRequired,
    Reason::ConditionFailed,
    Reason::InsufficientPermission,
    Reason::InsufficientRole,
    Reason::InternalError,
];

/// What no answer may contain unless it is disclosed.
const SECRETS: [&str; 4] = ["secret-rule", "secret-detail", "secret-required", "secret-missing"];

/// A denial that knows everything that a denial can know.
fn denial(reason: Reason) -> Denial {
    let rule = RuleInfo {
        index: 7,
        name: "secret-rule".into(),
        pattern: "/secret-rule/{id}".into(),
        required: "secret-required".into(),
        message: None,
    };
    Denial {
        rule: Some(Arc::new(rule)),
        detail: Some("secret-detail".into()),
        missing: Some(["secret-missing".into(), "invoice:write".into()].into()),
        ..Denial::new(reason)
    }
    .with(|rest| {
        rest.allow = Some("GET, HEAD".into());
        let acr = vec!["mfa".into(), "phr".into()];
        rest.step_up = Some(Arc::new(StepUp { acr, max_age: Some(Duration::from_secs(300)) }));
        rest.retry_after = Some(Duration::from_secs(30));
    })
}

fn renderer(responder: Responder) -> Renderer {
    let ways = vec![Challenge::bearer().param("resource_metadata", "https://api.example/meta"), Challenge::new("Hawk")];
    Renderer::new(responder, ways, Some("billing"))
}

/// `GET /a?b=c` with the given changes: a method, or header lines.
fn request(changes: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get("/a?b=c");
    for (name, value) in changes {
        request = if *name == "method" { request.method(*value) } else { request.header(*name, *value) };
    }
    request.body(()).unwrap()
}

fn render(renderer: &Renderer, denial: &Denial, changes: &[(&str, &str)]) -> Response<Bytes> {
    renderer.render(denial, &renderer.preferences(Head::from(&request(changes))))
}

/// Status, headers in order, and body.
fn show(response: &Response<Bytes>) -> String {
    let status = response.status().as_u16().to_string();
    let headers = response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let head: Vec<_> = std::iter::once(status).chain(headers).collect();
    format!("{}\n\n{}", head.join("\n"), std::str::from_utf8(response.body()).unwrap())
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}
