//! Gates, guards and identity layers inside one another: what one knows or hides, the next must not lose or show.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, response::Response, routing::get};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn, util::MapRequestLayer};
use tower_authz::{
    AuthzLayer, CredentialErrorKind, Denial, Guard, Head, Identify, Identity, Policy, Principal, authn,
    report::{Event, EventKind, Reporter},
    respond::Responder,
};
use tower_http::set_header::SetResponseHeaderLayer;

fn policy(text: &str) -> Policy {
    Policy::from_json_str(text).unwrap()
}

/// `x-user: ada=admin,viewer` is Ada with two roles; `bad` and `down` are no good and not to be found out.
fn by_header(head: Head<'_>) -> Identity {
    let Some(text) = head.headers().get("x-user").map(|value| value.to_str().unwrap()) else {
        return Identity::Anonymous;
    };
    match text.split_once('=') {
        _ if text == "bad" => Identity::Rejected(CredentialErrorKind::Expired.into()),
        _ if text == "down" => Identity::unavailable(),
        Some((name, roles)) => Identity::Authenticated(Principal::new(name).roles(roles.split(','))),
        None => Identity::Authenticated(Principal::new(text)),
    }
}

fn request(path: &str, user: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    if let Some(user) = user {
        request.headers_mut().insert("x-user", user.parse().unwrap());
    }
    request
}

#[derive(Debug, PartialEq)]
struct Answer(StatusCode, Vec<(String, String)>, Bytes);

async fn whole(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Answer(parts.status, headers.collect(), body.collect().await.unwrap().to_bytes())
}

fn leaf()
-> impl tower::Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {
    service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("secret"))) })
}

/// Section 5: "the full path under `nest` is the stripped prefix plus `uri.path()`; whenever `OriginalUri` is not
/// exactly that, both paths are readings".
#[tokio::test]
async fn a_rewrite_between_routers_does_not_hide_the_prefix_that_was_stripped() {
    let authz = AuthzLayer::builder(policy(
        r#"{ "version": 1, "roles": { "admin": {} },
             "routes": { "GET /public/{*rest}": "public", "GET /admin/{*rest}": "admin" } }"#,
    ))
    .authenticator(by_header)
    .build()
    .unwrap();
    let inner = Router::new().nest_service("/admin", authz.layer(leaf()));
    let rewrite = MapRequestLayer::new(|mut request: Request<Body>| {
        let path = request.uri().path().replacen("/public/alias", "/admin/alias", 1);
        *request.uri_mut() = path.parse().unwrap();
        request
    });
    let app = Router::new().fallback_service(rewrite.layer(inner));
    // The service that answers is the one under `/admin`, whose rule the caller does not satisfy.
    let direct = app.clone().oneshot(request("/admin/alias", None)).await.unwrap();
    assert_eq!(direct.status(), StatusCode::UNAUTHORIZED);
    let through = app.oneshot(request("/public/alias", None)).await.unwrap();
    assert_eq!(through.status(), StatusCode::UNAUTHORIZED);
}

const MASKED: &str = r#"{ "version": 1, "roles": { "admin": {} },
    "routes": { "GET /secret": { "allow": "admin", "deny_as": "not_found" }, "GET /open": "public" } }"#;

