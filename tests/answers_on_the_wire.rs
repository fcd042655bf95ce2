//! What every outcome answers, over a real socket: status, every header in order, and body.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::any};
use support::{Ask, Events, serve};
use tower::Layer;
use tower_authz::{
    Authentication, Authenticator, AuthzLayer, Challenge, CredentialError, CredentialErrorKind, Head, Identity, Policy,
    Principal, Unavailable,
};

const POLICY: &str = r#"{
    "version": 1,
    "realm": "billing",
    "roles": {
        "viewer": { "permissions": ["invoice:read"] },
        "editor": { "inherits": ["viewer"], "permissions": ["invoice:write"] },
        "admin": { "inherits": ["editor"] },
        "auditor": {}
    },
    "exclusive_roles": [["editor", "auditor"]],
    "routes": {
        "GET /health": { "public": "probe" },
        "GET /me": "authenticated",
        "GET /invoices": "viewer",
        "POST /invoices": "invoice:write",
        "DELETE /invoices": { "allow": "admin", "message": "Deleting invoices requires the 'admin' role." },
        "GET /closed": "nobody",
        "GET /users/{id}": { "claims": { "sub": "{id}" } },
        "GET /users/root": "admin",
        "GET /young": { "none_of": ["auditor"] },
        "POST /payments": { "all_of": ["viewer"], "step_up": { "acr": ["mfa", "hwk"], "max_age_seconds": 300 } },
        "PUT /payments": { "allow": { "step_up": { "acr": ["mfa", "hwk"], "max_age_seconds": 300 } }, "message": "Pay with a key." },
        "GET /checked": { "check": "panics" },
        "GET /masked": { "allow": "admin", "deny_as": "not_found" },
        "GET /half": "viewer",
        "DELETE /half": { "allow": "admin", "deny_as": "not_found" }
    }
}"#;

/// Tokens that say what they are.
struct Tokens;

impl Authenticator for Tokens {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        let mut tokens = head.headers().get_all("authorization").iter();
        let (first, second) = (tokens.next(), tokens.next());
        if second.is_some() {
            return CredentialError::new(CredentialErrorKind::Ambiguous).into();
        }
        let Some(token) = first.and_then(|token| token.to_str().ok()?.strip_prefix("Bearer ")) else {
            return Identity::Anonymous.into();
        };
        match token {
            "expired" => CredentialError::new(CredentialErrorKind::Expired).detail("two days ago").into(),
            "forged" => CredentialError::new(CredentialErrorKind::BadSignature).into(),
            "down" => Unavailable::new().into(),
            "down for 90" => Unavailable::new().retry_after(Duration::from_secs(90)).detail("10.1.2.3 refused").into(),
            roles => Principal::new("ada").roles(roles.split('+')).into(),
        }
    }

    fn challenges(&self) -> Vec<Challenge> {
        vec![Challenge::bearer()]
    }
}

fn layer() -> AuthzLayer {
    let builder = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(Tokens);
    builder.check("panics", |_| panic!("a predicate that panics")).build().unwrap()
}

fn app() -> Router {
    Router::new().fallback(any(|| async { "forwarded" }))
}

