//! Routers read a prefix one way and what lies behind it another. Each row was a way around the layer, or kept somebody out
//! who had the right, until differential fuzzing found it.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use axum::{
    Router,
    body::Body,
    extract::Path,
    response::IntoResponse,
    routing::{any, get},
};
use http::{Request, Uri};
use support::{
    Ask,
    readers::{decode, parameterless, queryless},
    serve,
    shapes::{SECRET, Served, folder, layer, reached},
};
use tower::{Layer, ServiceExt};
use tower_http::{normalize_path::NormalizePath, services::ServeDir};

async fn secret() -> impl IntoResponse {
    ([("x-reached", "yes")], SECRET)
}

/// `service` behind a layer that reads the path in its own way.
fn read_by(step: fn(&str) -> String, service: Router) -> Served {
    Served::new(service.map_request(move |mut request: Request<Body>| {
        *request.uri_mut() = step(request.uri().path()).parse().unwrap_or(Uri::from_static("/"));
        request
    }))
}

/// Keys for admins, and who asks for what to get there: the application answers with the secret.
fn behind_prefixes() -> [(&'static str, &'static [u8], Router); 10] {
    let root = || Router::new().route("/", any(secret));
    let files = || ServeDir::new(folder().join("admin"));
    [
        ("/{tenant}", b"//", Router::new().nest_service("/{tenant}", root())),
        ("/a/{tenant}", b"/a//", Router::new().nest_service("/a/{tenant}", root())),
        (
            "/a/{x}/b",
            b"//a//b",
            Router::new()
                .fallback_service(NormalizePath::trim_trailing_slash(Router::new().route("/a/{x}/b", any(secret)))),
        ),
        ("/{tenant}/{id}", b"///7", Router::new().nest_service("/{tenant}", Router::new().route("/{id}", any(secret)))),
        (
            "/{tenant}/files/key",
            b"/a%2Fb/files/key%2F",
            Router::new().nest("/{tenant}", Router::new().nest_service("/files", files())),
        ),
        (
            "/{tenant}/key",
            b"/a%2Fb/key%2F",
            Router::new().nest_service(
                "/{tenant}",
                read_by(|path| decode(path).trim_end_matches('/').to_owned(), Router::new().route("/key", any(secret))),
            ),
        ),
        (
            "/{tenant}",
            b"/%23a/%3Fb",
            Router::new().nest_service("/{tenant}", read_by(|path| queryless(&decode(path)), root())),
        ),
        (
            "/a;b/key",
            b"/a;b/key;x",
            Router::new().nest_service("/a;b", read_by(parameterless, Router::new().route("/key", any(secret)))),
        ),
        (
            "/api/{tenant}/files/{name}/key",
            b"/api//files/key",
            Router::new().nest(
                "/api",
                Router::new().nest_service("/{tenant}/files", Router::new().route("/{name}/key", any(secret))),
            ),
        ),
        (
            "/a//b/b/key",
            b"/a//b/key",
            Router::new().nest("/a", Router::new().nest_service("//b", Router::new().route("/b/key", any(secret)))),
        ),
    ]
}

#[tokio::test]
async fn a_prefix_that_stays_as_it_is_hides_nothing_that_is_read_behind_it() {
    for (key, target, app) in behind_prefixes() {
        let policy = format!(
            r#"{{ "version": 1, "unlisted": "public", "roles": {{ "admin": {{}}, "viewer": {{}} }},
                  "routes": {{ "ANY {key}": "admin" }} }}"#
        );
        let name = target.escape_ascii();
        assert!(reached(&Ask::get(target).send(serve(app.clone()).await).await), "{key} {name}");
        for guarded in [Served::new(layer(&policy).layer(app.clone())), Served::new(layer(&policy).protect(app))] {
            let server = serve(guarded).await;
            let answer = Ask::get(target).role("viewer").send(server).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{key} {name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_gate_behind_a_prefix_that_axum_does_not_strip_lets_in_who_has_the_right() {
    let policy = r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
        "GET /v{version}/users": "viewer", "GET /api/v{version}/users": "viewer", "GET /x/{{a}}/users": "viewer",
        "GET /users": "admin" } }"#;
    let inner = || Router::new().route("/users", get(secret).layer(layer(policy)));
    let app = Router::new()
        .nest("/v{version}", inner())
        .nest("/api", Router::new().nest("/v{version}", inner()))
        .nest("/x/{{a}}", inner());
    let server = serve(app).await;
    for target in ["/v7/users", "/api/v7/users", "/x/{a}/users"] {
        let answer = Ask::get(target).role("viewer").send(server).await;
        assert!(reached(&answer), "{target}: {answer:?}");
        let answer = Ask::get(target).role("other").send(server).await;
        assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{target}: {answer:?}");
    }
}