/// An identity layer or gate outside answers again; it keeps "foreign" headers of an unlisted path's 404, and drops
/// those of a masked 404.
#[tokio::test]
async fn a_mask_holds_where_a_layer_outside_answers_again() {
    let own_404 = Responder::new().not_found(|_| {
        let mut response = http::Response::new(Bytes::from_static(b"gone fishing"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert("x-frame-options", HeaderValue::from_static("DENY"));
        response
    });
    let gate = AuthzLayer::builder(policy(MASKED)).authenticator(by_header).responder(own_404).build().unwrap();
    let app = Identify::new(by_header).layer(gate.layer(leaf()));
    let masked = whole(app.clone().oneshot(request("/secret", Some("bob"))).await.unwrap()).await;
    let missing = whole(app.oneshot(request("/nothing", Some("bob"))).await.unwrap()).await;
    assert_eq!(masked, missing);
}

#[tokio::test]
async fn a_mask_holds_between_nested_gates_with_a_header_layer_in_between() {
    let outer = r#"{ "version": 1, "routes": { "ANY /{*rest}": "public" } }"#;
    let outer = AuthzLayer::builder(policy(outer)).authenticator(by_header).build().unwrap();
    let gate = AuthzLayer::builder(policy(MASKED)).authenticator(by_header).build().unwrap();
    let headers = SetResponseHeaderLayer::if_not_present(
        http::header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=1"),
    );
    let app = outer.layer(headers.layer(gate.layer(leaf())));
    let masked = whole(app.clone().oneshot(request("/secret", Some("bob"))).await.unwrap()).await;
    let missing = whole(app.oneshot(request("/nothing", Some("bob"))).await.unwrap()).await;
    assert_eq!(masked, missing);
}

/// Section 6: "Row 3 comes before anything that depends on the route, so a client with an expired token is told so
/// on masked and missing paths alike". A public route forwards with bad credentials, and a masked guard or handler
/// behind it answers 404 where a missing path answers 401 or 503.
#[tokio::test]
async fn a_masked_guard_behind_a_public_rule_answers_bad_credentials_like_a_missing_path() {
    let gate = AuthzLayer::builder(policy(
        r#"{ "version": 1, "routes": { "GET /guarded": "public", "GET /handled": "public" } }"#,
    ))
    .authenticator(by_header)
    .build()
    .unwrap();
    let router = Router::new()
        .route("/guarded", get(|| async {}).route_layer(Guard::role("admin").masked()))
        .route("/handled", get(|| async { Err::<(), _>(Denial::forbidden().masked()) }));
    let app = gate.protect(router);
    for user in [None, Some("bob"), Some("bad"), Some("down")] {
        let missing = whole(app.clone().oneshot(request("/nothing", user)).await.unwrap()).await;
        for path in ["/guarded", "/handled"] {
            let masked = whole(app.clone().oneshot(request(path, user)).await.unwrap()).await;
            assert_eq!(masked, missing, "{path} {user:?}");
        }
    }
}

/// What hides nothing needs not look like anything else: the denial of a handler is told as it is, whatever was wrong with
/// credentials that the public rule did not ask for.
#[tokio::test]
async fn a_handler_behind_a_public_rule_says_why_it_denies_whatever_the_credentials_were() {
    let routes = policy(r#"{ "version": 1, "routes": { "GET /handled": "public" } }"#);
    let events = Arc::new(AtomicUsize::new(0));
    let gate = AuthzLayer::builder(routes).authenticator(by_header).reporter(denials_into(&events)).build().unwrap();
    let handler = || async { Err::<(), _>(Denial::forbidden().message("Not yours.")) };
    let app = gate.protect(Router::new().route("/handled", get(handler)));
    for user in [None, Some("bob"), Some("bad"), Some("down")] {
        let Answer(status, headers, body) = whole(app.clone().oneshot(request("/handled", user)).await.unwrap()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{user:?}");
        assert!(headers.iter().all(|(name, _)| name != "www-authenticate"), "{user:?} {headers:?}");
        assert!(body.windows(10).any(|part| part == b"Not yours."), "{user:?} {body:?}");
        assert_eq!(events.swap(0, Ordering::Relaxed), 1, "{user:?}");
    }
}

/// An identity layer denies nobody, so what it finds wrong with credentials must not show where a handler masks: the
/// gate outside has found nothing wrong, and answers a missing path 404.
#[tokio::test]
async fn identify_inside_a_gate_tells_no_bad_credentials_on_a_masked_route() {
    let gate = AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "GET /handled": "public" } }"#)).build();
    let router = Router::new()
        .route("/handled", get(|| async { Err::<(), _>(Denial::forbidden().masked()) }))
        .layer(Identify::new(by_header));
    let app = gate.unwrap().protect(router);
    for user in [None, Some("bob"), Some("bad"), Some("down")] {
        let missing = whole(app.clone().oneshot(request("/nothing", user)).await.unwrap()).await;
        let masked = whole(app.clone().oneshot(request("/handled", user)).await.unwrap()).await;
        assert_eq!(masked, missing, "{user:?}");
    }
}

/// A layer between that makes a principal of its own, as one that reads roles from a database does, must not part the
/// gate outside from the denials inside.
#[tokio::test]
async fn a_mask_holds_where_another_principal_is_put_between() {
    let another = MapRequestLayer::new(|mut request: Request<Body>| {
        request.extensions_mut().insert(Principal::new("bob").roles(["viewer"]));
        request
    });
    let gate = AuthzLayer::builder(policy(MASKED)).authenticator(authn::principal_extension()).build().unwrap();
    let masked_route = |route| Router::new().route("/secret", route);
    for (name, inside) in [
        ("a gate", masked_route(get(|| async {})).layer(gate)),
        ("a guard", masked_route(get(|| async {}).route_layer(Guard::role("admin").masked()))),
        ("a handler", masked_route(get(|| async { Err::<(), _>(Denial::forbidden().masked()) }))),
    ] {
        let app = with_a_page_of_its_own("GET /secret").protect(inside.layer(another.clone()));
        let missing = whole(app.clone().oneshot(request("/nothing", Some("bob"))).await.unwrap()).await;
        let masked = whole(app.oneshot(request("/secret", Some("bob"))).await.unwrap()).await;
        assert_eq!(masked, missing, "{name}");
    }
}

/// What hides nothing needs no gate outside: where nothing is seen of one, the gate inside answers for itself, and
/// whoever reports, it is one event.
#[tokio::test]
async fn a_denial_that_hides_nothing_is_answered_inside_where_another_principal_is_put_between() {
    let own_answer = || {
        Responder::new().custom(|denial, _| {
            let mut response = http::Response::new(Bytes::from_static(b"as the gate outside says it"));
            *response.status_mut() = denial.status();
            response
        })
    };
    let routes = r#"{ "version": 1, "roles": { "admin": {} }, "routes": { "GET /plain": "admin",
        "GET /masked": { "allow": "admin", "deny_as": "not_found" } } }"#;
    let another = |found: Principal| found.clone().claim("seen", true);
    let made_anew = |_: Principal| Principal::new("bob");
    let events = Arc::new(AtomicUsize::new(0));
    for (name, change, is_answered_outside) in [
        ("a principal made of the one that was found", another as fn(Principal) -> Principal, [true, true, true]),
        ("a principal made anew", made_anew, [false, true, true]),
    ] {
        let between = MapRequestLayer::new(move |mut request: Request<Body>| {
            let found = request.extensions().get::<Principal>().unwrap().clone();
            request.extensions_mut().insert(change(found));
            request
        });
        let everything = policy(r#"{ "version": 1, "routes": { "GET /{*rest}": "authenticated" } }"#);
        let outer = AuthzLayer::builder(everything).authenticator(by_header).responder(own_answer());
        let inner = AuthzLayer::builder(policy(routes)).authenticator(authn::principal_extension());
        let inner = inner.reporter(denials_into(&events)).build().unwrap();
        let outer = outer.reporter(denials_into(&events)).build().unwrap();
        let app = outer.layer(between.layer(inner.layer(leaf())));
        for (path, is_answered_outside) in ["/plain", "/masked", "/missing"].into_iter().zip(is_answered_outside) {
            let Answer(status, _, body) = whole(app.clone().oneshot(request(path, Some("bob"))).await.unwrap()).await;
            let expected = if path == "/plain" { StatusCode::FORBIDDEN } else { StatusCode::NOT_FOUND };
            assert_eq!(status, expected, "{path} with {name}");
            assert_eq!(body == "as the gate outside says it", is_answered_outside, "{path} with {name}");
            assert_eq!(events.swap(0, Ordering::Relaxed), 1, "{path} with {name}");
        }
    }
}

/// An identity layer answers the denials of guards again; so does a gate around it, whatever stands between.
#[tokio::test]
async fn a_gate_around_an_identity_layer_answers_the_denials_of_guards_last() {
    let own_answer = Responder::new().custom(|denial, _| {
        let mut response = http::Response::new(Bytes::from_static(b"as the gate outside says it"));
        *response.status_mut() = denial.status();
        response
    });
    let routes = r#"{ "version": 1, "routes": { "GET /{*rest}": "authenticated", "GET /open": "public" } }"#;
    let events = Arc::new(AtomicUsize::new(0));
    let outer = AuthzLayer::builder(policy(routes)).authenticator(by_header).responder(own_answer);
    let outer = outer.reporter(denials_into(&events)).build().unwrap();
    for (guard, status) in
        [(Guard::role("admin"), StatusCode::FORBIDDEN), (Guard::role("admin").masked(), StatusCode::NOT_FOUND)]
    {
        let inside = Identify::with(by_header, Responder::new(), denials_into(&events)).layer(guard.layer(leaf()));
        let forgetful = forget().layer(inside.clone());
        for (name, app, is_answered_outside) in [
            ("nothing", outer.layer(inside).boxed_clone(), true),
            ("a layer that forgets", outer.layer(forgetful).boxed_clone(), status == StatusCode::NOT_FOUND),
        ] {
            let answer = whole(app.oneshot(request("/plain", Some("bob"))).await.unwrap()).await;
            assert_eq!(answer.0, status, "{name} between");
            assert_eq!(answer.2 == "as the gate outside says it", is_answered_outside, "{name} between, {status}");
            assert_eq!(events.swap(0, Ordering::Relaxed), 1, "{name} between, {status}");
        }
    }
}

/// A reporter that counts the denials.
fn denials_into(events: &Arc<AtomicUsize>) -> impl Reporter + use<> {
    let events = Arc::clone(events);
    move |event: &Event<'_>| {
        events.fetch_add(usize::from(event.kind() == EventKind::Denied), Ordering::Relaxed);
    }
}

