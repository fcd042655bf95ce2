//! Section 8, field by field, over a real socket.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::any};
use http::HeaderName;
use tower_authz::{
    AuthzLayer, Denial, Guard, Principal,
    authn::{self, Client},
    report::{self, EventKind, Reporter},
};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::Level;

use super::{
    callers::{caller, policy},
    support::{Ask, Events, events::Event, http2, serve},
};

const POLICY: &str = r#"{ "version": 1, "realm": "billing",
    "roles": { "viewer": { "permissions": ["doc:read"] }, "admin": { "permissions": ["doc:write"] } },
    "routes": {
        "GET /open": "public",
        "GET /doc/{id}": { "allow": "doc:read", "name": "read documents" },
        "PUT /doc/{id}": { "allow": [{ "all_of": ["admin", "doc:write"] }], "message": "Ask an admin." },
        "PATCH /doc/{id}": ["admin", "viewer"],
        "GET /hidden/{id}": { "allow": "admin", "deny_as": "not_found" },
        "GET /guarded/{id}": "authenticated",
        "GET /handled/{id}": "authenticated" } }"#;

fn router() -> Router {
    let handled = |caller: Principal| async move { Denial::forbidden().detail(format!("not of {}", caller.subject())) };
    Router::new()
        .route("/guarded/{id}", any(|| async {}).layer(Guard::role("admin")))
        .route("/handled/{id}", any(handled))
        .fallback(|| async {})
}

async fn app() -> SocketAddr {
    let builder = AuthzLayer::builder(policy(POLICY)).authenticator(caller).client(Client::peer());
    let app = builder.build().unwrap().protect(router());
    serve(app.layer(PropagateRequestIdLayer::x_request_id()).layer(SetRequestIdLayer::x_request_id(MakeRequestUuid)))
        .await
}

/// What is in every event: who, from where, what, and under which policy.
fn common(event: &Event, request_id: &str) {
    for (field, value) in [
        ("authz.policy.revision", policy(POLICY).revision()),
        ("client.address", "127.0.0.1"),
        ("http.request.id", request_id),
    ] {
        assert_eq!(event.field(field), Some(value), "{field}");
    }
}

/// Method, target, who calls, level and fields of the event.
type Row = (&'static str, &'static str, &'static str, Level, &'static [(&'static str, Option<&'static str>)]);

const DENIALS: &[Row] = &[
    (
        "GET",
        "/doc/7?token=secret",
        "Role other",
        Level::WARN,
        &[
            ("authz.reason", Some("insufficient-permission")),
            ("authz.rule", Some("read documents")),
            ("authz.required", Some("doc:read")),
            ("authz.missing", Some("doc:read")),
            ("http.request.method", Some("GET")),
            ("http.route", Some("/doc/{id}")),
            ("url.path", Some("/doc/7")),
            ("http.response.status_code", Some("403")),
            ("authz.status.unmasked", Some("403")),
            ("user.id", Some("ada")),
            ("user.roles", Some("other")),
            ("authz.detail", None),
            ("authz.hint", None),
        ],
    ),
    (
        "PUT",
        "/doc/7",
        "Role viewer",
        Level::WARN,
        &[
            ("authz.reason", Some("insufficient-role")),
            ("authz.rule", Some("PUT /doc/{id}")),
            ("authz.missing", Some("admin, doc:write")),
        ],
    ),
    (
        "PATCH",
        "/doc/7",
        "Role other",
        Level::WARN,
        &[("authz.required", Some("admin | viewer")), ("authz.missing", Some("admin"))],
    ),
    (
        "GET",
        "/hidden/7",
        "Role viewer",
        Level::WARN,
        &[
            ("authz.reason", Some("insufficient-role")),
            ("http.route", Some("/hidden/{id}")),
            ("http.response.status_code", Some("404")),
            ("authz.status.unmasked", Some("403")),
        ],
    ),
    (
        "GET",
        "/doc/7",
        "",
        Level::INFO,
        &[
            ("authz.reason", Some("no-credentials")),
            ("http.response.status_code", Some("401")),
            ("user.id", None),
            ("user.roles", None),
        ],
    ),
    (
        "GET",
        "/doc/7",
        "Bad",
        Level::WARN,
        &[
            ("authz.reason", Some("invalid-credentials")),
            ("authz.detail", Some("expired")),
            ("http.response.status_code", Some("401")),
        ],
    ),
    (
        "PURGE",
        "/doc/7",
        "Role viewer",
        Level::INFO,
        &[
            ("authz.reason", Some("method-not-listed")),
            ("http.route", Some("/doc/{id}")),
            ("http.request.method", Some("_OTHER")),
            ("http.response.status_code", Some("405")),
        ],
    ),
    (
        "GET",
        "/doc/../open",
        "Role viewer",
        Level::WARN,
        &[("authz.reason", Some("path-rejected")), ("authz.detail", Some("the path has a dot segment"))],
    ),
    (
        "GET",
        "/none",
        "Role viewer",
        Level::INFO,
        &[("authz.reason", Some("not-listed")), ("authz.rule", None), ("http.route", None), ("user.id", Some("ada"))],
    ),
    (
        "GET",
        "/doc/%2e%2e/x",
        "Role viewer",
        Level::WARN,
        &[("authz.reason", Some("path-rejected")), ("http.response.status_code", Some("400")), ("user.id", None)],
    ),
    (
        "GET",
        "/guarded/7",
        "Role viewer",
        Level::WARN,
        &[
            ("authz.reason", Some("insufficient-role")),
            ("authz.required", Some("admin")),
            ("authz.missing", Some("admin")),
            ("user.id", Some("ada")),
        ],
    ),
    (
        "GET",
        "/handled/7",
        "Role viewer",
        Level::WARN,
        &[
            ("authz.reason", Some("condition-failed")),
            ("authz.detail", Some("not of ada")),
            ("url.path", Some("/handled/7")),
        ],
    ),
    ("OPTIONS", "/doc/7", "", Level::INFO, &[("authz.reason", Some("method-not-listed")), ("authz.hint", None)]),
];

