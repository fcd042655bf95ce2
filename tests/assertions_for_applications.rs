//! What applications assert in their tests holds where it should, and fails where it must.
#![cfg(all(feature = "axum", feature = "testing"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{any::Any, panic::catch_unwind};

use axum::{Router, body::Body, response::Response, routing::get};
use http::{HeaderValue, Request, StatusCode, header};
use tower::{Layer, ServiceExt};
use tower_authz::{
    AuthzLayer, CredentialErrorKind, Identity, Policy, Principal, Protected, Reason,
    testing::{ActAs, acting, assert_covered, assert_denied, assert_masked, denial},
};
use tower_http::{
    compression::CompressionLayer,
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "admin": {} },
    "routes": {
        "GET /open": "public",
        "GET /plain": "admin",
        "GET /hidden": { "allow": "admin", "deny_as": "not_found" },
        "DELETE /hidden": { "allow": "admin", "deny_as": "not_found" }
    }
}"#;

fn authz() -> AuthzLayer {
    AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(acting()).build().unwrap()
}

fn router() -> Router {
    let ok = || async { "ok" };
    Router::new().route("/open", get(ok)).route("/plain", get(ok)).route("/hidden", get(ok).delete(ok))
}

fn app() -> Protected {
    authz().protect(router())
}

fn vera() -> Principal {
    Principal::new("vera")
}

fn ada() -> Principal {
    Principal::new("ada").roles(["admin"])
}