/// A layer that takes the principal away parts the two gates: the one inside answers by itself, and masks as it
/// answers what it does not list.
#[tokio::test]
async fn a_mask_is_that_of_the_gate_inside_where_the_principal_is_taken_away_between() {
    let gate = || AuthzLayer::builder(policy(MASKED));
    for (name, gate) in [
        ("that relies on the one outside", gate().authenticator(authn::principal_extension())),
        ("that asks for itself", gate().authenticator(by_header)),
    ] {
        let app = with_a_page_of_its_own("GET /{*rest}").layer(forget().layer(gate.build().unwrap().layer(leaf())));
        let missing = whole(app.clone().oneshot(request("/nothing", Some("bob"))).await.unwrap()).await;
        let masked = whole(app.oneshot(request("/secret", Some("bob"))).await.unwrap()).await;
        assert_eq!(masked, missing, "a gate {name}");
        assert_eq!(masked.0, StatusCode::NOT_FOUND, "a gate {name}");
        assert_ne!(masked.2, "gone fishing", "a gate {name}");
    }
}

/// Who takes the principal away makes the caller nobody for what relies on the gate outside, and never more than that.
#[tokio::test]
async fn whoever_loses_the_principal_between_two_layers_is_nobody_inside() {
    let routes = r#"{ "version": 1, "roles": { "admin": {} }, "routes": {
        "GET /open": "public", "GET /doc": "authenticated", "GET /admin": "admin" } }"#;
    let gate = || AuthzLayer::builder(policy(routes));
    let outer = gate().authenticator(by_header).build().unwrap();
    let ambient = gate().authenticator(authn::principal_extension()).build().unwrap();
    let own = gate().authenticator(by_header).build().unwrap();
    for (name, app, statuses) in [
        ("a gate that relies on the one outside", ambient.layer(leaf()).boxed_clone(), [200, 401, 401]),
        ("a gate that asks for itself", own.layer(leaf()).boxed_clone(), [200, 200, 200]),
        (
            "a guard, which says that nobody was asked",
            Guard::authenticated().layer(leaf()).boxed_clone(),
            [500, 500, 500],
        ),
    ] {
        let app = outer.layer(forget().layer(app));
        for (path, status) in ["/open", "/doc", "/admin"].into_iter().zip(statuses) {
            let answer = app.clone().oneshot(request(path, Some("ada=admin"))).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path} before {name}");
        }
    }
}

