//! What handlers learn about the caller, and what becomes of the denials that they return.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{HeaderValue, Request, StatusCode, header};
use tower::{Layer, util::BoxCloneSyncService};
use tower_authz::{Access, Denial, Guard, Identify, Principal, respond::Responder};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};
use tracing::Level;

use super::{
    callers::{builder, caller, layer},
    support::{Answer, Ask, Events, serve},
};

const POLICY: &str = r#"{ "version": 1,
    "roles": { "viewer": { "permissions": ["doc:read"] }, "editor": { "inherits": ["viewer"], "permissions": ["doc:write"] } },
    "routes": { "ANY /{*path}": "authenticated", "ANY /open/{*path}": "public", "ANY /none/{*path}": "nobody" },
    "unlisted": "not_found" }"#;

type App = BoxCloneSyncService<Request<Body>, Response, Infallible>;

async fn who(caller: Option<Principal>) -> String {
    caller.map_or("nobody".into(), |caller| caller.subject().to_owned())
}

async fn name(caller: Principal) -> String {
    caller.subject().to_owned()
}

async fn write(access: Access) -> Result<String, Denial> {
    access.require("doc:write")?;
    Ok(access.policy().map_or("no policy".into(), |policy| policy.revision().to_owned()))
}

async fn edit(access: Access) -> Result<(), Denial> {
    access.require("editor")
}

async fn strange(access: Access) -> Result<(), Denial> {
    access.require("strange")
}

fn handlers() -> Router {
    let handlers = Router::new()
        .route("/who", get(who))
        .route("/name", get(name))
        .route("/write", get(write))
        .route("/edit", get(edit))
        .route("/strange", get(strange));
    Router::new().nest("/open", handlers.clone()).nest("/doc", handlers)
}

async fn ask(app: impl Into<App>, path: &str, who: &str) -> Answer {
    let to = serve(app.into()).await;
    let ask = if who.is_empty() { Ask::get(path) } else { Ask::get(path).header("authorization", who) };
    ask.send(to).await
}

fn protected() -> App {
    App::new(layer(POLICY).protect(handlers()))
}

fn identified() -> App {
    App::new(handlers().layer(Identify::new(caller)))
}

#[tokio::test]
async fn handlers_learn_who_calls_and_what_they_may() {
    for (path, who, behind_policy, literally) in [
        ("/who", "", 200, 200),
        ("/who", "Role viewer", 200, 200),
        ("/who", "Bad", 200, 401),
        ("/who", "Down", 200, 503),
        ("/name", "", 401, 401),
        ("/name", "Bad", 401, 401),
        ("/name", "Role viewer", 200, 200),
        ("/write", "", 401, 401),
        ("/write", "Role viewer", 403, 403),
        ("/write", "Role editor", 200, 403),
        ("/write", "Scope doc:write", 200, 200),
        ("/edit", "Role editor", 200, 200),
        ("/strange", "Role strange", 403, 200),
        // A role is no permission and a scope is no role, whoever says so.
        ("/write", "Role doc:write", 403, 403),
        ("/edit", "Scope editor", 403, 403),
        ("/strange", "Scope strange", 403, 403),
    ] {
        let path = format!("/open{path}");
        let policed = ask(protected(), &path, who).await;
        let alone = ask(identified(), &path, who).await;
        assert_eq!((policed.status.as_u16(), alone.status.as_u16()), (behind_policy, literally), "{path} {who}");
        for answer in [policed, alone].iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path} {who}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path} {who}");
            assert_eq!(answer.all("www-authenticate").len(), usize::from(answer.status == 401), "{path} {who}");
        }
    }
    let authz = layer(POLICY);
    let revision = super::callers::policy(POLICY).revision().to_owned();
    assert_eq!(ask(App::new(authz.protect(handlers())), "/doc/write", "Role editor").await.text(), revision);
    assert_eq!(ask(identified(), "/doc/write", "Scope doc:write").await.text(), "no policy");
}

#[tokio::test]
async fn a_name_that_the_policy_does_not_declare_is_told_to_the_operator() {
    let to = serve(protected()).await;
    let events = Events::record();
    assert_eq!(Ask::get("/doc/strange").header("authorization", "Role editor").send(to).await.status, 403);
    assert!(events.denial().field("authz.detail").unwrap().contains("the policy does not declare"));
}