async fn answer(path: &str, caller: impl Into<Identity>) -> Response {
    app().oneshot(Request::get(path).body(Body::empty()).unwrap().act_as(caller)).await.unwrap()
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[tokio::test]
async fn callers_are_who_the_test_says() {
    let rejected = Identity::Rejected(CredentialErrorKind::Expired.into());
    for (caller, status, reason) in [
        (Identity::Anonymous, 401, Some(Reason::NoCredentials)),
        (vera().into(), 403, Some(Reason::InsufficientRole)),
        (ada().into(), 200, None),
        (rejected, 401, Some(Reason::InvalidCredentials)),
        (Identity::unavailable(), 503, Some(Reason::AuthenticatorUnavailable)),
    ] {
        let answer = answer("/plain", caller).await;
        assert_eq!(answer.status(), status);
        assert_eq!(denial(&answer).map(tower_authz::Denial::reason), reason);
    }
    let built = Request::get("/plain").act_as(ada()).body(Body::empty()).unwrap();
    assert_eq!(app().oneshot(built).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn denials_are_told_apart_by_status_and_reason() {
    assert_denied(&answer("/hidden", vera()).await, 404, Reason::InsufficientRole);
    assert_denied(&answer("/missing", vera()).await, 404, Reason::NotListed);
    for (path, caller, status, reason, expected) in [
        ("/plain", ada(), 403, Reason::InsufficientRole, "the request was not denied: it was answered 200 OK"),
        ("/plain", vera(), 401, Reason::InsufficientRole, "expected 401 for `insufficient-role`, but it was 403 for"),
        ("/plain", vera(), 403, Reason::NoCredentials, "`insufficient-role`, rule `GET /plain`, required `admin`"),
        ("/hidden", vera(), 404, Reason::NotListed, "but it was 404 for `insufficient-role`, rule `GET /hidden`"),
    ] {
        let answer = answer(path, caller).await;
        let panic = catch_unwind(std::panic::AssertUnwindSafe(|| assert_denied(&answer, status, reason))).unwrap_err();
        assert!(message(&*panic).contains(expected), "{}", message(&*panic));
    }
}

#[test]
fn routes_without_a_rule_and_rules_without_a_route_are_listed() {
    type Row = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static [&'static str]);
    let rows: &[Row] = &[
        (&["GET /a/{id}", "POST /a/{id}"], &[("GET,POST", "/a/{name}")], &[]),
        (&["GET /a/{id}"], &[("GET", "/a/{id}"), ("POST", "/a/{id}")], &["no rule covers the route `POST /a/{id}`"]),
        (&["GET /a", "DELETE /a"], &[("GET", "/a")], &["no route needs the rule `DELETE /a`"]),
        (&["GET /a"], &[("HEAD", "/a")], &[]),
        (&["GET /a", "HEAD /a"], &[("GET", "/a")], &[]),
        (&["ANY /a"], &[("GET", "/a"), ("LOCK", "/a")], &[]),
        (&["GET /a"], &[("ANY", "/a")], &["no rule covers the route `ANY /a`"]),
        (&["GET /a", "ANY /a"], &[("GET", "/a")], &[]),
        (&["GET /a/{*rest}"], &[("GET", "/a/b"), ("GET", "/a/{x}/{y}")], &[]),
        (&["GET /a/{*rest}"], &[("GET", "/a")], &["route `GET /a`", "rule `GET /a/{*rest}`"]),
        (&["GET /a/{x}"], &[("GET", "/a/{*rest}")], &["no rule covers the route `GET /a/{*rest}`"]),
        (&["GET /a/{*rest}", "GET /a/logo"], &[("GET", "/a/{*path}")], &[]),
        (&["GET /a/me", "GET /a/{id}"], &[("GET", "/a/{id}")], &[]),
        (&["GET /a/me"], &[("GET", "/a/{id}")], &["no rule covers the route `GET /a/{id}`"]),
        (&["GET /a"], &[("GET", "/a"), ("get", "/a")], &["a route cannot be read: the method `get`"]),
        (&["GET /a"], &[("GET", "/a/:id")], &["a route cannot be read"]),
    ];
    for (keys, routes, expected) in rows {
        let keys = keys.iter().map(|key| format!(r#""{key}": "authenticated""#)).collect::<Vec<_>>().join(",");
        let policy = Policy::from_json_str(&format!(r#"{{ "version": 1, "routes": {{ {keys} }} }}"#)).unwrap();
        let asserted = catch_unwind(|| assert_covered(&policy, routes.iter().copied()));
        let said = asserted.err().map(|panic| message(&*panic)).unwrap_or_default();
        assert_eq!(said.is_empty(), expected.is_empty(), "{keys} {routes:?} {said}");
        let lines = said.lines().filter(|line| line.starts_with("  ")).count();
        assert!(lines == 0 || lines == expected.len(), "{keys} {routes:?} {said}");
        for expected in *expected {
            assert!(said.contains(expected), "{keys} {routes:?} {said}");
        }
    }
}

#[tokio::test]
async fn a_mask_holds_around_the_router_and_through_layers_outside() {
    let hidden = || Request::get("/hidden?page=1").header("origin", "https://elsewhere.example").body(()).unwrap();
    let layered = app()
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, std::time::Duration::from_secs(9)))
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive())
        .layer(TraceLayer::new_for_http())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid));
    for caller in [Identity::Anonymous, vera().into()] {
        assert_masked(&app(), hidden().act_as(caller.clone()), "/missing").await;
        assert_masked(&layered, hidden().act_as(caller), "/missing").await;
    }
}

#[tokio::test]
async fn a_mask_that_can_be_seen_through_is_found() {
    let by_header = SetResponseHeaderLayer::overriding(header::SERVER, |response: &Response| {
        let is_hidden = denial(response)?.rule().is_some();
        is_hidden.then(|| HeaderValue::from_static("secret"))
    });
    let inside = router().layer(authz());
    let told = told_apart(&app(), "/plain", vera(), "/missing").await;
    assert!(told.starts_with("`GET /plain` can be told from `GET /missing`: the status is 403"), "{told}");
    let told = told_apart(&app(), "/hidden", ada(), "/missing").await;
    assert!(told.starts_with("`GET /hidden` can be told from `GET /missing`: the status is 200"), "{told}");
    let told = told_apart(&app().layer(by_header), "/hidden", vera(), "/missing").await;
    assert!(told.contains("the headers are [") && told.contains("\"server\"]"), "{told}");
    let told = told_apart(&inside, "/hidden", vera(), "/missing").await;
    assert!(
        told.starts_with("`POST /hidden` can be told from `POST /missing`") && told.contains("\"allow\"]"),
        "{told}"
    );
    let told = told_apart(&app(), "/hidden", vera(), "/plain").await;
    assert!(told.starts_with("`GET /plain` is a path that exists: 403 for `insufficient-role`"), "{told}");
    let told = told_apart(&app(), "/missing", vera(), "/other").await;
    assert!(told.starts_with("no method of `/missing` is masked from this caller (at "), "{told}");
    assert!(told.contains(file!()), "{told}");
    let body = authz().layer(tower::service_fn(|_: Request<Body>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    }));
    let body = body.map_response(|response: Response| match denial(&response).and_then(tower_authz::Denial::rule) {
        Some(_) => response.map(|_| Body::from("secret")),
        None => response.map(|_| Body::from("nobody")),
    });
    let told = told_apart(&body, "/hidden", vera(), "/missing").await;
    assert!(told.contains("the body is b\"secret\", not b\"nobody\""), "{told}");
}

/// What `assert_masked` complains about.
async fn told_apart<S>(app: &S, path: &str, caller: Principal, missing: &'static str) -> String
where
    S: tower::Service<Request<Body>, Response = Response, Error = std::convert::Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (app, masked) = (app.clone(), Request::get(path).body(()).unwrap().act_as(caller));
    let asserted = tokio::spawn(async move { assert_masked(&app, masked, missing).await }).await;
    match asserted {
        Ok(()) => panic!("{path} was taken for masked"),
        Err(failed) => message(&*failed.into_panic()),
    }
}
