//! A layer around a service that says that it was reached.

use std::{
    convert::Infallible,
    future::ready,
    net::SocketAddr,
    panic::resume_unwind,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::extract::OriginalUri;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{
    Authenticator, AuthzLayer, Challenge, Head, Identity, Mask, Policy,
    authn::{Client, PeerAddr},
    report::{Event, EventKind},
    respond::Responder,
};

use super::{
    convert,
    naive::{self, CheckOutcome, Options},
};

/// What a caller gets, all of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// In order.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_forwarded(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "x-reached")
    }

    pub(crate) fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| std::str::from_utf8(value).unwrap())
    }
}

/// Sends a request through `layer`, which must answer without waiting.
pub(crate) fn ask(layer: &AuthzLayer, request: Request<()>) -> Answer {
    let reached = |_: Request<()>| {
        let response = Response::builder().header("x-reached", "1").body(Full::<Bytes>::default());
        ready(Ok::<_, Infallible>(response.unwrap()))
    };
    let response = layer.layer(service_fn(reached)).oneshot(request).now_or_never().unwrap().unwrap();
    let (head, body) = response.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    Answer { status: head.status, headers, body }
}

/// Who is calling, said by an extension; the ways in are those of `challenges`.
#[derive(Clone)]
pub(crate) struct Told(pub(crate) Vec<Challenge>);

impl Authenticator for Told {
    fn authenticate(&self, head: Head<'_>) -> tower_authz::Authentication {
        head.extensions().get::<Identity>().cloned().unwrap_or(Identity::Anonymous).into()
    }

    fn challenges(&self) -> Vec<Challenge> {
        self.0.clone()
    }
}

/// The denials that a layer has reported: reason, and whether the answer pretends something.
pub(crate) type Denials = Arc<Mutex<Vec<(&'static str, bool)>>>;

/// A layer that lives in the circumstances of `request`.
pub(crate) fn gate(policy: &Policy, request: &naive::Request, options: Options) -> (AuthzLayer, Denials) {
    let denials = Denials::default();
    let layer = gate_with(policy, request, options, Responder::default(), Arc::clone(&denials));
    (layer, denials)
}

pub(crate) fn gate_with(
    policy: &Policy,
    request: &naive::Request,
    options: Options,
    responder: Responder,
    denials: Denials,
) -> AuthzLayer {
    let now = SystemTime::from(request.now);
    let note = move |event: &Event<'_>| {
        if let (EventKind::Denied, Some(denial)) = (event.kind(), event.denial()) {
            denials.lock().unwrap().push((denial.reason().as_str(), denial.mask() != Mask::None));
        }
    };
    let mut builder = AuthzLayer::builder(policy.clone())
        .authenticator(Told(vec![Challenge::bearer()]))
        .client(Client::peer())
        .clock(move || now)
        .reporter(note)
        .responder(responder)
        .allow_encoded_backslash(options.allow_encoded_backslash)
        .allow_control_characters(options.allow_control_characters);
    for (name, outcome) in request.checks.clone() {
        builder = builder.check(name, move |_| match outcome {
            CheckOutcome::True => true,
            CheckOutcome::False => false,
            CheckOutcome::Panics => resume_unwind(Box::new(())),
        });
    }
    builder.build().unwrap()
}

/// The request as a server would hand it on; none if no server would.
pub(crate) fn http_request(request: &naive::Request) -> Option<Request<()>> {
    let uri = |path: &str| Uri::builder().path_and_query(path).build().ok().filter(|uri| uri.path() == path);
    let mut sent = Request::new(());
    *sent.uri_mut() = uri(&request.path)?;
    *sent.method_mut() = Method::from_bytes(request.method.as_bytes()).ok()?;
    sent.extensions_mut().insert(convert::identity(&request.identity));
    if let Some(client) = request.client {
        sent.extensions_mut().insert(PeerAddr(SocketAddr::new(client, 40_000)));
    }
    if let Some(original) = &request.original_path {
        sent.extensions_mut().insert(OriginalUri(uri(original)?));
    }
    Some(sent)
}

/// `request`, as far as services outside of routers know it.
pub(crate) fn outside_of_routers(request: naive::Request) -> naive::Request {
    let original_path = request.original_path.filter(|_| cfg!(feature = "axum"));
    naive::Request { matched_path: None, nested: None, original_path, ..request }
}

pub(crate) fn load(document: &Value) -> Policy {
    Policy::from_json_str(&document.to_string()).unwrap()
}
