//! `protect` judges the route that the router has matched, too: by one snapshot and one authentication.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Request},
    routing::{any, get},
};
use http::StatusCode;
use tower::ServiceExt;
use tower_authz::{
    Access, Authentication, AuthzLayer, Enforcement, Head, Policy, PolicyHandle,
    report::{Event, EventKind},
};
use tracing::Level;

use super::{
    callers::{Counted, builder, caller, layer, policy, request},
    support::{Ask, Events, serve},
};

/// The router knows less than the policy: it sends `/doc/open` to the handler of `/doc/{id}`.
const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "ANY /doc/open": "public",
    "ANY /doc/{id}": "admin",
    "ANY /mask/open": "public",
    "ANY /mask/{id}": { "allow": "admin", "deny_as": "not_found" },
    "ANY /own/open": "public",
    "ANY /own/{id}": { "claims": { "sub": "{id}" } },
    "ANY /both/open": "viewer",
    "ANY /both/{id}": "admin",
    "GET /other/{name}": "viewer" } }"#;

fn router() -> Router {
    Router::new()
        .route("/doc/{key}", any(|| async { "reached" }))
        .route("/mask/{id}", any(|| async { "reached" }))
        .route("/own/{id}", any(|| async { "reached" }))
        .route("/both/{id}", any(|| async { "reached" }))
        .route("/other/{id}", any(|| async { "reached" }))
        .route("/unlisted", any(|| async { "reached" }))
}

#[tokio::test]
async fn a_route_that_was_matched_is_judged_as_well_and_denied_by_the_one_renderer() {
    let to = serve(layer(POLICY).protect(router())).await;
    for (path, who, status, reason) in [
        ("/doc/open", "", 401, "no-credentials"),
        ("/doc/open", "Role viewer", 403, "insufficient-role"),
        ("/doc/open", "Role admin", 200, ""),
        ("/doc/7", "Role viewer", 403, "insufficient-role"),
        ("/doc/7", "Role admin", 200, ""),
        ("/mask/open", "Role viewer", 404, "insufficient-role"),
        ("/own/open", "Role viewer", 403, "condition-failed"),
        ("/own/ada", "Role viewer", 200, ""),
        ("/both/open", "Role other", 403, "insufficient-role"),
        ("/both/open", "Role viewer", 403, "insufficient-role"),
        ("/both/open", "Role admin", 200, ""),
        ("/other/x", "Role viewer", 200, ""),
        ("/unlisted", "Role admin", 404, "not-listed"),
    ] {
        let events = Events::record();
        let answer = Ask::get(path).header("authorization", who).send(to).await;
        assert_eq!(answer.status, status, "{path} {who}");
        assert_eq!(answer.holds("reached"), status == 200, "{path} {who}");
        if status != 200 {
            let denial = events.denial();
            assert_eq!(denial.field("authz.reason"), Some(reason), "{path} {who}");
            assert_eq!(denial.field("http.response.status_code"), Some(&*status.to_string()), "{path} {who}");
        }
    }
}

#[tokio::test]
async fn candidates_of_a_rule_that_only_the_router_selects_are_compared_once() {
    const SHADOW: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": {} }, "routes": {
        "ANY /doc/open": { "allow": "viewer", "shadow": "admin" },
        "ANY /doc/{id}": { "allow": "viewer", "shadow": "nobody" } } }"#;
    let to = serve(layer(SHADOW).protect(router())).await;
    for (path, expected) in [("/doc/open", &["/doc/open", "/doc/{id}"][..]), ("/doc/7", &["/doc/{id}"])] {
        let events = Events::record();
        assert_eq!(Ask::get(path).header("authorization", "Role viewer").send(to).await.status, 200, "{path}");
        let events = events.take();
        let differing = events.iter().filter(|event| event.message == "shadow grants decide differently");
        assert_eq!(differing.filter_map(|event| event.field("http.route")).collect::<Vec<_>>(), expected, "{path}");
    }
}

