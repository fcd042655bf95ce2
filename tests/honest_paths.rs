//! A caller with the right is not refused because a path looks strange: what honest clients send gets through, and
//! reaches the service as it was sent.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use axum::{
    Router,
    extract::Path,
    routing::{any, get},
};
use http::Uri;
use support::{
    Ask,
    bypass::HONEST,
    serve,
    shapes::{FORMS, by_header, layer},
};
use tower::Layer;
use tower_authz::{AuthzLayer, Head, Policy, Principal};

const EVERYTHING: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": {
    "ANY /": "viewer", "ANY /{*rest}": "viewer" } }"#;

const SEGMENTS: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": {
    "ANY /{a}": "viewer", "ANY /{a}/{b}": "viewer", "ANY /{a}/{b}/{c}": "viewer" } }"#;

fn echo() -> Router {
    Router::new().fallback(|uri: Uri| async move { uri.to_string() })
}

#[tokio::test]
async fn honest_paths_get_through_in_every_form() {
    for form in FORMS {
        for policy in [EVERYTHING, SEGMENTS] {
            let alone = serve((form.attach)(echo(), None)).await;
            let guarded = serve((form.attach)(echo(), Some(form.layer(policy)))).await;
            for target in HONEST.iter().map(|target| form.target(target)) {
                let expected = Ask::get(&target).send(alone).await.without_date();
                let answer = Ask::get(&target).role("viewer").send(guarded).await.without_date();
                assert_eq!(expected.status, 200, "{} {}", form.name, target.escape_ascii());
                assert_eq!(answer, expected, "{} {}", form.name, target.escape_ascii());
                let denied = Ask::get(&target).send(guarded).await;
                assert_eq!(denied.status, 401, "{} {}", form.name, target.escape_ascii());
            }
        }
    }
}

#[tokio::test]
async fn strange_parameters_reach_the_handler_that_a_rule_names() {
    let policy = r#"{ "version": 1, "routes": {
        "GET /users/{id}": { "claims": { "sub": "{id}" } }, "GET /files/{*path}": "authenticated" } }"#;
    let app = Router::new()
        .route("/users/{id}", get(|Path(id): Path<String>| async move { id }))
        .route("/files/{*path}", any(|Path(path): Path<String>| async move { path }));
    let rows: &[(&str, &str, &str)] = &[
        ("/users/auth0%7C12", "auth0|12", "auth0|12"),
        ("/users/caf%C3%A9", "café", "café"),
        ("/users/a%20b", "a b", "a b"),
        ("/users/x@y.example", "x@y.example", "x@y.example"),
        ("/users/100%25", "100%", "100%"),
        ("/users/a..b", "a..b", "a..b"),
        ("/files/.well-known/x", "ada", ".well-known/x"),
        ("/files/x;v=1", "ada", "x;v=1"),
        ("/files/a/b%20c", "ada", "a/b c"),
    ];
    for (target, subject, seen) in rows {
        let guarded = for_subject(policy, subject).protect(app.clone());
        let answer = Ask::get(target).send(serve(guarded).await).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, *seen), "{target}");
    }
}

/// The honest who are kept out: the path is read decoded twice as well, and nobody is both.
#[tokio::test]
async fn a_parameter_that_has_escapes_even_when_it_is_decoded_equals_nobody() {
    let policy = r#"{ "version": 1, "routes": { "GET /users/{id}": { "claims": { "sub": "{id}" } } } }"#;
    for subject in ["did:web:example%3A8443", "did:web:example:8443"] {
        let guarded = for_subject(policy, subject).protect(Router::new().route("/users/{id}", get(|| async {})));
        let answer = Ask::get("/users/did:web:example%253A8443").send(serve(guarded).await).await;
        assert_eq!(answer.status, 403, "{subject}");
    }
}