/// A gate that lists `routes`, and whose page for whatever it does not list is like no other.
fn with_a_page_of_its_own(routes: &str) -> AuthzLayer {
    let own_404 = Responder::new().not_found(|_| {
        let mut response = http::Response::new(Bytes::from_static(b"gone fishing"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    });
    let routes = format!(r#"{{ "version": 1, "routes": {{ "{routes}": "authenticated" }} }}"#);
    AuthzLayer::builder(policy(&routes)).authenticator(by_header).responder(own_404).build().unwrap()
}

/// Takes the principal out of a request, as a layer does that makes the extensions anew.
fn forget() -> MapRequestLayer<fn(Request<Body>) -> Request<Body>> {
    MapRequestLayer::new(|mut request| {
        request.extensions_mut().remove::<Principal>();
        request
    })
}

fn grpc(path: &str, user: &str) -> Request<Body> {
    let mut request = request(path, Some(user));
    *request.method_mut() = http::Method::POST;
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    request
}

fn count(headers: &HeaderMap, name: &str) -> usize {
    headers.get_all(name).iter().count()
}

/// Section 4: "its own headers and body stripped first".
#[tokio::test]
async fn a_denial_of_a_guard_in_a_grpc_service_has_one_status() {
    let gate =
        AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "POST /pkg.Svc/Method": "authenticated" } }"#))
            .authenticator(by_header)
            .build()
            .unwrap();
    let app = gate.layer(Guard::role("admin").layer(leaf()));
    let answer = app.oneshot(grpc("/pkg.Svc/Method", "bob")).await.unwrap();
    let counts = [count(answer.headers(), "grpc-status"), count(answer.headers(), "grpc-message")];
    assert_eq!(counts, [1, 1], "{:?}", answer.headers());
}

#[tokio::test]
async fn a_denial_that_is_answered_again_has_each_header_once() {
    let login = || Responder::new().login_redirect("/login");
    let gate = AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "GET /a": "authenticated" } }"#))
        .authenticator(by_header)
        .responder(login())
        .build()
        .unwrap();
    let app = Identify::with(by_header, login(), tower_authz::report::TracingReporter::new()).layer(gate.layer(leaf()));
    let mut request = request("/a", None);
    request.headers_mut().insert("hx-request", HeaderValue::from_static("true"));
    let answer = app.oneshot(request).await.unwrap();
    assert_eq!(count(answer.headers(), "hx-redirect"), 1, "{:?}", answer.headers());
}

