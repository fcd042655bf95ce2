//! However an application is put together, what lies behind the layer stays behind it: routes that come late, paths that
//! were rewritten, requests that never crossed a socket.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
    routing::any,
};
use http::{Method, Request, Uri, uri::PathAndQuery};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use support::{
    Answer, Ask,
    bypass::CONFUSING,
    serve,
    shapes::{POLICIES, SECRET, Served, layer, reached, routes},
};
use tower::{Layer, ServiceExt};
use tower_http::normalize_path::NormalizePath;

const POLICY: &str = r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
    "ANY /": "public", "ANY /{*rest}": "public", "ANY /open/{*rest}": "public",
    "ANY /admin": "admin", "ANY /admin/{*rest}": "admin" } }"#;

type Guarded = (&'static str, fn() -> Served);

/// The routes behind the policy, by the name of the form in which the layer is attached.
const GUARDED: [Guarded; 3] = [
    ("protect", || Served::new(layer(POLICY).protect(routes()))),
    ("around", || Served::new(layer(POLICY).layer(routes()))),
    ("inside", || Served::new(routes().layer(layer(POLICY)))),
];

async fn secret() -> &'static str {
    SECRET
}

async fn without_right(app: Served, target: &str) -> Answer {
    let server = serve(app).await;
    let answer = Ask::get(target).role("viewer").send(server).await;
    let anonymous = Ask::get(target).send(server).await;
    assert!(!reached(&anonymous), "{target}: {anonymous:?}");
    answer
}

#[tokio::test]
async fn what_is_added_after_a_layer_was_attached_inside_is_guarded_by_a_layer_around() {
    let late = || {
        Router::new()
            .route("/open/x", any(|| async { "open" }))
            .layer(layer(POLICY))
            .route("/admin", any(secret))
            .merge(Router::new().route("/admin/merged", any(secret)))
            .nest("/admin/nested", Router::new().route("/x", any(secret)))
            .nest_service("/admin/service", any(secret))
            .fallback(secret)
    };
    let targets = ["/admin", "/admin/merged", "/admin/nested/x", "/admin/service/x", "/admin/nowhere"];
    for target in targets {
        let alone = Ask::get(target).send(serve(late()).await).await;
        assert!(reached(&alone), "{target}: {alone:?}");
        for guarded in [Served::new(layer(POLICY).protect(late())), Served::new(layer(POLICY).layer(late()))] {
            let answer = without_right(guarded, target).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{target}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_the_policy_does_not_list_is_not_found_though_the_application_has_it() {
    let app = || Router::new().route("/unlisted", any(secret)).fallback(secret);
    for guarded in [
        Served::new(layer(POLICIES[0].1).protect(app())),
        Served::new(layer(POLICIES[0].1).layer(app())),
        Served::new(app().layer(layer(POLICIES[0].1))),
    ] {
        for target in ["/unlisted", "/", "/nowhere", "/admins", "/Admin", "/openx"] {
            let answer = Ask::get(target).role("admin").send(serve(guarded.clone()).await).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (404, false), "{target}: {answer:?}");
        }
    }
}

/// Sends `/open/alias` to `/admin`, as a layer that rewrites does.
fn rewritten(mut request: Request<Body>) -> Request<Body> {
    if request.uri().path().starts_with("/open/alias") {
        *request.uri_mut() = Uri::from_static("/admin");
    }
    request
}

#[tokio::test]
async fn a_rewrite_between_two_routers_hides_neither_path() {
    for (form, guarded) in GUARDED {
        let stacks: [(&str, Router); 3] = [
            ("fallback", Router::new().fallback_service(guarded().map_request(rewritten))),
            ("wildcard", Router::new().route_service("/open/{*rest}", guarded().map_request(rewritten))),
            (
                "no router",
                Router::new().fallback_service(guarded()).layer(tower::util::MapRequestLayer::new(rewritten)),
            ),
        ];
        for (stack, app) in stacks {
            let answer = without_right(Served::new(app), "/open/alias").await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{form} {stack}: {answer:?}");
        }
    }
}

/// The other way around: outside it is `/admin`, and a rewrite makes it look open.
#[tokio::test]
async fn a_path_that_a_rewrite_made_look_open_is_still_what_the_client_asked_for() {
    fn opened(mut request: Request<Body>) -> Request<Body> {
        *request.uri_mut() = Uri::from_static("/open/x");
        request
    }
    /// Believes what the client asked for, as handlers do that read `OriginalUri`.
    async fn by_original(OriginalUri(uri): OriginalUri) -> &'static str {
        if uri.path() == "/admin" { SECRET } else { "open" }
    }
    let app = || Router::new().fallback(by_original);
    let outer = |inner: Served| Router::new().fallback_service(inner.map_request(opened));
    assert!(reached(&Ask::get("/admin").send(serve(outer(Served::new(app()))).await).await));
    for guarded in [
        Served::new(layer(POLICY).protect(app())),
        Served::new(layer(POLICY).layer(app())),
        Served::new(app().layer(layer(POLICY))),
    ] {
        let server = serve(outer(guarded)).await;
        let answer = Ask::get("/admin").role("viewer").send(server).await;
        assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{answer:?}");
        let open = Ask::get("/open/y").role("viewer").send(server).await;
        assert_eq!((open.status.as_u16(), open.text()), (200, "open"));
    }
}

#[tokio::test]
async fn a_layer_on_a_nested_router_knows_the_whole_path() {
    let policy = r#"{ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": {
        "ANY /key": "public", "ANY /": "public", "ANY /admin": "admin", "ANY /admin/key": "admin" } }"#;
    let inner = || Router::new().route("/", any(secret)).route("/key", any(secret));
    let stacks: [(&str, Router); 5] = [
        ("nest", Router::new().nest("/admin", inner().layer(layer(policy)))),
        ("nest_service", Router::new().nest_service("/admin", inner().layer(layer(policy)))),
        ("nest_service around", Router::new().nest_service("/admin", layer(policy).layer(inner()))),
        ("nest_service protect", Router::new().nest_service("/admin", layer(policy).protect(inner()))),
        (
            "normalizing",
            Router::new().nest_service("/admin", NormalizePath::trim_trailing_slash(inner().layer(layer(policy)))),
        ),
    ];
    for (stack, app) in stacks {
        let server = serve(app).await;
        for target in ["/admin", "/admin/key"] {
            let denied = Ask::get(target).role("viewer").send(server).await;
            assert_eq!((denied.status.as_u16(), reached(&denied)), (403, false), "{stack} {target}: {denied:?}");
            let allowed = Ask::get(target).role("admin").send(server).await;
            assert_eq!((allowed.status.as_u16(), reached(&allowed)), (200, true), "{stack} {target}: {allowed:?}");
        }
        let trailing = Ask::get("/admin/key/").role("admin").send(server).await;
        assert_eq!(reached(&trailing), stack == "normalizing", "{stack}: {trailing:?}");
        let trailing = Ask::get("/admin/key/").role("viewer").send(server).await;
        assert!(trailing.status.is_client_error() && !reached(&trailing), "{stack}: {trailing:?}");
    }
}