#[tokio::test]
async fn what_a_handler_demands_and_the_caller_lacks_is_told_to_the_operator() {
    let to = serve(protected()).await;
    for (path, who, reason, name) in [
        ("/doc/write", "Role viewer", "insufficient-permission", "doc:write"),
        ("/doc/edit", "Role viewer", "insufficient-role", "editor"),
        ("/doc/strange", "Role editor", "insufficient-permission", "strange"),
    ] {
        let events = Events::record();
        let answer = Ask::get(path).header("authorization", who).send(to).await;
        assert!(answer.status == 403 && !answer.holds(name), "{path} {answer:?}");
        let denial = events.denial();
        assert_eq!(denial.field("authz.reason"), Some(reason), "{path}");
        assert_eq!((denial.field("authz.required"), denial.field("authz.missing")), (Some(name), Some(name)), "{path}");
    }
}

#[tokio::test]
async fn without_an_identity_layer_extractors_fail_loudly_and_once() {
    for path in ["/doc/who", "/doc/name", "/doc/edit"] {
        let to = serve(handlers()).await;
        let events = Events::record();
        let answer = Ask::get(path).header("authorization", "Role editor").send(to).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(!answer.text().contains("Identify"), "{}", answer.text());
        let denial = events.denial();
        assert_eq!((denial.level, denial.field("url.path")), (Level::ERROR, Some(path)));
        assert!(denial.field("authz.detail").unwrap().contains("put an `AuthzLayer`, or `Identify`, outside"));
    }
}

/// Something between gate and handler that loses what the gate has left in the request.
async fn forgetful(mut request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    request.extensions_mut().clear();
    next.run(request).await
}

#[tokio::test]
async fn an_identity_that_was_lost_on_the_way_is_reported_once_too() {
    let guarded = Router::new().route("/open/guarded", get(|| async {}).route_layer(Guard::authenticated()));
    let app = handlers().merge(guarded).layer(axum::middleware::from_fn(forgetful));
    let to = serve(layer(POLICY).protect(app)).await;
    for path in ["/open/name", "/open/guarded"] {
        let events = Events::record();
        assert_eq!(Ask::get(path).header("authorization", "Role editor").send(to).await.status, 500, "{path}");
        assert_eq!(events.denial().field("authz.reason"), Some("internal-error"), "{path}");
    }
}

#[tokio::test]
async fn a_denial_is_a_complete_safe_answer_by_itself() {
    let app = Router::new()
        .route("/401", get(|| async { Denial::unauthenticated().detail("secret detail") }))
        .route("/403", get(|| async { Denial::forbidden().message("Not yours.").detail("secret detail") }))
        .route("/404", get(|| async { Denial::forbidden().message("Not yours.").masked() }));
    let to = serve(app).await;
    for (path, status, detail) in
        [("/401", 401, "Authentication is required."), ("/403", 403, "Not yours."), ("/404", 404, "")]
    {
        let answer = Ask::get(path).send(to).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.all("www-authenticate").len(), usize::from(status == 401));
        assert!(!answer.holds("secret detail") && (status != 404 || !answer.holds("Not yours.")));
        if !detail.is_empty() {
            assert_eq!(answer.json()["detail"], detail);
        }
        let head = Ask::new("HEAD", path).send(to).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (status, 0));
    }
}

fn denying(denial: fn() -> Denial) -> Router {
    let handler = move || async move { ([("set-cookie", "a=1"), ("x-own", "1"), ("etag", "\"1\"")], denial()) };
    Router::new()
        .route("/doc/x", any(handler))
        .layer(SetResponseHeaderLayer::appending(header::SET_COOKIE, HeaderValue::from_static("b=2")))
        .layer(SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("origin")))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("public")))
        .layer(CompressionLayer::new())
}

fn responder() -> Responder {
    Responder::new().custom(|denial, _| {
        let mut response = http::Response::new(bytes::Bytes::from(format!("gate says {}", denial.status())));
        *response.status_mut() = denial.status();
        response.headers_mut().insert("x-gate", HeaderValue::from_static("1"));
        response
    })
}

#[tokio::test]
async fn the_gate_answers_again_and_keeps_what_others_have_added() {
    let authz = builder(POLICY).responder(responder()).build().unwrap();
    let denial = || Denial::forbidden().message("Not yours.");
    for app in [App::new(authz.protect(denying(denial))), App::new(authz.layer(denying(denial)))] {
        let to = serve(app).await;
        let events = Events::record();
        let answer =
            Ask::get("/doc/x").header("authorization", "Role viewer").header("accept-encoding", "gzip").send(to).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (403, "gate says 403 Forbidden"));
        assert_eq!(answer.all("set-cookie"), ["a=1", "b=2"]);
        assert_eq!((answer.header("x-own"), answer.header("x-gate")), (Some("1"), Some("1")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.all("vary").contains(&"origin"), "{answer:?}");
        for gone in ["content-encoding", "content-type", "etag"] {
            assert_eq!(answer.header(gone), None, "{gone}");
        }
        assert_eq!(events.denial().field("http.response.status_code"), Some("403"));
    }
}

