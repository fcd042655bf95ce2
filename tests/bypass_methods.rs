//! No method leads past the layer, standard or not, over HTTP/1 and HTTP/2: what a route lists decides.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use axum::Router;
use hyper::ext::Protocol;
use support::{
    Ask,
    bypass::METHODS,
    http2, serve,
    shapes::{FORMS, POLICIES, reached, routes},
};
use tower::Layer;
use tower_http::cors::CorsLayer;

#[tokio::test]
async fn no_method_reaches_a_handler_whose_right_the_caller_lacks() {
    let mut reachable = 0;
    for form in FORMS {
        let alone = serve((form.attach)(routes(), None)).await;
        for (policy, text) in POLICIES {
            let guarded = serve((form.attach)(routes(), Some(form.layer(text)))).await;
            for method in METHODS {
                let ask = Ask::new(method, form.target(b"/admin/key"));
                reachable += usize::from(reached(&ask.send(alone).await));
                for ask in [ask.clone(), ask.clone().role("viewer")] {
                    let answer = ask.send(guarded).await;
                    let refused = answer.status.is_client_error() && !reached(&answer);
                    assert!(refused, "{}, {policy}: {ask:?} {answer:?}", form.name);
                }
            }
        }
    }
    let all_but_connect = METHODS.len() - 1;
    assert!(reachable >= FORMS.len() * POLICIES.len() * all_but_connect, "{reachable}");
}

#[tokio::test]
async fn only_the_methods_that_a_route_lists_reach_its_handler() {
    let policy = r#"{ "version": 1, "roles": { "admin": {} }, "routes": {
        "GET /admin": "public", "DELETE /admin": "admin", "PURGE /admin": "admin" } }"#;
    let layer = support::shapes::layer(policy);
    for server in
        [serve(layer.protect(routes())).await, serve(layer.layer(routes())).await, serve(routes().layer(layer)).await]
    {
        for method in METHODS.iter().filter(|method| **method != "CONNECT") {
            let expected = match *method {
                "GET" | "HEAD" => 200,
                "DELETE" | "PURGE" => 401,
                _ => 405,
            };
            let answer = Ask::new(method, "/admin").send(server).await;
            assert_eq!(answer.status, expected, "{method} {answer:?}");
            assert_eq!(reached(&answer), expected == 200, "{method} {answer:?}");
            if expected == 405 {
                assert_eq!(answer.header("allow"), Some("DELETE, GET, HEAD, PURGE"), "{method} {answer:?}");
            }
        }
        let authority = Ask::new("CONNECT", "example:80").send(server).await;
        assert_eq!((authority.status.as_u16(), reached(&authority)), (400, false), "{authority:?}");
    }
}

#[tokio::test]
async fn http2_knows_no_way_around_either() {
    for form in FORMS {
        let alone = serve((form.attach)(routes(), None)).await;
        let guarded = serve((form.attach)(routes(), Some(form.layer(POLICIES[1].1)))).await;
        for (method, protocol) in [("GET", None), ("HEAD", None), ("FOO", None), ("CONNECT", Some("websocket"))] {
            let ask = |server, path: &[u8]| {
                let path = String::from_utf8(form.target(path)).unwrap();
                let mut request = http2::request(method, server, &path).body(()).unwrap();
                if let Some(protocol) = protocol {
                    request.extensions_mut().insert(Protocol::from_static(protocol));
                }
                http2::send(server, request)
            };
            for path in ["/admin/key", "//admin/key", "/%61dmin/key", "/admin;x/key"] {
                let answer = ask(guarded, path.as_bytes()).await;
                let refused = answer.status.is_client_error() && !reached(&answer);
                assert!(refused, "{}: {method} {path} {answer:?}", form.name);
            }
            assert!(reached(&ask(alone, b"/admin/key").await), "{}: {method}", form.name);
        }
    }
}

/// A preflight as browsers send it.
fn preflight() -> Ask {
    Ask::new("OPTIONS", "/admin")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
}

#[tokio::test]
async fn preflights_are_answered_by_a_cors_layer_outside_and_denied_without_one() {
    let layer = || support::shapes::layer(POLICIES[0].1);
    let outside: Router = layer().protect(routes()).layer(CorsLayer::permissive()).into_router();
    let answer = preflight().send(serve(outside).await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(!reached(&answer));

    for inside in
        [serve(layer().protect(routes().layer(CorsLayer::permissive()))).await, serve(layer().protect(routes())).await]
    {
        let answer = preflight().send(inside).await;
        assert_eq!((answer.status.as_u16(), reached(&answer)), (401, false), "{answer:?}");
    }
}