/// A layer behind which everybody is `subject`.
fn for_subject(policy: &str, subject: &str) -> AuthzLayer {
    let (policy, subject) = (Policy::from_json_str(policy).unwrap(), subject.to_owned());
    let somebody = move |_: Head<'_>| Principal::new(subject.clone());
    AuthzLayer::builder(policy).authenticator(somebody).build().unwrap()
}

/// axum matches the path as it comes, so its routes are written with escapes; policies may be written either way.
#[tokio::test]
async fn keys_may_be_written_with_escapes_or_with_what_they_stand_for() {
    let rows = [
        ("/100%25", "/100%25"),
        ("/100%25", "/100%"),
        ("/a%20b", "/a%20b"),
        ("/a%20b", "/a b"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/caf%C3%A9", "/café"),
        ("/users/auth0%7C12", "/users/auth0%7C12"),
        ("/users/auth0%7C12", "/users/auth0|12"),
        ("/caf%C3%A9/{id}", "/café/{id}"),
        ("/caf%C3%A9/{*rest}", "/caf%C3%A9/{*rest}"),
        ("/a%2520b", "/a%2520b"),
        ("/50%", "/50%"),
        ("/a%zz", "/a%zz"),
        ("/a..b", "/a..b"),
        ("/.well-known/x", "/.well-known/x"),
    ];
    for (route, key) in rows {
        let policy =
            format!(r#"{{ "version": 1, "roles": {{ "viewer": {{}} }}, "routes": {{ "GET {key}": "viewer" }} }}"#);
        let app = || Router::new().route(route, get(|| async { "reached" }));
        let target = route.replace("{id}", "7").replace("{*rest}", "x/y");
        for server in [serve(layer(&policy).protect(app())).await, serve(layer(&policy).layer(app())).await] {
            let answer = Ask::get(&target).role("viewer").send(server).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "reached"), "{route} {key}");
            assert_eq!(Ask::get(&target).send(server).await.status, 401, "{route} {key}");
        }
    }
}

/// Whoever needs them switches them on, each for itself; what is let through is judged in every way that it may be read.
#[tokio::test]
async fn backslashes_and_control_characters_get_through_where_they_are_allowed() {
    const FILES: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": {} }, "routes": {
        "ANY /{*rest}": "viewer", "ANY /secret/{*rest}": "admin" } }"#;
    for (backslashes, controls) in [(false, false), (true, false), (false, true), (true, true)] {
        let builder = AuthzLayer::builder(Policy::from_json_str(FILES).unwrap()).authenticator(by_header);
        let builder = builder.allow_encoded_backslash(backslashes).allow_control_characters(controls);
        let server = serve(builder.build().unwrap().protect(echo())).await;
        let if_allowed = |allowed: bool, status: u16| if allowed { status } else { 400 };
        for (target, status) in [
            ("/a%5Cb", if_allowed(backslashes, 200)),
            ("/secret%5ckey", if_allowed(backslashes, 403)),
            ("/a%5C..%5Csecret%5Ckey", 400),
            ("/a%0Ab", if_allowed(controls, 200)),
            ("/secret/%09key", if_allowed(controls, 403)),
            ("/a%01%5Cb", if_allowed(backslashes && controls, 200)),
            ("/a%00b", 400),
        ] {
            let answer = Ask::get(target).role("viewer").send(server).await;
            let asked = format!("{target}, backslashes: {backslashes}, control characters: {controls}");
            assert_eq!(answer.status, status, "{asked}");
            assert_eq!(answer.text() == target, status == 200, "{asked}");
        }
    }
}

#[tokio::test]
async fn a_segment_parameter_may_be_an_argument_where_the_rule_is_the_same() {
    let layer = layer(r#"{ "version": 1, "roles": { "viewer": {} }, "routes": { "GET /{id}": "viewer" } }"#);
    let server = serve(layer.protect(Router::new().route("/{id}", get(|Path(id): Path<String>| async { id })))).await;
    let answer = Ask::get("/x;v=1").role("viewer").send(server).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "x;v=1"));
}
