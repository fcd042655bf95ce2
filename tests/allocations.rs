//! What the layer costs in memory: an allowed request of a principal that is known already allocates nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::similar_names, reason = "tests")]

use std::{
    convert::Infallible,
    future::{Future, ready},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use allocation_counter::measure;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};
use tower_authz::{
    AuthzLayer, Policy, Principal, authn,
    report::{Event, Reporter, TracingReporter},
};

/// A policy of so many rules, which ask for all kinds of things that need no waiting.
fn policy(rules: usize) -> Policy {
    let rule = |index: usize| {
        let grant = match index % 4 {
            0 => r#""viewer""#,
            1 => r#"{ "any_of": ["editor", "doc:read"], "none_of": ["guest"] }"#,
            2 => r#"["admin", { "all_of": ["viewer"], "claims": { "sub": "{id}", "plan": ["free", "pro"] } }]"#,
            _ => r#"{ "allow": "doc:read", "deny_as": "not_found", "message": "ask the owner" }"#,
        };
        format!(r#""GET,POST /route-{index}/{{id}}/parts/{{part}}": {grant}"#)
    };
    let routes = (0..rules).map(rule).collect::<Vec<_>>().join(",\n");
    let declared =
        r#""viewer": { "permissions": ["doc:read"] }, "editor": { "inherits": ["viewer"] }, "admin": {}, "guest": {}"#;
    let exclusive = r#"[["admin", "guest"]]"#;
    let document = format!(
        r#"{{ "version": 1, "roles": {{ {declared} }}, "exclusive_roles": {exclusive}, "routes": {{ {routes} }} }}"#
    );
    Policy::from_json_str(&document).unwrap()
}

fn layer(rules: usize) -> AuthzLayer {
    AuthzLayer::builder(policy(rules)).authenticator(authn::principal_extension()).build().unwrap()
}

fn ada() -> Principal {
    Principal::new("ada").roles(["editor", "unknown"]).permissions(["doc:write"]).claim("plan", "pro")
}

/// As it comes from a browser by way of a proxy.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8"),
        (header::CONTENT_TYPE, "application/json"),
        (header::COOKIE, "session=0123456789abcdef"),
        (header::HeaderName::from_static("x-request-id"), "6f1c2f7e-1d52-4b7e-9b4e-0c9f5a3b1d2e"),
    ] {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn request<B: Default>(path: &str) -> Request<B> {
    let mut request = Request::get(path).extension(ada()).body(B::default()).unwrap();
    *request.headers_mut() = headers();
    request
}

/// Allocations from the call to the response, which must be 200.
fn allocations<S, B, R>(service: &mut S, request: Request<B>) -> u64
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
{
    let (status, count) = answered(service, request);
    assert_eq!(status, StatusCode::OK);
    count
}

/// The status of the response, and the allocations from the call to it.
fn answered<S, B, R>(service: &mut S, request: Request<B>) -> (StatusCode, u64)
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
{
    let mut answered = None;
    let mut request = Some(request);
    let count = measure(|| answered = service.call(request.take().unwrap()).now_or_never()).count_total;
    (answered.unwrap().unwrap().status(), count)
}

fn inner(_: Request<()>) -> impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::default())))
}

#[test]
fn an_allowed_request_of_a_known_principal_allocates_nothing_in_the_layer() {
    for rules in [10, 10_000] {
        let layer = layer(rules);
        let mut service = layer.layer(service_fn(inner));
        for route in [0, 1, 2, 3, rules - 1] {
            let path = format!("/route-{route}/ada/parts/7?page=2");
            for time in ["first", "second", "third"] {
                assert_eq!(allocations(&mut service, request(&path)), 0, "{rules} rules, {path}, {time} time");
            }
        }
    }
}

/// Path, who asks, status, allocations. Fewer are welcome: the number is to be written here then.
const COUNTED: &[(&str, Option<&str>, u16, u64)] = &[
    ("/open", None, 200, 3),
    ("/open", Some("editor"), 200, 0),
    ("/doc", Some("editor"), 200, 0),
    ("/doc", Some("guest"), 403, 5),
    ("/doc", None, 401, 5),
    ("/doc?page=2", None, 401, 5),
    ("/hidden", Some("guest"), 404, 5),
    ("/hidden", None, 404, 5),
    ("/nothing", None, 404, 5),
    ("/own/bob", Some("editor"), 403, 5),
    ("/%64oc", Some("editor"), 404, 14),
    ("/doc%00", None, 400, 10),
];