/// Requests that a program makes, with targets that no socket lets through.
#[tokio::test]
async fn requests_dispatched_in_process_are_judged_like_any_other() {
    let odd = |path: &'static str| {
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        Uri::from_parts(parts).ok()
    };
    let uris: Vec<Uri> = CONFUSING
        .iter()
        .flat_map(|(_, targets)| *targets)
        .filter_map(|target| std::str::from_utf8(target).ok())
        .flat_map(|target| [target.parse().ok(), odd(target)])
        .flatten()
        .collect();
    assert!(uris.len() > 200, "{}", uris.len());
    for (policy, text) in POLICIES {
        for guarded in [
            Served::new(layer(text).protect(routes())),
            Served::new(layer(text).layer(routes())),
            Served::new(routes().layer(layer(text))),
        ] {
            for uri in &uris {
                let mut request = Request::new(Body::empty());
                *request.uri_mut() = uri.clone();
                let response = guarded.clone().oneshot(request).await.unwrap();
                let seen = response.headers().contains_key("x-reached");
                assert!(!seen, "{policy}: {uri:?} {response:?}");
            }
        }
    }
}

/// A handler that sends on the request it was called with, extensions and all, to another path of a guarded service.
#[tokio::test]
async fn a_request_sent_on_by_a_handler_is_judged_by_its_new_path_wherever_the_handler_lies() {
    for (form, guarded) in GUARDED {
        let send_on = move |mut request: Request<Body>| async move {
            *request.uri_mut() = Uri::from_static("/admin");
            guarded().oneshot(request).await.into_response()
        };
        let app = Router::new()
            .route("/open/x", any(send_on))
            .nest("/open/nest", Router::new().route("/x", any(send_on)).fallback(send_on))
            .nest("/open/nest/{id}", Router::new().route("/x", any(send_on)))
            .nest_service("/open/service", any(send_on))
            .fallback(send_on);
        let server = serve(app).await;
        for target in
            ["/open/x", "/open/nest/x", "/open/nest/y", "/open/nest/7/x", "/open/service", "/open/service/x", "/y"]
        {
            let answer = Ask::get(target).role("viewer").send(server).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{form} {target}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn paths_without_a_leading_slash_are_rejected_whoever_asks() {
    let app = Served::new(layer(POLICIES[3].1).protect(routes()));
    let asterisk = Uri::from_static("*");
    let authority = Uri::from_static("example:80");
    for (method, uri) in [(Method::OPTIONS, asterisk.clone()), (Method::GET, asterisk), (Method::CONNECT, authority)] {
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert("authorization", "Role admin".parse().unwrap());
        (*request.method_mut(), *request.uri_mut()) = (method, uri.clone());
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 400, "{uri:?}");
    }
}

#[tokio::test]
async fn an_exception_that_is_written_with_escapes_holds_for_every_spelling() {
    let decoding = || {
        Router::new().fallback(|uri: Uri| async move {
            let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
            if path == "/my files/café" { SECRET } else { "open" }
        })
    };
    for key in ["/my%20files/caf%C3%A9", "/my files/café", "/my%20files/{name}", "/my files/{*rest}"] {
        let policy = format!(
            r#"{{ "version": 1, "roles": {{ "admin": {{}}, "viewer": {{}} }}, "routes": {{
                "ANY /{{*rest}}": "public", "ANY {key}": "admin" }} }}"#
        );
        for target in
            ["/my%20files/caf%C3%A9", "/%6dy%20files/caf%c3%a9", "/my%20file%73/%63af%C3%A9", "/my%20files%2fcaf%C3%A9"]
        {
            assert!(reached(&Ask::get(target).send(serve(decoding()).await).await), "{target}");
            let answer = without_right(Served::new(layer(&policy).protect(decoding())), target).await;
            assert_eq!((answer.status.as_u16(), reached(&answer)), (403, false), "{key} {target}: {answer:?}");
        }
    }
}

