//! What is tried out is reported and never changes an answer.

use axum::{Router, routing::any};
use tower_authz::{Access, AuthzLayer, Denial, Enforcement, Guard};
use tracing::Level;

use super::{
    callers::{builder, caller, layer, policy},
    support::{Ask, Events, serve},
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "GET /open": "public",
    "GET /doc": "viewer",
    "GET /admin": { "allow": "admin", "deny_as": "not_found" },
    "GET /guarded": "authenticated",
    "GET /handled": "authenticated" } }"#;

fn router() -> Router {
    let handled = |access: Access| async move { access.require("admin").map(|()| "reached") };
    Router::new()
        .route("/guarded", any(|| async { "reached" }).layer(Guard::role("admin")))
        .route("/handled", any(handled))
        .fallback(|| async { "reached" })
}

fn report_only() -> AuthzLayer {
    builder(POLICY).enforcement(Enforcement::ReportOnly).build().unwrap()
}

#[test]
fn a_layer_that_protects_nothing_says_so_when_it_is_built() {
    let events = Events::record();
    let _ = report_only();
    let warnings = events.take();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].level, Level::WARN);
    assert_eq!(warnings[0].message, "report only: denials are reported and nothing is protected");
    let _ = layer(POLICY);
    assert!(events.take().is_empty());
}

#[tokio::test]
async fn in_report_only_everything_is_forwarded_and_every_denial_is_reported_once() {
    for protect in [true, false] {
        let authz = report_only();
        let app = if protect { authz.protect(router()).into_router() } else { router().layer(authz) };
        let to = serve(app).await;
        for (method, path, who, reason, level) in [
            ("GET", "/doc", "", "no-credentials", Level::INFO),
            ("GET", "/doc", "Role other", "insufficient-role", Level::WARN),
            ("GET", "/doc", "Bad", "invalid-credentials", Level::WARN),
            ("GET", "/doc", "Down", "authenticator-unavailable", Level::ERROR),
            ("GET", "/doc", "Broken", "internal-error", Level::ERROR),
            ("GET", "/admin", "Role viewer", "insufficient-role", Level::WARN),
            ("POST", "/doc", "Role viewer", "method-not-listed", Level::INFO),
            ("GET", "/none", "Role viewer", "not-listed", Level::INFO),
            ("GET", "/doc/../admin", "Role viewer", "path-rejected", Level::WARN),
            ("GET", "/doc", "Role viewer", "", Level::DEBUG),
            ("GET", "/open", "Bad", "", Level::DEBUG),
        ] {
            let events = Events::record();
            let answer = Ask::new(method, path).header("authorization", who).send(to).await;
            let asked = format!("{method} {path} {who}, protect: {protect}");
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "reached"), "{asked}");
            if reason.is_empty() {
                assert!(events.take().iter().all(|event| event.message != "access denied"), "{asked}");
                continue;
            }
            let denial = events.denial();
            assert_eq!((denial.level, denial.field("authz.reason")), (level, Some(reason)), "{asked}");
            assert_eq!(denial.field("authz.mode"), Some("report-only"), "{asked}");
            assert_eq!(denial.field("user.id"), who.starts_with("Role").then_some("ada"), "{asked}");
            assert_eq!(denial.field("http.response.status_code"), None, "the status is the application's");
        }
    }
}

/// Guards and handlers are the application's own, which had them before.
#[tokio::test]
async fn in_report_only_guards_and_handlers_still_deny() {
    let to = serve(report_only().protect(router())).await;
    for path in ["/guarded", "/handled"] {
        let events = Events::record();
        let answer = Ask::get(path).header("authorization", "Role viewer").send(to).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(events.denial().field("authz.mode"), Some("enforce"), "{path}");
        assert_eq!(Ask::get(path).header("authorization", "Role admin").send(to).await.text(), "reached", "{path}");
    }
}

const SHADOW: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "GET /stricter": { "allow": "viewer", "shadow": "admin" },
    "GET /looser": { "allow": "admin", "shadow": "viewer" },
    "GET /open": { "allow": "viewer", "shadow": "public" },
    "GET /same": { "allow": "viewer", "shadow": "viewer" } } }"#;

#[tokio::test]
async fn shadow_grants_are_reported_where_they_differ_and_change_no_answer() {
    let unshadowed: String = SHADOW.replace(r#", "shadow": "admin""#, "").replace(r#", "shadow": "viewer""#, "");
    let unshadowed = unshadowed.replace(r#", "shadow": "public""#, "");
    for authenticator in [false, true] {
        let builder = |json: &str| {
            let builder = AuthzLayer::builder(policy(json));
            let builder = builder.authenticator(caller);
            if authenticator { builder.authenticator(super::callers::awaited_caller) } else { builder }
        };
        let with = serve(builder(SHADOW).build().unwrap().protect(router())).await;
        let without = serve(builder(&unshadowed).build().unwrap().protect(router())).await;
        for (path, who, candidate) in [
            ("/stricter", "Role viewer", Some("deny")),
            ("/stricter", "Role admin", None),
            ("/stricter", "", None),
            ("/looser", "Role viewer", Some("allow")),
            ("/looser", "Role admin", None),
            ("/looser", "Role other", None),
            ("/open", "", Some("allow")),
            ("/open", "Role viewer", None),
            ("/same", "Role viewer", None),
            ("/same", "", None),
            ("/none", "Role viewer", None),
        ] {
            let ask = Ask::get(path).header("authorization", who);
            let plain = ask.raw_without_date(without).await;
            let events = Events::record();
            assert_eq!(ask.raw_without_date(with).await, plain, "{path} {who}");
            let events = events.take();
            let differing: Vec<_> = events.iter().filter(|e| e.message == "shadow grants decide differently").collect();
            assert_eq!(differing.len(), usize::from(candidate.is_some()), "{path} {who}: {differing:#?}");
            for event in differing {
                assert_eq!((event.level, event.field("authz.candidate")), (Level::INFO, candidate), "{path} {who}");
                assert_eq!(event.field("authz.mode"), Some("shadow"));
                assert_eq!(event.field("http.route"), Some(path));
            }
        }
    }
}

#[tokio::test]
async fn a_denial_from_inside_has_no_say_in_shadow_grants() {
    let app = Router::new().route("/same", any(|| async { Denial::forbidden() }));
    let to = serve(layer(SHADOW).protect(app)).await;
    let events = Events::record();
    assert_eq!(Ask::get("/same").header("authorization", "Role viewer").send(to).await.status, 403);
    assert!(events.take().iter().all(|event| event.field("authz.mode") != Some("shadow")));
}