#[test]
fn what_every_kind_of_answer_allocates_is_known_to_the_last_allocation() {
    let policy = r#"{ "version": 1, "roles": { "viewer": {}, "editor": { "inherits": ["viewer"] }, "guest": {} }, "routes": {
        "GET /open": "public",
        "GET /doc": "viewer",
        "GET /hidden": { "allow": "viewer", "deny_as": "not_found" },
        "GET /own/{id}": { "all_of": ["viewer"], "claims": { "sub": "{id}" } } } }"#;
    let policy = Policy::from_json_str(policy).unwrap();
    let layer = AuthzLayer::builder(policy).authenticator(authn::principal_extension()).build().unwrap();
    let mut service = layer.layer(service_fn(inner));
    let request = |path: &str, role: Option<&str>| {
        let mut request = Request::get(path).body(()).unwrap();
        *request.headers_mut() = headers();
        if let Some(role) = role {
            request.extensions_mut().insert(Principal::new("ada").roles([role]));
        }
        request
    };
    for time in ["first", "second"] {
        let counted = COUNTED.iter().map(|(path, role, ..)| {
            let (status, count) = answered(&mut service, request(path, *role));
            (*path, *role, status.as_u16(), count)
        });
        assert_eq!(counted.collect::<Vec<_>>(), COUNTED, "{time} time");
    }
}

#[cfg(feature = "axum")]
#[test]
fn around_an_axum_router_of_a_thousand_routes_nothing_is_added() {
    use axum::{Router, body::Body, routing::get};
    let routes = || {
        (0..1000).fold(Router::new(), |router, index| {
            router.route(&format!("/route-{index}/{{id}}/parts/{{part}}"), get(|| async { "part" }))
        })
    };
    let (mut bare, mut guarded) = (routes(), layer(1000).layer(routes()));
    for time in ["first", "second", "third"] {
        for route in [0, 1, 2, 3, 999] {
            let path = format!("/route-{route}/ada/parts/7");
            let bare = allocations::<_, Body, _>(&mut bare, request(&path));
            assert_eq!(allocations::<_, Body, _>(&mut guarded, request(&path)), bare, "{path}, {time} time");
        }
    }
}

/// What each form adds to an allowed request, beside layers that do nothing in its place.
#[cfg(feature = "axum")]
#[test]
fn what_each_form_adds_around_and_inside_an_axum_router_is_known_to_the_last_allocation() {
    use axum::{Router, body::Body, routing::get};
    use tower::{layer::layer_fn, util::BoxCloneSyncService};
    use tower_authz::{Guard, Identify};
    type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
    let router = || Router::new().route("/route-0/{id}/parts/{part}", get(|| async { "part" }));
    // axum's routers box what is laid around them, so that even a layer which does nothing allocates there.
    let nothing = || layer_fn(|inner| tower::util::MapRequest::new(inner, |request: Request<Body>| request));
    let (layer, identify) = (layer(1), Identify::new(authn::principal_extension()));
    let guarded = router().route_layer(Guard::role("editor")).layer(identify);
    let forms = [
        ("around", App::new(layer.layer(router())), App::new(router())),
        ("protect", App::new(layer.protect(router())), App::new(router())),
        ("Router::layer", App::new(router().layer(layer.clone())), App::new(router().layer(nothing()))),
        ("route_layer", App::new(router().route_layer(layer)), App::new(router().route_layer(nothing()))),
        ("Guard", App::new(guarded), App::new(router().route_layer(nothing()).layer(nothing()))),
    ];
    let added = forms.map(|(form, mut guarded, mut bare)| {
        let mut count = |_| {
            let ask = |app| allocations::<_, Body, _>(app, request("/route-0/ada/parts/7"));
            ask(&mut guarded) - ask(&mut bare)
        };
        (form, ["first", "second"].map(&mut count))
    });
    let expected = [("around", 0), ("protect", 2), ("Router::layer", 1), ("route_layer", 1), ("Guard", 11)];
    assert_eq!(added, expected.map(|(form, more)| (form, [more; 2])));
}

#[test]
fn an_event_that_nobody_listens_to_allocates_nothing() {
    let (events, spent) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (count, sum) = (Arc::clone(&events), Arc::clone(&spent));
    let reporter = move |event: &Event<'_>| {
        let tracing = TracingReporter::new();
        count.fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(measure(|| tracing.report(event)).count_total, Ordering::Relaxed);
    };
    let layer =
        AuthzLayer::builder(policy(10)).authenticator(authn::principal_extension()).reporter(reporter).build().unwrap();
    let mut service = layer.layer(service_fn(inner));
    for (path, status) in
        [("/route-0/ada/parts/7", 200), ("/route-2/bob/parts/7", 403), ("/nowhere", 404), ("/a%00", 400)]
    {
        let response = service.call(request(path)).now_or_never().unwrap().unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
    assert_eq!((events.load(Ordering::Relaxed), spent.load(Ordering::Relaxed)), (4, 0));
}