/// Some decoders drop what they cannot decode, and dots come together.
#[tokio::test]
async fn what_cannot_be_decoded_keeps_no_dots_apart() {
    let dropping = || {
        Router::new().fallback(|uri: Uri| async move {
            let bytes: Vec<u8> = percent_encoding::percent_decode_str(uri.path()).collect();
            let path: String = bytes.utf8_chunks().map(|chunk| chunk.valid().replace('%', "")).collect();
            if path == "/open/../admin/key" { SECRET } else { "open" }
        })
    };
    let policy = r#"{ "version": 1, "routes": { "ANY /open/{*rest}": "public" } }"#;
    for target in ["/open/%../admin/key", "/open/.%./admin/key", "/open/..%ff/admin/key", "/open/%E9%2e%%2e/admin/key"]
    {
        assert!(reached(&Ask::get(target).send(serve(dropping()).await).await), "{target}");
        let answer = without_right(Served::new(layer(policy).protect(dropping())), target).await;
        assert_eq!((answer.status.as_u16(), reached(&answer)), (400, false), "{target}: {answer:?}");
    }
    for target in ["/open/a.%/key", "/open/.%C3%A9/key", "/open/100%25/key", "/open/caf%e9/key"] {
        let answer = Ask::get(target).send(serve(layer(policy).protect(dropping())).await).await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
    }
}

/// A real proxy in front of a real upstream that decodes what it is sent.
#[tokio::test]
async fn a_reverse_proxy_shows_no_upstream_page_to_those_without_the_right() {
    async fn forward(State(upstream): State<std::net::SocketAddr>, mut request: Request<Body>) -> Response {
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let Ok(uri) = format!("http://{upstream}{target}").parse() else { return "open".into_response() };
        *request.uri_mut() = uri;
        request.headers_mut().remove("host");
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        client.request(request).await.map_or_else(|_| "unreachable".into_response(), IntoResponse::into_response)
    }
    let upstream = support::shapes::SHAPES.iter().find(|shape| shape.name == "proxy that does it all").unwrap();
    let upstream = serve((upstream.app)()).await;
    let proxy = || Router::new().fallback(forward).with_state(upstream);
    let alone = serve(proxy()).await;
    let guarded = serve(layer(POLICY).protect(proxy())).await;
    let mut deceived = 0;
    for target in CONFUSING.iter().flat_map(|(_, targets)| *targets) {
        if reached(&Ask::get(target).send(alone).await) {
            deceived += 1;
            let answer = Ask::get(target).role("viewer").send(guarded).await;
            assert!(answer.status.is_client_error() && !reached(&answer), "{} {answer:?}", target.escape_ascii());
        }
    }
    assert!(deceived > 60, "{deceived}");
    assert!(reached(&Ask::get("/admin/key").role("admin").send(guarded).await));
}
