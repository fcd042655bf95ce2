//! Whatever stands around the gate or inside it, and whatever the application answers to paths that it does not have: a masked
//! route has the bytes of a missing path, for every method, over HTTP/1 and HTTP/2.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{HeaderName, Response, StatusCode};
use support::{
    Ask, http2, serve,
    shapes::{Served, by_header},
};
use tower::{Layer, ServiceBuilder};
use tower_authz::{AuthzLayer, Policy, respond::Responder};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, predicate::SizeAbove},
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

const POLICY: &str = r#"{ "version": 1, "realm": "billing", "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
    "routes": {
        "GET /open": "public",
        "ANY /masked": { "allow": "admin", "deny_as": "not_found" },
        "GET,POST /masked/{id}/item": { "allow": "admin", "deny_as": "not_found", "message": "for admins" },
        "ANY /masked/all/{*rest}": { "allow": ["admin", { "claims": { "plan": "pro" } }], "deny_as": "not_found" } } }"#;

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"];

/// Masked targets, each beside one of the same spelling that no key matches.
const PAIRS: &[(&str, &str)] = &[
    ("/masked", "/absent"),
    ("/masked/7/item", "/absent/7/item"),
    ("/masked/all/a/b", "/absent/all/a/b"),
    ("/masked/", "/absent/"),
    ("/%6dasked;x", "/%61bsent;x"),
];

/// What clients say beside who they are: compressible, cross-origin, preflight, upgrading.
const MANNERS: &[&[(&str, &str)]] = &[
    &[("accept", "*/*"), ("accept-encoding", "gzip, br"), ("x-request-id", "7")],
    &[("accept", "text/html"), ("origin", "https://elsewhere.example"), ("x-request-id", "7")],
    &[
        ("origin", "https://elsewhere.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization"),
        ("x-request-id", "7"),
    ],
    &[("accept", "text/plain"), ("if-none-match", "*"), ("range", "bytes=0-3"), ("x-request-id", "7")],
];

fn gate(responder: Responder) -> AuthzLayer {
    let builder = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(by_header);
    builder.responder(responder).build().unwrap()
}

fn app() -> Router {
    Router::new()
        .route("/open", get(|| async { "open" }))
        .route("/masked", get(|| async { "masked" }).post(|| async { "masked" }))
        .route("/masked/{id}/item", post(|| async { "masked" }))
        .route("/masked/all/{*rest}", any(|| async { "masked" }))
}

/// The page of the application for what it does not have, which the gate answers with, too.
fn shared_page() -> Responder {
    Responder::new().not_found(|_| {
        let page = "<h1>lost?</h1>".repeat(20);
        let mut response = Response::new(Bytes::from(page));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert("content-type", "text/html".parse().unwrap());
        response.headers_mut().insert("etag", "\"lost\"".parse().unwrap());
        response
    })
}

/// One layer of every kind that stands around applications.
macro_rules! layers {
    () => {{
        let small_too = SizeAbove::new(1);
        let id = HeaderName::from_static("x-request-id");
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::new(id.clone(), MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(id))
            .layer(TraceLayer::new_for_http())
            .layer(CorsLayer::permissive())
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(30)))
            .layer(CompressionLayer::new().compress_when(small_too))
            .layer(CatchPanicLayer::new())
    }};
}

async fn servers() -> Vec<(&'static str, SocketAddr)> {
    let own = || app().fallback(|| async { (StatusCode::NOT_FOUND, [("x-app", "1")], "the application's own") });
    let body = |app| {
        Served::new(tower::ServiceExt::map_response(app, |response: Response<_>| response.map(axum::body::Body::new)))
    };
    vec![
        ("outside", serve(gate(Responder::new()).protect(app()).layer(layers!())).await),
        ("inside", serve(gate(Responder::new()).protect(app().layer(layers!()))).await),
        ("on both sides", serve(gate(Responder::new()).protect(app().layer(layers!())).layer(layers!())).await),
        ("own fallback, outside", serve(gate(Responder::new()).protect(own()).layer(layers!())).await),
        ("own fallback, inside", serve(gate(Responder::new()).protect(own().layer(layers!()))).await),
        ("shared page, outside", serve(gate(shared_page()).protect(own()).layer(layers!())).await),
        ("shared page, inside", serve(gate(shared_page()).protect(own().layer(layers!()))).await),
        (
            "around any body, inside",
            serve(body(gate(Responder::new()).any_body().layer(Served::new(own().layer(layers!()))))).await,
        ),
    ]
}

#[tokio::test]
async fn over_http1_the_bytes_are_the_same() {
    let mut compared = 0;
    for (stack, server) in servers().await {
        for method in METHODS {
            for manners in MANNERS {
                for role in [None, Some("viewer")] {
                    for (masked, missing) in PAIRS {
                        let bytes = |target: &str| {
                            let ask = manners
                                .iter()
                                .fold(Ask::new(method, target), |ask, (name, value)| ask.header(name, value));
                            let ask = role.map_or(ask.clone(), |role| ask.clone().role(role));
                            async move { without_date(&ask.raw(server).await) }
                        };
                        let answer = bytes(masked).await;
                        assert_eq!(answer, bytes(missing).await, "{stack}: {method} {masked} {manners:?} {role:?}");
                        compared += 1;
                    }
                }
            }
        }
    }
    println!("{compared} masked answers compared with missing ones");
}

/// The bytes, which may be compressed, without the line of the date.
fn without_date(raw: &[u8]) -> Vec<Vec<u8>> {
    let lines = raw.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec);
    lines.filter(|line| !line.to_ascii_lowercase().starts_with(b"date: ")).collect()
}

#[tokio::test]
async fn over_http2_the_headers_and_bodies_are_the_same() {
    for (stack, server) in servers().await {
        for method in METHODS {
            for manners in MANNERS {
                for who in [None, Some("Role viewer")] {
                    for (masked, missing) in PAIRS {
                        let answer = |target| {
                            let request = http2::request(method, server, target);
                            let headers = manners.iter().copied().chain(who.map(|who| ("authorization", who)));
                            let request = headers.fold(request, |request, (name, value)| request.header(name, value));
                            http2::send(server, request.body(()).unwrap())
                        };
                        let (one, other) = (answer(masked).await.without_date(), answer(missing).await.without_date());
                        assert_eq!(one, other, "{stack}: {method} {masked} {manners:?} {who:?}");
                    }
                }
            }
        }
    }
}

/// The comparisons above would pass if everything were answered alike.
#[tokio::test]
async fn those_who_have_the_right_are_answered_otherwise() {
    for (stack, server) in servers().await {
        for (method, target) in [("GET", "/masked"), ("POST", "/masked/7/item"), ("PURGE", "/masked/all/a")] {
            let answer = Ask::new(method, target).role("admin").send(server).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "masked"), "{stack}: {method} {target}");
        }
        let compressed = Ask::get("/absent").header("accept-encoding", "gzip").send(server).await;
        let encoding = compressed.header("content-encoding");
        let outside = stack.ends_with("outside") || stack.contains("both");
        assert_eq!(encoding, outside.then_some("gzip"), "{stack}: {compressed:?}");
    }
}