#[tokio::test]
async fn every_field_of_a_denial_is_there() {
    let to = app().await;
    for (method, target, who, level, fields) in DENIALS {
        let events = Events::record();
        let asked = format!("{method} {target} {who}");
        let answer = Ask::new(method, *target).header("authorization", who).send(to).await;
        let events = events.take();
        let denials: Vec<_> = events.iter().filter(|event| event.message == "access denied").collect();
        let [denial] = denials[..] else { panic!("{asked}: {events:#?}") };
        let allowed = events.iter().filter(|event| event.message == "access allowed").count();
        assert_eq!(allowed, usize::from(target.starts_with("/guarded") || target.starts_with("/handled")), "{asked}");
        common(denial, answer.header("x-request-id").unwrap());
        assert_eq!(denial.level, *level, "{asked}");
        for (field, value) in [("event.name", Some("authz.denied")), ("authz.mode", Some("enforce"))] {
            assert_eq!(denial.field(field), value, "{asked}: {field}");
        }
        for (field, value) in *fields {
            assert_eq!(denial.field(field), *value, "{asked}: {field}");
        }
        assert!(denial.fields.values().all(|value| !value.contains("secret")), "{asked}");
    }
}

/// As for tower-http, which keeps what the client sends: a second one must not part the event from the trace.
#[tokio::test]
async fn of_two_request_ids_the_first_is_told() {
    let to = app().await;
    let events = Events::record();
    let ask = Ask::get("/doc/7").header("x-request-id", "one").header("x-request-id", "two");
    assert_eq!(ask.send(to).await.status, 401);
    assert_eq!(events.denial().field("http.request.id"), Some("one"));
}

#[tokio::test]
async fn a_request_without_an_id_is_told_without_one() {
    let to = serve(AuthzLayer::builder(policy(POLICY)).authenticator(caller).build().unwrap().protect(router())).await;
    for (id, told) in [(None, None), (Some(""), None), (Some("one"), Some("one"))] {
        let events = Events::record();
        let ask = id.map_or(Ask::get("/doc/7"), |id| Ask::get("/doc/7").header("x-request-id", id));
        assert_eq!(ask.send(to).await.status, 401);
        assert_eq!(events.denial().field("http.request.id"), told, "{id:?}");
    }
}

#[tokio::test]
async fn an_allowed_request_is_told_at_debug() {
    let to = app().await;
    for (target, who, user) in [("/doc/7", "Role viewer", Some("ada")), ("/open", "", None), ("/open", "Bad", None)] {
        let events = Events::record();
        let answer = Ask::get(target).header("authorization", who).send(to).await;
        assert_eq!(answer.status, 200);
        let events = events.take();
        let [allowed] = &events[..] else { panic!("{events:#?}") };
        common(allowed, answer.header("x-request-id").unwrap());
        assert_eq!((allowed.level, &*allowed.message), (Level::DEBUG, "access allowed"));
        assert_eq!((allowed.field("event.name"), allowed.field("user.id")), (Some("authz.allowed"), user));
        assert_eq!(allowed.field("http.response.status_code"), None);
    }
}

/// What was reported.
type Told = Arc<Mutex<Vec<EventKind>>>;

/// A sink that says whether it wants to hear of requests that are allowed.
struct Sink(Told, bool);