#[tokio::test]
async fn what_the_inner_answer_had_of_its_own_is_gone() {
    let inner = Responder::new().login_redirect("/login").custom(|denial, _| {
        let mut response = http::Response::new(bytes::Bytes::from_static(b"inner"));
        *response.status_mut() = denial.status();
        response.headers_mut().insert("x-inner", HeaderValue::from_static("1"));
        response.headers_mut().insert("vary", HeaderValue::from_static("accept"));
        response
    });
    let guarded = Router::new().route("/doc/x", get(|| async {}).route_layer(Guard::role("editor")));
    let identify = Identify::with(caller, inner, tower_authz::report::TracingReporter::new());
    let origin = SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("origin"));
    let to = serve(layer(POLICY).protect(guarded.layer(identify).layer(origin))).await;
    let answer = Ask::get("/doc/x").header("authorization", "Role viewer").send(to).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-inner")), (403, None));
    assert_eq!(answer.all("vary"), ["accept", "origin"], "each once, and what others have added");
    assert!(!answer.holds("inner"));
}

#[tokio::test]
async fn a_grpc_denial_of_a_guard_states_its_status_once() {
    let guarded = Router::new().route("/doc/x", any(|| async {}).layer(Guard::role("editor")));
    let to = serve(layer(POLICY).protect(guarded)).await;
    let call =
        Ask::new("POST", "/doc/x").header("authorization", "Role viewer").header("content-type", "application/grpc");
    let answer = call.send(to).await;
    assert_eq!((answer.all("grpc-status"), answer.all("grpc-message").len()), (vec!["7"], 1));
}

#[tokio::test]
async fn head_and_accept_are_respected_when_the_gate_answers_again() {
    let denial = || Denial::forbidden().message("Not yours.");
    for app in [
        App::new(layer(POLICY).protect(denying(denial))),
        App::new(layer(POLICY).layer(denying(denial))),
        App::new(Identify::new(caller).layer(denying(denial))),
    ] {
        let to = serve(app).await;
        for (accept, kind) in [
            ("*/*", "application/problem+json"),
            ("text/html", "text/html; charset=utf-8"),
            ("text/plain", "text/plain; charset=utf-8"),
        ] {
            let ask =
                |method| Ask::new(method, "/doc/x").header("authorization", "Role viewer").header("accept", accept);
            let (get, head) = (ask("GET").send(to).await, ask("HEAD").send(to).await);
            assert_eq!((get.status.as_u16(), get.header("content-type")), (403, Some(kind)));
            assert!(get.holds("Not yours.") && get.all("vary").contains(&"accept"), "{get:?}");
            assert!(head.body.is_empty());
            assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()));
            let but_date = |answer: &Answer| answer.clone().without_date().headers;
            assert_eq!(but_date(&get), but_date(&head));
        }
    }
}

const LISTED: &str = r#"{ "version": 1, "routes": { "ANY /doc/x": "authenticated" } }"#;

#[tokio::test]
async fn a_masked_denial_of_a_handler_is_a_path_that_does_not_exist() {
    let masked = || Denial::forbidden().message("Not yours.").masked();
    let not_found = Responder::new().not_found(|_| {
        let mut response = http::Response::new(bytes::Bytes::from_static(b"nothing here"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    });
    for responder in [Responder::new(), not_found, Responder::new().disclose(true)] {
        let authz = builder(LISTED).responder(responder).build().unwrap();
        for app in [App::new(authz.protect(denying(masked))), App::new(authz.layer(denying(masked)))] {
            let to = serve(app).await;
            for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                let ask = |path| Ask::new(method, path).header("authorization", "Role viewer");
                let answer = ask("/doc/x").raw_without_date(to).await;
                assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("set-cookie"), "{answer}");
                assert_eq!(answer, ask("/doc/y").raw_without_date(to).await, "{method}");
            }
            let events = Events::record();
            Ask::get("/doc/x").header("authorization", "Role viewer").send(to).await;
            let denial = events.denial();
            assert_eq!(denial.level, Level::WARN);
            assert_eq!(denial.field("http.response.status_code"), Some("404"));
            assert_eq!(denial.field("authz.status.unmasked"), Some("403"));
        }
    }
}

/// A handler may look at the denial of another service and answer something else.
#[tokio::test]
async fn a_response_that_is_made_anew_is_not_answered_again() {
    let app = Router::new().route("/doc/x", get(|| async { Denial::forbidden().into_response().into_body() }));
    let to = serve(layer(POLICY).protect(app)).await;
    let events = Events::record();
    let answer = Ask::get("/doc/x").header("authorization", "Role viewer").send(to).await;
    assert_eq!(answer.status, 200);
    assert!(events.take().iter().all(|event| event.message != "access denied"));
}
