//! What nobody is told need not be found out, and the client notices nothing of it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    AuthzLayer, Enforcement, Head, Identity, Policy, Principal,
    authn::{Client, PeerAddr},
    report::{Event, Reporter},
    respond::Responder,
};

const POLICY: &str = r#"{ "version": 1, "realm": "billing",
    "roles": { "viewer": { "permissions": ["read"] }, "editor": {}, "auditor": {} },
    "exclusive_roles": [["editor", "auditor"]],
    "routes": {
        "GET /role": "editor", "GET /permission": "read", "GET /nobody": "nobody", "GET /known": "authenticated",
        "GET /claim": { "claims": { "plan": "pro" } }, "GET /none": { "none_of": ["viewer"] },
        "GET /told": { "allow": "editor", "message": "Ask an editor." },
        "GET /again": { "step_up": { "acr": ["mfa"], "max_age_seconds": 60 } },
        "GET /masked": { "allow": "editor", "deny_as": "not_found" },
        "GET /half": "viewer", "DELETE /half": { "allow": "editor", "deny_as": "not_found" },
        "GET /elsewhere": { "networks": ["10.0.0.0/8"] }
    } }"#;

const PATHS: [&str; 13] = [
    "/role",
    "/permission",
    "/nobody",
    "/known",
    "/claim",
    "/none",
    "/told",
    "/again",
    "/masked",
    "/half",
    "/elsewhere",
    "/missing",
    "/%00",
];

/// Counts denials, if it wants any.
#[derive(Clone, Default)]
struct Sink {
    is_deaf: bool,
    denials: Arc<AtomicUsize>,
}

impl Reporter for Sink {
    fn report(&self, _: &Event<'_>) {
        self.denials.fetch_add(1, Ordering::Relaxed);
    }

    fn wants_denied(&self) -> bool {
        !self.is_deaf
    }

    fn wants_allowed(&self) -> bool {
        false
    }
}

fn by_header(head: Head<'_>) -> Identity {
    match head.headers().get("x-roles").map(|roles| roles.to_str().unwrap()) {
        None => Identity::Anonymous,
        Some(roles) => Principal::new("ada").roles(roles.split(',')).into(),
    }
}

fn layer(is_deaf: bool, responder: Responder, enforcement: Enforcement) -> (AuthzLayer, Arc<AtomicUsize>) {
    let sink = Sink { is_deaf, ..Sink::default() };
    let denials = Arc::clone(&sink.denials);
    let builder = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(by_header);
    let builder = builder.client(Client::peer()).responder(responder).reporter(sink);
    (builder.enforcement(enforcement).build().unwrap(), denials)
}

async fn answer(layer: &AuthzLayer, method: &str, path: &str, roles: Option<&str>, accept: &str) -> String {
    let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::default())) });
    let mut request = Request::builder().method(method).uri(path).header("accept", accept);
    if let Some(roles) = roles {
        request = request.header("x-roles", roles);
    }
    let peer = SocketAddr::from(([192, 0, 2, 1], 7));
    let request = request.extension(PeerAddr(peer)).body(()).unwrap();
    let (parts, body): (_, Full<Bytes>) = layer.layer(inner).oneshot(request).await.unwrap().into_parts();
    format!("{} {:?} {:?}", parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn an_answer_is_the_same_whether_somebody_listens_or_not() {
    let custom = || {
        Responder::new().custom(|denial, _| {
            let missing: Vec<_> = denial.missing().collect();
            let text = format!("{} {:?} {:?} {missing:?}", denial.reason(), denial.rule(), denial.get_detail());
            let mut response = Response::new(Bytes::from(text));
            *response.status_mut() = denial.status();
            response
        })
    };
    for responder in
        [Responder::new(), Responder::new().disclose(true), custom(), Responder::new().login_redirect("/in")]
    {
        let [heard, unheard] = [false, true].map(|is_deaf| layer(is_deaf, responder.clone(), Enforcement::Enforce));
        for path in PATHS {
            for method in ["GET", "HEAD", "DELETE"] {
                for roles in [None, Some("viewer"), Some("editor,auditor"), Some("unknown")] {
                    for accept in ["*/*", "text/html"] {
                        let told = answer(&heard.0, method, path, roles, accept).await;
                        let untold = answer(&unheard.0, method, path, roles, accept).await;
                        assert_eq!(told, untold, "{method} {path} {roles:?} {accept} {responder:?}");
                        let is_denied = !told.starts_with("200");
                        assert_eq!(heard.1.swap(0, Ordering::Relaxed), usize::from(is_denied), "{method} {path}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_is_denied_for_want_of_a_listener_where_nothing_is_enforced() {
    let (layer, _) = layer(true, Responder::new(), Enforcement::ReportOnly);
    for path in PATHS {
        let told = answer(&layer, "GET", path, None, "*/*").await;
        assert!(told.starts_with(StatusCode::OK.as_str()), "{path}: {told}");
    }
}

#[tokio::test]
async fn a_gate_outside_is_told_even_if_nobody_listens() {
    let outside = Responder::new().custom(|denial, _| {
        let mut response = Response::new(Bytes::from(format!("outside: {}, {:?}", denial.reason(), denial.rule())));
        *response.status_mut() = denial.status();
        response
    });
    let everything = r#"{ "version": 1, "routes": { "ANY /{*rest}": "authenticated" } }"#;
    let outer = AuthzLayer::builder(Policy::from_json_str(everything).unwrap()).authenticator(by_header);
    let outer = outer.responder(outside).build().unwrap();
    let (inner, denials) = layer(true, Responder::new(), Enforcement::Enforce);
    for (path, told) in [
        ("/role", r#"outside: insufficient-role, Some("GET /role")"#),
        ("/masked", "outside: not-listed, None"),
        ("/missing", "outside: not-listed, None"),
    ] {
        let leaf = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::default())) });
        let request = Request::get(path).header("x-roles", "viewer").body(()).unwrap();
        let app = outer.layer(inner.layer(leaf));
        let body = app.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, told, "{path}");
        assert_eq!(denials.swap(0, Ordering::Relaxed), 1, "{path}");
    }
}