#[tokio::test]
async fn both_halves_answer_alike() {
    let to = serve(layer(POLICY).protect(router())).await;
    for (inside, outside, who) in
        [("/doc/open", "/doc/7", ""), ("/doc/open", "/doc/7", "Role viewer"), ("/mask/open", "/none", "Role viewer")]
    {
        for method in ["GET", "HEAD", "POST"] {
            for accept in ["*/*", "text/html"] {
                let ask = |path| Ask::new(method, path).header("authorization", who).header("accept", accept);
                let (one, other) = (ask(inside).raw_without_date(to).await, ask(outside).raw_without_date(to).await);
                assert_eq!(one, other, "{method} {inside} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn every_request_is_authenticated_once() {
    let counted = Counted::default();
    let authz = AuthzLayer::builder(policy(POLICY)).authenticator(counted.clone()).build().unwrap();
    let nested = Router::new().route("/other/{id}", get(|_: Access| async {}));
    let to = serve(authz.protect(router().merge(Router::new().nest("/nest", nested)))).await;
    for (path, times) in [("/doc/open", 1), ("/doc/7", 1), ("/other/x", 1), ("/unlisted", 1), ("/doc/%2e%2e", 0)] {
        Ask::get(path).header("authorization", "Role admin").send(to).await;
        assert_eq!(counted.take(), times, "{path}");
    }
}

#[tokio::test]
async fn a_policy_that_is_replaced_meanwhile_judges_no_request_that_is_under_way() {
    let closed = policy(r#"{ "version": 1, "routes": { "ANY /doc/{id}": "nobody" } }"#);
    let open =
        || policy(r#"{ "version": 1, "routes": { "ANY /doc/open": "public", "ANY /doc/{id}": "authenticated" } }"#);
    let handle = PolicyHandle::new(open());
    let (replacing, with) = (handle.clone(), closed.clone());
    let authenticator = move |head: Head<'_>| {
        let (identity, replacing, with) = (caller(head), replacing.clone(), with.clone());
        Authentication::pending(async move {
            replacing.replace(with);
            identity
        })
    };
    let revisions = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&revisions);
    let reporter = move |event: &Event<'_>| seen.lock().unwrap().push(event.revision().to_owned());
    let authz = AuthzLayer::builder(&handle).authenticator(authenticator).reporter(reporter).build().unwrap();
    let revision = |access: Access| async move { access.policy().map(|p| p.revision().to_owned()).unwrap() };
    let to = serve(authz.protect(Router::new().route("/doc/{id}", get(revision)))).await;

    let first = Ask::get("/doc/open").header("authorization", "Role a").send(to).await;
    assert_eq!((first.status.as_u16(), first.text()), (200, open().revision()));
    assert_eq!(Ask::get("/doc/open").header("authorization", "Role a").send(to).await.status, 403);
    assert!(revisions.lock().unwrap().iter().any(|revision| revision == closed.revision()));
}

#[tokio::test]
async fn a_router_around_a_protected_app_changes_nothing_in_it() {
    let app = layer(POLICY).protect(router()).into_router().route("/added", get(|| async { "not guarded" }));
    let to = serve(app).await;
    for (path, who, status) in [
        ("/doc/7", "Role admin", 200),
        ("/doc/7", "Role viewer", 403),
        ("/doc/open", "Role viewer", 403),
        ("/none", "Role admin", 404),
        ("/added", "", 200),
    ] {
        assert_eq!(Ask::get(path).header("authorization", who).send(to).await.status, status, "{path} {who}");
    }
}

#[tokio::test]
async fn where_nothing_is_enforced_each_denial_is_reported_once() {
    let kinds = Arc::<Mutex<Vec<EventKind>>>::default();
    let seen = Arc::clone(&kinds);
    let reporter = move |event: &Event<'_>| {
        if event.kind() == EventKind::Denied {
            seen.lock().unwrap().push(event.kind());
        }
    };
    let authz = builder(POLICY).enforcement(Enforcement::ReportOnly).reporter(reporter).build().unwrap();
    let app = authz.protect(router());
    for (path, who, reports) in [
        ("/doc/open", "", 1),
        ("/doc/7", "", 1),
        ("/doc/7", "Role admin", 0),
        ("/unlisted", "", 1),
        ("/mask/open", "Role viewer", 1),
        ("/both/open", "", 1),
        ("/both/open", "Role viewer", 1),
        ("/doc//7/..", "", 1),
        ("/doc/7", "Down", 1),
    ] {
        let answer = app.clone().oneshot(request::<Body>("GET", path, who)).await.unwrap();
        assert!([200, 404].contains(&answer.status().as_u16()));
        assert_eq!(std::mem::take(&mut *kinds.lock().unwrap()).len(), reports, "{path} {who}");
    }
}

/// A rewrite inside a router leaves a stale `MatchedPath` for the gate further inside. As long as the original path
/// is known it is a reading, which the match belongs to.
#[tokio::test]
async fn a_match_that_is_stale_is_ignored_and_said_once() {
    for (forgets_original, anonymous, warnings) in [(false, StatusCode::UNAUTHORIZED, 0), (true, StatusCode::OK, 1)] {
        let rewrite = move |mut request: Request| {
            *request.uri_mut() = "/other/x".parse().unwrap();
            if forgets_original {
                request.extensions_mut().remove::<OriginalUri>();
            }
            request
        };
        let gate = layer(
            r#"{ "version": 1, "roles": { "viewer": {} }, "routes": { "ANY /alias": "viewer", "ANY /other/x": "public" } }"#,
        );
        let inner = tower::ServiceBuilder::new().map_request(rewrite).layer(gate).service(any(|| async {}));
        let to = serve(Router::new().route_service("/alias", inner)).await;
        let events = Events::record();
        for _ in 0..3 {
            assert_eq!(Ask::get("/alias").header("authorization", "Role viewer").send(to).await.status, StatusCode::OK);
            assert_eq!(Ask::get("/alias").send(to).await.status, anonymous);
        }
        let events = events.take();
        let warned: Vec<_> = events.iter().filter(|event| event.message.contains("does not match the path")).collect();
        assert_eq!(warned.len(), warnings);
        assert!(warned.iter().all(|event| (event.level, event.field("http.route")) == (Level::WARN, Some("/alias"))));
    }
}

/// A rule that is not applied opens nothing, either: the path alone decides.
#[tokio::test]
async fn a_public_match_that_is_stale_opens_nothing_and_is_said_once() {
    let gate = layer(
        r#"{ "version": 1, "roles": { "viewer": {} }, "routes": { "ANY /alias": "public", "ANY /doc": "viewer" } }"#,
    );
    for (path, statuses) in [("/doc", [401, 403, 200]), ("/unlisted", [404, 404, 404])] {
        let rewrite = move |mut request: Request| {
            *request.uri_mut() = path.parse().unwrap();
            request.extensions_mut().remove::<OriginalUri>();
            request
        };
        let inner = tower::ServiceBuilder::new().map_request(rewrite).layer(gate.clone()).service(any(|| async {}));
        let to = serve(Router::new().route_service("/alias", inner)).await;
        for (who, status) in ["", "Role other", "Role viewer"].into_iter().zip(statuses) {
            let events = Events::record();
            assert_eq!(Ask::get("/alias").header("authorization", who).send(to).await.status, status, "{path} {who}");
            let warned = events.take().iter().filter(|event| event.message.contains("does not match the path")).count();
            let is_first = path == "/doc" && who.is_empty();
            assert_eq!(warned, usize::from(is_first), "{path} {who}: the gate says so once of a pattern");
        }
    }
}

#[tokio::test]
async fn a_gate_inside_routing_says_once_that_its_masks_do_not_hold() {
    let plain = r#"{ "version": 1, "routes": { "ANY /doc/{id}": "public" } }"#;
    for (path, who) in [("/doc/7", "Role admin"), ("/doc/open", "Role admin"), ("/doc/7", "")] {
        for (app, complaints) in [
            (router().layer(layer(POLICY)), 1),
            (Router::new().fallback_service(layer(POLICY).protect(router())), 0),
            (router().layer(layer(plain)), 0),
        ] {
            let to = serve(app).await;
            let events = Events::record();
            for _ in 0..3 {
                Ask::get(path).header("authorization", who).send(to).await;
            }
            let errors: Vec<_> = events.take().into_iter().filter(|event| event.level == Level::ERROR).collect();
            assert_eq!(errors.len(), complaints, "{path} {who} {errors:?}");
            assert!(errors.iter().all(|error| error.message.contains("use `authz.protect(router)`")));
        }
    }
}

#[test]
fn protected_apps_and_layers_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let authz = layer(POLICY);
    shared(&authz);
    shared(&authz.protect(router()));
    shared(&Policy::clone(&policy(POLICY)));
}