/// An alias for what is nested under two parameters, of which the second stands for nothing in the path of the client.
#[tokio::test]
async fn a_parameter_that_a_rewrite_filled_is_not_taken_for_the_one_that_the_client_left_empty() {
    let policy = r#"{ "version": 1, "unlisted": "public", "roles": { "admin": {}, "viewer": {} },
        "routes": { "ANY /{tenant}/{id}": "admin" } }"#;
    let app = |handler| {
        let nested = Router::new().nest("/{tenant}/{id}", Router::new().route("/", handler));
        Router::new().fallback_service(nested.map_request(|mut request: Request<Body>| {
            if request.uri().path().starts_with("/alias") {
                *request.uri_mut() = Uri::from_static("/acme/7");
            }
            request
        }))
    };
    let target = b"/alias%3Fx=/";
    assert!(reached(&Ask::get(target).send(serve(app(any(secret))).await).await));
    let answer = Ask::get(target).role("viewer").send(serve(app(any(secret).layer(layer(policy)))).await).await;
    assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{answer:?}");
}

/// axum takes both slashes with the outer prefix, and `7` with the inner one, whose parameter stands for nothing.
#[tokio::test]
async fn a_parameter_that_stands_for_nothing_is_not_taken_for_the_segment_that_is_stripped() {
    let policy = r#"{ "version": 1, "unlisted": "public", "roles": { "viewer": {} }, "routes": {
        "ANY /api/{subject}": { "claims": { "sub": "{subject}" } } } }"#;
    let shown = |Path(subject): Path<String>| async move { ([("x-reached", "yes")], format!("of `{subject}`")) };
    let inner = Router::new().route("/", any(shown));
    let app = Router::new().nest("/api", Router::new().nest_service("/{subject}", inner));
    let target = b"/api//ada";
    assert!(Ask::get(target).send(serve(app.clone()).await).await.holds("of ``"));
    for guarded in [Served::new(layer(policy).layer(app.clone())), Served::new(layer(policy).protect(app))] {
        let server = serve(guarded).await;
        assert!(reached(&Ask::get(b"/api/ada").role("viewer").send(server).await));
        let answer = Ask::get(target).role("viewer").send(server).await;
        assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{answer:?}");
    }
}

/// A slash at the end makes no other path of it, so what the path without the prefix selects does not bind.
#[tokio::test]
async fn a_slash_that_is_appended_behind_a_prefix_is_no_rewrite() {
    let policy = r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
        "GET /{tenant}": "admin", "GET /{tenant}/{*rest}": "viewer" } }"#;
    let guarded = layer(policy).layer(Router::new().route("/{*rest}", get(secret)));
    let app = Router::new().nest_service("/{tenant}", NormalizePath::append_trailing_slash(guarded));
    let answer = Ask::get("/acme/users").role("viewer").send(serve(app).await).await;
    assert!(reached(&answer), "{answer:?}");
}

/// axum decodes the parameter of a prefix once, and the application what is behind the prefix as often as it likes.
#[tokio::test]
async fn a_parameter_is_not_taken_for_what_it_is_decoded_to_next() {
    let policy = r#"{ "version": 1, "unlisted": "public", "roles": { "viewer": {} }, "routes": {
        "ANY /{subject}/key": { "claims": { "sub": "{subject}" } } } }"#;
    let shown = |Path(subject): Path<String>| async move { ([("x-reached", "yes")], format!("of `{subject}`")) };
    let key = Router::new().route("/key", any(shown));
    let app = |reader| Router::new().nest_service("/{subject}", read_by(reader, key.clone()));
    let once: fn(&str) -> String = decode;
    let twice: fn(&str) -> String = |path| decode(&decode(path));
    let thrice: fn(&str) -> String = |path| decode(&decode(&decode(path)));
    let trimmed: fn(&str) -> String = |path| decode(path).trim_end_matches('/').to_owned();
    for (reader, target) in [
        (once, b"/ad%2561/%6Bey".as_slice()),
        (twice, b"/ad%2561/%256Bey"),
        (thrice, b"/ad%2561/%25256Bey"),
        (thrice, b"/%61d%2561/k%252565y"),
        (trimmed, b"/ad%2561/key%2F"),
        (once, b"/ad%2561/key%3Fx"),
    ] {
        let name = target.escape_ascii();
        let answer = Ask::get(target).send(serve(app(reader)).await).await;
        assert!(answer.holds("of `ad%61`"), "{name}: {answer:?}");
        for guarded in [Served::new(layer(policy).layer(app(reader))), Served::new(layer(policy).protect(app(reader)))]
        {
            let answer = Ask::get(target).role("viewer").send(serve(guarded).await).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{name}: {answer:?}");
        }
    }
}