async fn servers() -> [(&'static str, SocketAddr); 2] {
    [("protect", serve(layer().protect(app())).await), ("layer", serve(layer().layer(app())).await)]
}

const PLAIN: &str = r#"Bearer realm="billing""#;
const INVALID: &str = r#"Bearer realm="billing", error="invalid_token", error_description="the access token is expired, revoked, malformed or otherwise not valid""#;
const AMBIGUOUS: &str = r#"Bearer realm="billing", error="invalid_request", error_description="the request has more than one set of credentials""#;
const STEP_UP: &str = r#"Bearer realm="billing", error="insufficient_user_authentication", error_description="a different authentication is required", acr_values="mfa hwk", max_age="300""#;

/// Method, target, tokens; status, the headers that not every answer has, the sentence, the reason.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    u16,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // 1
    ("GET", "/../me", &[], 400, &[], "The request cannot be understood.", "path-rejected"),
    ("GET", "/health/%2e%2e/me", &["admin"], 400, &[], "The request cannot be understood.", "path-rejected"),
    ("GET", "/me%00", &["expired"], 400, &[], "The request cannot be understood.", "path-rejected"),
    // 3
    ("GET", "/me", &["expired"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("GET", "/me", &["forged"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("GET", "/nothing", &["expired"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("GET", "/masked", &["expired"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("PUT", "/me", &["expired"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("GET", "/closed", &["expired"], 401, &[("www-authenticate", INVALID)], "The credentials are not valid.", "invalid-credentials"),
    ("GET", "/me", &["admin", "admin"], 400, &[("www-authenticate", AMBIGUOUS)], "The request has more than one set of credentials.", "ambiguous-credentials"),
    ("GET", "/me", &["down"], 503, &[("retry-after", "5")], "Who is calling cannot be found out now. Try again later.", "authenticator-unavailable"),
    ("GET", "/masked", &["down for 90"], 503, &[("retry-after", "90")], "Who is calling cannot be found out now. Try again later.", "authenticator-unavailable"),
    // 4
    ("GET", "/nothing", &[], 404, &[], "There is nothing here.", "not-listed"),
    ("GET", "/nothing", &["admin"], 404, &[], "There is nothing here.", "not-listed"),
    ("PUT", "/me/nothing", &["viewer"], 404, &[], "There is nothing here.", "not-listed"),
    ("GET", "//health", &[], 404, &[], "There is nothing here.", "not-listed"),
    ("GET", "/me;x/y", &["viewer"], 404, &[], "There is nothing here.", "not-listed"),
    // 5
    ("PUT", "/me", &["viewer"], 405, &[("allow", "GET, HEAD")], "The method is not supported here.", "method-not-listed"),
    ("PUT", "/me", &[], 405, &[("allow", "GET, HEAD")], "The method is not supported here.", "method-not-listed"),
    ("OPTIONS", "/invoices", &["viewer"], 405, &[("allow", "DELETE, GET, HEAD, POST")], "The method is not supported here.", "method-not-listed"),
    ("PUT", "/half", &["viewer"], 405, &[("allow", "GET, HEAD")], "The method is not supported here.", "method-not-listed"),
    ("PUT", "/half", &["admin"], 405, &[("allow", "DELETE, GET, HEAD")], "The method is not supported here.", "method-not-listed"),
    // 6
    ("GET", "/closed", &[], 403, &[], "Access is denied.", "denied-by-rule"),
    ("GET", "/closed", &["admin"], 403, &[], "Access is denied.", "denied-by-rule"),
    ("GET", "/me", &[], 401, &[("www-authenticate", PLAIN)], "Authentication is required.", "no-credentials"),
    ("HEAD", "/me", &[], 401, &[("www-authenticate", PLAIN)], "Authentication is required.", "no-credentials"),
    ("DELETE", "/invoices", &[], 401, &[("www-authenticate", PLAIN)], "Deleting invoices requires the 'admin' role.", "no-credentials"),
    ("GET", "/me", &["editor+auditor"], 403, &[], "Access is denied.", "conflicting-roles"),
    ("GET", "/invoices", &["admin+auditor"], 403, &[], "Access is denied.", "conflicting-roles"),
    ("POST", "/payments", &["viewer"], 401, &[("www-authenticate", STEP_UP)], "A stronger or more recent authentication is required.", "step-up-required"),
    ("PUT", "/payments", &["viewer"], 401, &[("www-authenticate", STEP_UP)], "Pay with a key.", "step-up-required"),
    ("GET", "/users/eve", &["viewer"], 403, &[], "Access is denied.", "condition-failed"),
    ("GET", "/young", &["auditor"], 403, &[], "Access is denied.", "condition-failed"),
    ("POST", "/invoices", &["viewer"], 403, &[], "Access is denied.", "insufficient-permission"),
    ("GET", "/invoices", &["auditor"], 403, &[], "Access is denied.", "insufficient-role"),
    ("GET", "/invoices", &["*"], 403, &[], "Access is denied.", "insufficient-role"),
    ("DELETE", "/invoices", &["viewer"], 403, &[], "Deleting invoices requires the 'admin' role.", "insufficient-role"),
    ("GET", "/checked", &["admin"], 500, &[], "Something went wrong.", "internal-error"),
    // The most severe of all readings wins.
    ("GET", "/users/root;x", &["viewer"], 403, &[], "Access is denied.", "condition-failed"),
    ("GET", "/users/root;x", &[], 401, &[("www-authenticate", PLAIN)], "Authentication is required.", "no-credentials"),
    // Masks.
    ("GET", "/masked", &[], 404, &[], "There is nothing here.", "no-credentials"),
    ("GET", "/masked", &["viewer"], 404, &[], "There is nothing here.", "insufficient-role"),
    ("PUT", "/masked", &["viewer"], 404, &[], "There is nothing here.", "method-not-listed"),
    ("DELETE", "/half", &[], 404, &[], "There is nothing here.", "no-credentials"),
    ("DELETE", "/half", &["auditor"], 404, &[], "There is nothing here.", "insufficient-role"),
    ("DELETE", "/half", &["viewer"], 405, &[("allow", "GET, HEAD")], "The method is not supported here.", "insufficient-role"),
];

fn ask(method: &str, target: &str, tokens: &[&str]) -> Ask {
    tokens.iter().fold(Ask::new(method, target), |ask, token| ask.header("authorization", &format!("Bearer {token}")))
}

fn problem(status: u16, detail: &str) -> String {
    let title = http::StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
    format!(r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}"}}"#)
}

#[tokio::test]
async fn every_denial_answers_what_the_table_says_and_is_reported_once() {
    let events = Events::record();
    for (form, server) in servers().await {
        for row in ROWS {
            let (method, target, tokens, status, extra, detail, reason) = *row;
            let body = problem(status, detail);
            let length = body.len().to_string();
            let mut expected: Vec<(&str, &str)> =
                vec![("content-type", "application/problem+json"), ("vary", "accept")];
            expected.extend(extra);
            expected.extend([("cache-control", "no-store"), ("content-length", &length), ("connection", "close")]);
            expected.sort_unstable();
            let body = if method == "HEAD" { "" } else { &body };

            let answer = ask(method, target, tokens).send(server).await.without_date();
            let mut headers: Vec<_> =
                answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            headers.sort_unstable();
            assert_eq!((answer.status.as_u16(), answer.text()), (status, body), "{form}: {method} {target} {tokens:?}");
            assert_eq!(headers, expected, "{form}: {method} {target} {tokens:?}");

            let event = events.denial();
            assert_eq!(event.field("authz.reason"), Some(reason), "{form}: {method} {target} {tokens:?} {event:?}");
            assert_eq!(event.field("http.response.status_code"), Some(status.to_string().as_str()), "{event:?}");
        }
    }
}

#[tokio::test]
async fn whoever_satisfies_the_rules_of_all_readings_is_forwarded() {
    let rows: &[(&str, &str, &[&str])] = &[
        ("GET", "/health", &[]),
        ("GET", "/health", &["viewer"]),
        // 2: nobody needs to be known here, so bad credentials are no reason to refuse.
        ("GET", "/health", &["expired"]),
        ("GET", "/health", &["forged"]),
        ("GET", "/health", &["admin", "admin"]),
        ("GET", "/health", &["down"]),
        ("GET", "/health", &["editor+auditor"]),
        ("HEAD", "/health", &[]),
        ("GET", "/me", &["viewer"]),
        ("GET", "/me", &["unheard-of"]),
        ("GET", "/me/", &["viewer"]),
        ("GET", "/invoices", &["viewer"]),
        ("GET", "/invoices", &["admin"]),
        ("GET", "/invoices?page=2", &["auditor+viewer"]),
        ("POST", "/invoices", &["editor"]),
        ("DELETE", "/invoices", &["admin"]),
        ("GET", "/users/ada", &["viewer"]),
        ("GET", "/users/%61da", &["viewer"]),
        ("GET", "/users/root", &["admin"]),
        ("GET", "/young", &["viewer"]),
        ("GET", "/masked", &["admin"]),
        ("DELETE", "/half", &["admin"]),
    ];
    let events = Events::record();
    for (form, server) in servers().await {
        for (method, target, tokens) in rows {
            let answer = ask(method, target, tokens).send(server).await;
            let body = if *method == "HEAD" { "" } else { "forwarded" };
            assert_eq!((answer.status.as_u16(), answer.text()), (200, body), "{form}: {method} {target} {tokens:?}");
            assert_eq!(answer.header("cache-control"), None);
            let denials = events.take().into_iter().filter(|event| event.message == "access denied").count();
            assert_eq!(denials, 0, "{form}: {method} {target} {tokens:?}");
        }
    }
}

#[tokio::test]
async fn the_format_is_the_one_that_the_client_prefers() {
    let rows = [
        (None, "application/problem+json"),
        (Some("*/*"), "application/problem+json"),
        (Some("application/json"), "application/problem+json"),
        (Some("text/plain"), "text/plain; charset=utf-8"),
        (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), "text/html; charset=utf-8"),
        (Some("text/html;q=0.1, text/plain"), "text/plain; charset=utf-8"),
        (Some("image/png"), "application/problem+json"),
        (Some("\u{e4}"), "application/problem+json"),
    ];
    for (form, server) in servers().await {
        for (accept, content_type) in rows {
            let plain = ask("GET", "/closed", &[]);
            let asked = accept.map_or(plain.clone(), |accept| plain.header("accept", accept));
            let answer = asked.send(server).await;
            assert_eq!(answer.header("content-type"), Some(content_type), "{form} {accept:?}");
            assert_eq!(answer.header("vary"), Some("accept"), "{form} {accept:?}");
            assert!(answer.text().contains("Access is denied."), "{form} {accept:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn grpc_calls_are_answered_in_headers_alone() {
    let rows: &[(&str, &[&str], &str)] = &[
        ("/me", &[], "16"),
        ("/me", &["expired"], "16"),
        ("/closed", &["admin"], "7"),
        ("/nothing", &["admin"], "12"),
        ("/masked", &["viewer"], "12"),
        ("/me%00", &[], "3"),
        ("/me", &["admin", "admin"], "3"),
        ("/me", &["down"], "14"),
        ("/checked", &["admin"], "13"),
    ];
    for (form, server) in servers().await {
        for (target, tokens, status) in rows {
            for content_type in ["application/grpc", "application/grpc+proto"] {
                let answer = ask("GET", target, tokens).header("content-type", content_type).send(server).await;
                assert_eq!(answer.status, 200, "{form}: {target} {tokens:?} {answer:?}");
                assert_eq!(answer.header("content-type"), Some("application/grpc"), "{form}: {target} {tokens:?}");
                assert_eq!(answer.header("grpc-status"), Some(*status), "{form}: {target} {tokens:?}");
                assert_eq!(answer.text(), "", "{form}: {target} {tokens:?}");
            }
        }
    }
}

/// Headers beside the ones of every request, and the type of the answer.
#[tokio::test]
async fn all_accept_headers_count_together_and_the_first_content_type_alone() {
    for (form, server) in servers().await {
        for (headers, content_type) in [
            (&[("accept", "text/plain")][..], "text/plain; charset=utf-8"),
            (&[("accept", "text/html;q=0.5"), ("accept", "text/plain;q=0.4")], "text/html; charset=utf-8"),
            (&[("accept", "text/plain;q=0.4"), ("accept", "text/html;q=0.5")], "text/html; charset=utf-8"),
            (&[("x-type", "application/grpc")], "application/problem+json"),
            (&[("content-type", "text/plain"), ("content-type", "application/grpc")], "application/problem+json"),
            (&[("content-type", "application/grpc"), ("content-type", "text/plain")], "application/grpc"),
        ] {
            let ask = headers.iter().fold(Ask::get("/me"), |ask, (name, value)| ask.header(name, value));
            assert_eq!(ask.send(server).await.header("content-type"), Some(content_type), "{form}: {headers:?}");
        }
    }
}
