//! A masked route cannot be told from a path that no key matches: not by a byte, for no caller, method, format and
//! protocol.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::net::SocketAddr;

use axum::{
    Router,
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{Response, StatusCode};
use support::{Ask, http2, serve, shapes::by_header};
use tower::Layer;
use tower_authz::{AuthzLayer, Denial, Policy, respond::Responder};
use tower_http::normalize_path::NormalizePath;

const POLICY: &str = r#"{
    "version": 1,
    "realm": "billing",
    "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
    "routes": {
        "GET /": "public",
        "GET /open/{id}": "public",
        "ANY /masked": { "allow": "admin", "deny_as": "not_found" },
        "GET /masked/get": { "allow": "admin", "deny_as": "not_found" },
        "GET,POST /masked/{id}/item": { "allow": "admin", "deny_as": "not_found", "message": "for admins" },
        "ANY /masked/all/{*rest}": { "allow": ["admin", { "claims": { "plan": "pro" } }], "deny_as": "not_found" },
        "GET /half": "viewer",
        "DELETE /half": { "allow": "admin", "deny_as": "not_found" },
        "GET /by-handler": "public",
        "POST /by-guard": "authenticated"
    }
}"#;

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get"];

const ACCEPTS: &[&str] = &["*/*", "text/html", "text/plain", "application/json", "image/png"];

/// Masked targets, each beside one of the same spelling that no key matches.
const PAIRS: &[(&str, &str)] = &[
    ("/masked", "/nothing"),
    ("/masked/get", "/nothing/get"),
    ("/masked/7/item", "/nothing/7/item"),
    ("/masked/all/a/b", "/nothing/all/a/b"),
    ("/masked?x=1", "/nothing?x=1"),
    ("/masked/", "/nothing/"),
    ("//masked", "//nothing"),
    ("/%6dasked", "/%6eothing"),
    ("/masked;x", "/nothing;x"),
    ("/masked/7%2fitem", "/nothing/7%2fitem"),
];

fn layer(responder: Responder) -> AuthzLayer {
    let builder = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(by_header);
    builder.responder(responder).build().unwrap()
}

fn app() -> Router {
    let gone = || async { Err::<(), _>(Denial::forbidden().masked().message("secret").detail("secret")) };
    Router::new()
        .route("/masked", get(|| async { "masked" }).post(|| async { "masked" }))
        .route("/masked/get", get(|| async { "masked" }))
        .route("/masked/{id}/item", post(|| async { "masked" }))
        .route("/masked/all/{*rest}", any(|| async { "masked" }))
        .route("/half", get(|| async { "half" }).delete(|| async { "half" }))
        .route("/by-handler", get(gone))
        .route("/by-guard", post(gone))
        .route("/", get(|| async { "open" }))
}

fn own_page() -> Responder {
    Responder::new().not_found(|_| {
        let mut response = Response::new(Bytes::from_static(b"<h1>lost?</h1>"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert("content-type", "text/html".parse().unwrap());
        response
    })
}

async fn servers() -> Vec<(&'static str, SocketAddr)> {
    let new = || layer(Responder::new());
    vec![
        ("protect", serve(new().protect(app())).await),
        ("layer", serve(new().layer(app())).await),
        ("any body", serve(new().any_body().layer(app())).await),
        ("into_router", serve(new().protect(app()).into_router()).await),
        ("behind a router", serve(Router::new().fallback_service(new().protect(app()))).await),
        ("behind NormalizePath", serve(NormalizePath::trim_trailing_slash(new().protect(app()))).await),
        ("own page", serve(layer(own_page()).protect(app())).await),
        ("login", serve(layer(Responder::new().login_redirect("/login")).protect(app())).await),
        ("disclosing", serve(layer(Responder::new().disclose(true)).protect(app())).await),
    ]
}

#[tokio::test]
async fn over_http1_the_bytes_are_the_same() {
    for (stack, server) in servers().await {
        for method in METHODS {
            for accept in ACCEPTS {
                for role in [None, Some("viewer"), Some("unheard-of")] {
                    for (masked, missing) in PAIRS {
                        let bytes = |target: &str| {
                            let ask = Ask::new(method, target).header("accept", accept);
                            let ask = role.map_or(ask.clone(), |role| ask.clone().role(role));
                            async move { ask.raw_without_date(server).await }
                        };
                        let (masked_bytes, missing_bytes) = (bytes(masked).await, bytes(missing).await);
                        assert_eq!(masked_bytes, missing_bytes, "{stack}: {method} {masked} {accept} {role:?}");
                        assert!(masked_bytes.starts_with("HTTP/1.1 404 "), "{stack}: {method} {masked} {masked_bytes}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn over_http2_the_headers_and_bodies_are_the_same() {
    for (stack, server) in servers().await {
        for method in METHODS {
            for content_type in ["text/plain", "application/grpc"] {
                for (masked, missing) in PAIRS {
                    let answer = |target| {
                        let request = http2::request(method, server, target).header("content-type", content_type);
                        http2::send(server, request.body(()).unwrap())
                    };
                    let (masked_answer, missing_answer) =
                        (answer(masked).await.without_date(), answer(missing).await.without_date());
                    assert_eq!(masked_answer, missing_answer, "{stack}: {method} {masked} {content_type}");
                    let status = if content_type == "application/grpc" { 200 } else { 404 };
                    assert_eq!(masked_answer.status, status, "{stack}: {method} {masked} {content_type}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_denial_that_a_handler_masks_has_the_bytes_of_a_missing_path() {
    for (stack, server) in servers().await {
        for accept in ACCEPTS {
            for (method, target) in [("GET", "/by-handler"), ("HEAD", "/by-handler"), ("POST", "/by-guard")] {
                let bytes = |target: &str| {
                    let ask = Ask::new(method, target).header("accept", accept).role("viewer");
                    async move { ask.raw_without_date(server).await }
                };
                assert_eq!(bytes(target).await, bytes("/nothing").await, "{stack}: {method} {target} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn a_masked_method_of_a_visible_route_has_the_bytes_of_one_that_is_not_listed() {
    for (stack, server) in servers().await {
        for accept in ACCEPTS {
            let bytes = |method: &str| {
                let ask = Ask::new(method, "/half").header("accept", accept).role("viewer");
                async move { ask.raw_without_date(server).await }
            };
            let masked = bytes("DELETE").await;
            assert_eq!(masked, bytes("PUT").await, "{stack}: {accept}");
            assert!(
                masked.starts_with("HTTP/1.1 405 ") && masked.contains("\r\nallow: GET, HEAD\r\n"),
                "{stack}: {masked}"
            );
        }
    }
}

#[tokio::test]
async fn those_who_have_the_right_see_behind_the_mask() {
    for (stack, server) in servers().await {
        for (method, target) in
            [("GET", "/masked"), ("POST", "/masked/7/item"), ("PURGE", "/masked/all/a"), ("DELETE", "/half")]
        {
            let answer = Ask::new(method, target).role("admin").send(server).await;
            assert_eq!(answer.status, 200, "{stack}: {method} {target} {answer:?}");
        }
        let other = Ask::new("PUT", "/masked/7/item").role("admin").send(server).await;
        assert_eq!(other.status, 405, "{stack}: {other:?}");
    }
}