/// Section 4: "A backend that fails is never a denial of rights". What `Identify` found out outside is lost on a gate
/// with `principal_extension()`.
#[tokio::test]
async fn a_gate_behind_identify_tells_bad_and_unavailable_from_absent() {
    let gate = AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "GET /a": "authenticated" } }"#))
        .authenticator(authn::principal_extension())
        .build()
        .unwrap();
    let app = Identify::new(by_header).layer(gate.layer(leaf()));
    let mut told = Vec::new();
    for user in ["bob", "bad", "down"] {
        told.push(app.clone().oneshot(request("/a", Some(user))).await.unwrap().status().as_u16());
    }
    assert_eq!(told, [200, 401, 503]);
}

/// The identity layer that is further inside has the last word, also where it has found nothing and the one outside
/// something that is no good.
#[tokio::test]
async fn of_two_identity_layers_the_one_inside_counts() {
    let gate =
        AuthzLayer::builder(policy(r#"{ "version": 1, "roles": { "admin": {} }, "routes": { "GET /a": "admin" } }"#))
            .authenticator(authn::principal_extension())
            .build()
            .unwrap();
    let by_key = |head: Head<'_>| head.headers().get("x-key").map(|_| Principal::new("robot").roles(["admin"]));
    let app = Identify::new(by_header).layer(Identify::new(by_key).layer(gate.layer(leaf())));
    for user in [None, Some("bad"), Some("down"), Some("bob"), Some("ada=admin")] {
        for (has_key, listed, unlisted) in [(false, 401, 404), (true, 200, 404)] {
            for (path, status) in [("/a", listed), ("/nothing", unlisted)] {
                let mut request = request(path, user);
                if has_key {
                    request.headers_mut().insert("x-key", HeaderValue::from_static("7"));
                }
                let answer = app.clone().oneshot(request).await.unwrap();
                assert_eq!(answer.status().as_u16(), status, "{path} {user:?} has a key: {has_key}");
            }
        }
    }
}

/// A principal that a layer of the application puts behind an identity layer is the caller, whatever was found outside.
#[tokio::test]
async fn a_principal_that_is_put_behind_an_identity_layer_counts() {
    let session = MapRequestLayer::new(|mut request: Request<Body>| {
        request.extensions_mut().insert(Principal::new("session").roles(["admin"]));
        request
    });
    let known = |caller: Principal| async move { caller.subject().to_owned() };
    let app = Router::new()
        .route("/guarded", get(known).route_layer(Guard::role("admin")))
        .route("/handled", get(known))
        .layer(session)
        .layer(Identify::new(by_header));
    for user in [None, Some("bob"), Some("bad"), Some("down")] {
        for path in ["/guarded", "/handled"] {
            let answer = whole(app.clone().oneshot(request(path, user)).await.unwrap()).await;
            assert_eq!((answer.0, &*answer.2), (StatusCode::OK, &b"session"[..]), "{path} {user:?}");
        }
    }
}

/// Section 4: "`has_role` and guards mean *effective* roles (inheritance) of that snapshot". An `Identify` between a
/// gate and a guard takes the snapshot away, and `none_of` lets through whom the gate alone would have denied.
#[tokio::test]
async fn identify_inside_a_gate_keeps_its_snapshot() {
    let gate = AuthzLayer::builder(policy(
        r#"{ "version": 1, "roles": { "intern": {}, "trainee": { "inherits": ["intern"] } },
             "routes": { "GET /a": "authenticated" } }"#,
    ))
    .authenticator(by_header)
    .build()
    .unwrap();
    let guarded = || Guard::none_of(["intern"]).layer(leaf());
    let alone = gate.layer(guarded()).oneshot(request("/a", Some("eve=trainee"))).await.unwrap();
    assert_eq!(alone.status(), StatusCode::FORBIDDEN);
    let between = gate.layer(Identify::new(by_header).layer(guarded()));
    let between = between.oneshot(request("/a", Some("eve=trainee"))).await.unwrap();
    assert_eq!(between.status(), StatusCode::FORBIDDEN);
}

/// `Head` is handed to every authenticator, and its `Debug` prints what it must never tell.
#[test]
fn the_debug_form_of_a_head_shows_no_credentials() {
    let mut request = request("/a", None);
    request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer abc123"));
    assert!(!format!("{:?}", Head::from(&request)).contains("abc123"));
}

/// Row 2 of section 6 comes first: what is public stays served. Everything else is 500, never a denial of rights.
#[tokio::test]
async fn a_failed_identity_opens_nothing_but_what_is_public() {
    let routes = r#"{ "version": 1, "routes": { "GET /open": "public", "GET /a": "authenticated" } }"#;
    let gate = AuthzLayer::builder(policy(routes))
        .authenticator(authn::from_fn(|_| Identity::failed("the session layer did not run")))
        .build()
        .unwrap();
    for (path, status) in [("/open", 200), ("/a", 500), ("/nothing", 500)] {
        let answer = gate.layer(leaf()).oneshot(request(path, None)).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
}

/// What axum has matched is one more reading (section 5), also where its route is wider than the policy's keys: a
/// proxy belongs under a fallback, where axum matches nothing.
#[tokio::test]
async fn a_blanket_route_counts_as_a_reading_and_a_fallback_does_not() {
    let routes = r#"{ "version": 1, "roles": { "admin": {} },
                      "routes": { "ANY /{*rest}": "admin", "GET /health": "public" } }"#;
    let gate = AuthzLayer::builder(policy(routes)).authenticator(by_header).build().unwrap();
    let route = gate.protect(Router::new().route("/{*rest}", get(|| async {})));
    let fallback = gate.protect(Router::new().fallback(|| async {}));
    for (app, status) in [(route, 401), (fallback, 200)] {
        assert_eq!(app.oneshot(request("/health", None)).await.unwrap().status().as_u16(), status);
    }
}

/// Sixty-four readings of 64 KiB: what one anonymous request costs, at best, as others may keep the machine busy.
#[tokio::test]
async fn a_long_path_costs_no_more_than_a_bounded_number_of_readings_of_it() {
    let gate = AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "GET /a/{*rest}": "authenticated" } }"#))
        .authenticator(by_header)
        .build()
        .unwrap();
    let app = gate.layer(leaf());
    let cost = |path: String| {
        let app = app.clone();
        async move {
            let mut least = Duration::MAX;
            for _ in 0..3 {
                let begun = Instant::now();
                let status = app.clone().oneshot(request(&path, None)).await.unwrap().status();
                least = least.min(begun.elapsed());
                println!("{} bytes: {status} in {least:?}", path.len());
            }
            least
        }
    };
    let plain = cost(format!("/a/{}", "b".repeat(60_000))).await;
    let mut worst = plain;
    for unit in
        ["%2525252541", "%25252541;b/", "%25252541%252F;%2541//", "%2541%252F;b//", "%252525252541%2F;b//", "%2541/"]
    {
        worst = worst.max(cost(format!("/a/{}{}", unit, "b".repeat(60_000))).await);
        worst = worst.max(cost(format!("/a/{}", unit.repeat(60_000 / unit.len()))).await);
    }
    assert!(worst < plain.max(Duration::from_millis(5)) * 40, "{worst:?} against {plain:?} for a clean path");
}
