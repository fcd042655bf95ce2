//! No header leads past the layer, and none that says who is calling reaches the service behind it.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use axum::{Router, routing::any};
use http::HeaderMap;
use support::{
    Ask,
    bypass::OVERRIDES,
    http2, serve,
    shapes::{FORMS, POLICIES, reached, routes},
};
use tower_authz::{
    AuthzLayer, Policy,
    authn::{Separator, TrustedHeaders},
};

#[tokio::test]
async fn headers_that_override_the_route_or_the_method_are_never_read() {
    for form in FORMS {
        for (policy, text) in POLICIES {
            let guarded = serve((form.attach)(routes(), Some(form.layer(text)))).await;
            for (name, value) in OVERRIDES {
                for method in ["GET", "POST"] {
                    let answer = Ask::new(method, form.target(b"/admin/key")).header(name, value).send(guarded).await;
                    let refused = answer.status == 401 && !reached(&answer);
                    assert!(refused, "{}, {policy}: {method} with {name}: {answer:?}", form.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn the_authority_of_a_request_changes_nothing() {
    let guarded = serve(support::shapes::layer(POLICIES[1].1).protect(routes())).await;
    for host in ["", "localhost", "example/admin", "/open", "example#", "[::1]", "127.0.0.1:1"] {
        let answer = Ask::get("/admin/key").header("host", host).send(guarded).await;
        assert!(answer.status.is_client_error() && !reached(&answer), "{host}: {answer:?}");
    }
    let request = http2::request("GET", guarded, "/admin/key").header("host", "localhost").body(()).unwrap();
    assert_eq!(http2::send(guarded, request).await.status, 401);
}

/// An application that lists the headers it was sent, behind a layer that believes `x-user` and `x-roles` of `proxy`.
fn behind(proxy: &str) -> Router {
    let listing = |headers: HeaderMap| async move {
        let mut names: Vec<_> = headers.keys().map(|name| format!("[{name}]")).collect();
        names.sort();
        names.concat()
    };
    let policy =
        r#"{ "version": 1, "roles": { "admin": {} }, "routes": { "GET /open": "public", "GET /admin": "admin" } }"#;
    let headers =
        TrustedHeaders::from_proxies([proxy]).subject("x-user").roles("x-roles", Separator::Comma).build().unwrap();
    let layer = AuthzLayer::builder(Policy::from_json_str(policy).unwrap()).authenticator(headers).build().unwrap();
    layer.protect(Router::new().route("/open", any(listing)).route("/admin", any(listing))).into_router()
}

#[tokio::test]
async fn identity_headers_count_only_if_a_trusted_proxy_sent_them_unmistakably() {
    let (trusting, strict) = (serve(behind("127.0.0.1")).await, serve(behind("10.0.0.0/8")).await);
    let rows: &[(&[(&str, &str)], u16)] = &[
        (&[], 401),
        (&[("x-user", "ada"), ("x-roles", "admin")], 200),
        (&[("X-User", "ada"), ("X-ROLES", "viewer, admin")], 200),
        (&[("x-user", "ada")], 403),
        (&[("x-roles", "admin")], 401),
        (&[("x-user", ""), ("x-roles", "admin")], 401),
        (&[("x-user", "ada"), ("x-user", "ada"), ("x-roles", "admin")], 400),
        (&[("x-user", "ada"), ("x-roles", "viewer"), ("x-roles", "admin")], 400),
        (&[("x-user", "ada"), ("x-roles", "viewer"), ("x_roles", "admin")], 400),
        (&[("x-user", "ada"), ("X_Roles", "admin")], 400),
        (&[("x_user", "ada"), ("x_roles", "admin")], 400),
        (&[("x-user", "ada"), ("x-roles", "admin"), ("connection", "x-roles")], 400),
        (&[("x-user", "ada"), ("x-roles", "admin"), ("connection", "close, X-User")], 400),
    ];
    for (headers, status) in rows {
        let ask = headers.iter().fold(Ask::get("/admin"), |ask, (name, value)| ask.header(name, value));
        let answer = ask.send(trusting).await;
        assert_eq!(answer.status, *status, "{headers:?} {answer:?}");
        let answer = ask.send(strict).await;
        assert_eq!(answer.status, 401, "{headers:?} {answer:?}");
    }
}

#[tokio::test]
async fn identity_headers_never_reach_the_service() {
    for server in [serve(behind("127.0.0.1")).await, serve(behind("10.0.0.0/8")).await] {
        for name in ["x-user", "X-User", "x_user", "x-roles", "x_roles", "X_ROLES", "x.roles"] {
            let answer = Ask::get("/open").header(name, "admin").header("x-other", "x").send(server).await;
            let seen = answer.text().to_ascii_lowercase();
            assert!(!seen.contains(&format!("[{}]", name.to_ascii_lowercase())), "{name}: {answer:?}");
            assert!(answer.status != 200 || seen.contains("[x-other]"), "{name}: {answer:?}");
        }
    }
    let answer =
        Ask::get("/open").header("x-user", "ada").header("x-other", "x").send(serve(behind("127.0.0.1")).await).await;
    assert_eq!(answer.text(), "[connection][host][x-other]");
}