impl Reporter for Sink {
    fn report(&self, event: &report::Event<'_>) {
        self.0.lock().unwrap().push(event.kind());
    }

    fn wants_allowed(&self) -> bool {
        self.1
    }
}

#[tokio::test]
async fn a_sink_hears_of_allowed_requests_unless_it_does_not_want_to() {
    let told = Told::default();
    let closure = {
        let told = Arc::clone(&told);
        move |event: &report::Event<'_>| told.lock().unwrap().push(event.kind())
    };
    let shared = |wants| Arc::new(Sink(Arc::clone(&told), wants)) as Arc<dyn Reporter>;
    let with_candidates =
        POLICY.replace(r#""GET /open""#, r#""GET /new": { "allow": "admin", "shadow": "viewer" }, "GET /open""#);
    for policy in [policy(POLICY), policy(&with_candidates)] {
        let builder = || AuthzLayer::builder(policy.clone()).authenticator(caller).client(Client::peer());
        for (name, builder, wants) in [
            ("a closure", builder().reporter(closure.clone()), true),
            ("a sink that wants to", builder().reporter(Sink(Arc::clone(&told), true)), true),
            ("a sink that does not", builder().reporter(Sink(Arc::clone(&told), false)), false),
            ("a shared one that wants to", builder().reporter(shared(true)), true),
            ("a shared one that does not", builder().reporter(shared(false)), false),
        ] {
            let to = serve(builder.build().unwrap().protect(router())).await;
            for (path, kind) in [("/open", EventKind::Allowed), ("/guarded/7", EventKind::Denied)] {
                Ask::get(path).send(to).await;
                let expected: &[_] = if wants || kind == EventKind::Denied { &[kind] } else { &[] };
                assert_eq!(std::mem::take(&mut *told.lock().unwrap()), expected, "{path} is told to {name}");
            }
        }
    }
}

/// What is public does not show that nobody can be let in elsewhere.
#[tokio::test]
async fn an_identity_layer_that_is_missing_is_told_once() {
    let authenticator = || authn::from_extension(|name: &String| Some(Principal::new(name.as_str())));
    let builder = || AuthzLayer::builder(policy(POLICY)).authenticator(authenticator());
    for (name, builder, denials) in
        [("tracing", builder(), 1), ("a sink that wants little", builder().reporter(Sink(Told::default(), false)), 0)]
    {
        let to = serve(builder.build().unwrap().protect(router())).await;
        for (target, status, errors) in [("/open", 200, 1), ("/open", 200, 0), ("/doc/7", 500, denials)] {
            let events = Events::record();
            assert_eq!(Ask::get(target).send(to).await.status, status, "{target}");
            let told = events.take().into_iter().filter(|event| event.level == Level::ERROR).collect::<Vec<_>>();
            assert_eq!(told.len(), errors, "{target} is told to {name}: {told:#?}");
        }
    }
}

#[tokio::test]
async fn a_preflight_that_is_denied_has_a_hint() {
    let to = app().await;
    let events = Events::record();
    let preflight = Ask::new("OPTIONS", "/doc/7")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PUT");
    preflight.send(to).await;
    assert!(events.denial().field("authz.hint").unwrap().contains("put `CorsLayer` outside the policy"));
}

#[tokio::test]
async fn the_event_names_the_path_that_the_client_sent() {
    let guarded = Router::new().route("/{id}", any(|| async {}).layer(Guard::role("admin")));
    let inside = Router::new().nest("/api", guarded.clone().layer(tower_authz::Identify::new(caller)));
    let authz = AuthzLayer::builder(policy(r#"{ "version": 1, "routes": { "GET /api/7": "nobody" } }"#));
    let gate = authz.authenticator(caller).build().unwrap();
    let stripped = Router::new().nest("/api", Router::new().route("/{id}", any(|| async {})).layer(gate));
    for app in [inside, stripped] {
        let to = serve(app).await;
        let events = Events::record();
        assert_eq!(Ask::get("/api/7?x=1").header("authorization", "Role viewer").send(to).await.status, 403);
        assert_eq!(events.denial().field("url.path"), Some("/api/7"));
    }
}

#[tokio::test]
async fn over_http_2_the_event_is_the_same() {
    let to = app().await;
    let events = Events::record();
    let request = http2::request("GET", to, "/doc/7?x=1").header("authorization", "Role other").body(()).unwrap();
    let answer = http2::send(to, request).await;
    let denial = events.denial();
    common(&denial, answer.header(HeaderName::from_static("x-request-id").as_str()).unwrap());
    assert_eq!((denial.field("url.path"), denial.field("http.request.method")), (Some("/doc/7"), Some("GET")));
}
