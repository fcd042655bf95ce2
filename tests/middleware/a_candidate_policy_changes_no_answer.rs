//! A whole policy beside the one in force: judged by, reported where it differs, never enforced.

use axum::{Router, routing::get};
use tower_authz::{Enforcement, PolicyHandle};

use super::{
    callers::{builder, policy},
    support::{Ask, Events, serve},
};

const ENFORCED: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "GET /same": "viewer",
    "GET /narrower": "viewer",
    "GET /wider": "admin",
    "GET /masked": "admin" } }"#;

const CANDIDATE: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "GET /same": ["viewer", "admin"],
    "GET /narrower": "admin",
    "GET /wider": "viewer",
    "GET /masked": { "allow": "admin", "deny_as": "not_found" },
    "GET /new": "viewer" } }"#;

#[tokio::test]
async fn a_candidate_policy_is_reported_where_its_answer_would_be_another() {
    let candidate = PolicyHandle::new(policy(CANDIDATE));
    for (protect, enforcement) in [
        (true, Enforcement::Enforce),
        (false, Enforcement::Enforce),
        (true, Enforcement::ReportOnly),
        (false, Enforcement::ReportOnly),
    ] {
        let authz = builder(ENFORCED).shadow_policy(&candidate).enforcement(enforcement).build().unwrap();
        let router = Router::new().fallback(|| async { "reached" });
        let app = if protect { authz.protect(router).into_router() } else { router.layer(authz) };
        let to = serve(app).await;
        for (path, who, status, says) in [
            ("/same", "Role viewer", 200, None),
            ("/same", "", 401, None),
            ("/narrower", "Role viewer", 200, Some(("deny", Some("insufficient-role"), Some("GET /narrower")))),
            ("/narrower", "Role admin", 200, None),
            ("/wider", "Role viewer", 403, Some(("allow", None, Some("GET /wider")))),
            ("/masked", "Role viewer", 403, Some(("deny", Some("insufficient-role"), Some("GET /masked")))),
            ("/new", "Role viewer", 404, Some(("allow", None, Some("GET /new")))),
            ("/a/../b", "Role viewer", 400, None),
            ("/wider", "Bad", 401, None),
        ] {
            let events = Events::record();
            let answer = Ask::get(path).header("authorization", who).send(to).await;
            let asked = format!("{path} {who}, protect: {protect}, {enforcement:?}");
            let status = if enforcement == Enforcement::Enforce { status } else { 200 };
            assert_eq!(answer.status, status, "{asked}");
            let differ: Vec<_> =
                events.take().into_iter().filter(|event| event.message == "shadow grants decide differently").collect();
            let Some((decision, reason, rule)) = says else {
                assert!(differ.is_empty(), "{asked} {differ:?}");
                continue;
            };
            assert_eq!(differ.len(), 1, "{asked}");
            for (field, expected) in [
                ("authz.candidate", Some(decision)),
                ("authz.reason", reason),
                ("authz.rule", rule),
                ("authz.mode", Some("shadow")),
                ("authz.candidate.revision", Some(policy(CANDIDATE).revision())),
                ("authz.policy.revision", Some(policy(ENFORCED).revision())),
            ] {
                assert_eq!(differ[0].field(field), expected, "{asked} {field}");
            }
        }
    }
}

/// The router sends `/doc/open` to the handler of `/doc/{id}`, which has a rule of its own in either policy.
#[tokio::test]
async fn the_route_that_has_matched_counts_for_the_candidate_too() {
    let with_doc = |doc: &str| {
        ENFORCED.replace(
            "\"GET /same\"",
            &format!(r#""GET /doc/open": "authenticated", "GET /doc/{{id}}": "{doc}", "GET /same""#),
        )
    };
    let router = || Router::new().route("/doc/{key}", get(|| async { "reached" }));
    for (enforced, candidate, status, says) in [
        ("admin", "admin", 403, None),
        ("viewer", "viewer", 200, None),
        ("viewer", "admin", 200, Some("deny")),
        ("admin", "viewer", 403, Some("allow")),
    ] {
        let layer = builder(&with_doc(enforced)).shadow_policy(policy(&with_doc(candidate))).build().unwrap();
        for (protect, app) in [(true, layer.protect(router()).into_router()), (false, router().layer(layer.clone()))] {
            let to = serve(app).await;
            let events = Events::record();
            let answer = Ask::get("/doc/open").header("authorization", "Role viewer").send(to).await;
            let asked = format!("{enforced} {candidate} protect: {protect}");
            assert_eq!(answer.status, status, "{asked}");
            let differ = events.take().into_iter().filter(|event| event.field("authz.mode") == Some("shadow"));
            let differ: Vec<_> = differ.map(|event| event.field("authz.candidate").map(str::to_owned)).collect();
            assert_eq!(differ, says.map(|says| Some(says.to_owned())).into_iter().collect::<Vec<_>>(), "{asked}");
        }
    }
}

#[tokio::test]
async fn a_candidate_can_be_exchanged_while_requests_are_served() {
    let candidate = PolicyHandle::new(policy(ENFORCED));
    let authz = builder(ENFORCED).shadow_policy(&candidate).build().unwrap();
    let to = serve(authz.protect(Router::new().route("/wider", get(|| async {})))).await;
    for (next, reported) in [(ENFORCED, 0), (CANDIDATE, 1), (ENFORCED, 0)] {
        candidate.replace(policy(next));
        let events = Events::record();
        assert_eq!(Ask::get("/wider").header("authorization", "Role viewer").send(to).await.status, 403);
        assert_eq!(events.take().iter().filter(|event| event.field("authz.mode") == Some("shadow")).count(), reported);
    }
}

#[test]
fn a_layer_that_lacks_what_the_candidate_needs_is_not_built() {
    let checked = r#"{ "version": 1, "routes": { "GET /": { "check": "open" } } }"#;
    assert!(builder(ENFORCED).shadow_policy(policy(checked)).build().is_err());
    assert!(builder(ENFORCED).check("open", |_| true).shadow_policy(policy(checked)).build().is_ok());
}

#[tokio::test]
async fn a_route_that_no_key_names_is_reported_once_a_pattern() {
    let blanket =
        r#"{ "version": 1, "routes": { "GET /api/{*rest}": "authenticated", "GET /named/{id}": "authenticated" } }"#;
    let router = Router::new()
        .route("/api/users/{id}", get(|| async {}))
        .route("/api/orders", get(|| async {}))
        .route("/named/{user}", get(|| async {}));
    let to = serve(builder(blanket).build().unwrap().protect(router)).await;
    let events = Events::record();
    for path in ["/api/users/1", "/api/users/2", "/api/orders", "/api/orders", "/named/1", "/api/none"] {
        Ask::get(path).header("authorization", "Role any").send(to).await;
    }
    let named = events.take().into_iter().filter(|event| event.field("event.name") == Some("authz.route_not_named"));
    let reported: Vec<_> = named.map(|event| event.field("http.route").map(str::to_owned)).collect();
    assert_eq!(reported, [Some("/api/users/{id}".to_owned()), Some("/api/orders".to_owned())]);
}
