//! Invariant 3: nothing tells an invisible masked route from a path that no key matches.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use proptest::{option, prelude::*, sample::select};
use serde_json::{Value, json};
use tower_authz::{Policy, respond::Responder};

use super::{
    arbitrary,
    gate::{self, Answer, Denials, ask, gate_with, http_request},
    naive,
    property::holds,
};

/// What a client says beside who it is.
#[derive(Clone, Debug)]
struct Manners {
    accept: Option<&'static str>,
    content_type: Option<&'static str>,
    htmx: bool,
}

impl Manners {
    fn put_on(&self, mut request: Request<()>) -> Request<()> {
        let headers = request.headers_mut();
        let mut insert = |name, value: Option<&'static str>| {
            value.map(|value| headers.insert(name, HeaderValue::from_static(value)));
        };
        insert(header::ACCEPT, self.accept);
        insert(header::CONTENT_TYPE, self.content_type);
        insert(header::HeaderName::from_static("hx-request"), self.htmx.then_some("true"));
        request
    }
}

fn manners() -> impl Strategy<Value = Manners> {
    let accept =
        select(&["*/*", "text/html", "text/plain;q=0.5", "application/json, text/html", "image/png", ";;"][..]);
    let content_type = select(&["application/grpc", "application/grpc+proto", "application/json"][..]);
    (option::of(accept), option::weighted(0.3, content_type), any::<bool>())
        .prop_map(|(accept, content_type, htmx)| Manners { accept, content_type, htmx })
}

#[derive(Clone, Copy, Debug)]
enum Answering {
    Default,
    Disclosing,
    Login,
    OwnMissing,
}

impl Answering {
    fn responder(self) -> Responder {
        match self {
            Self::Default => Responder::new(),
            Self::Disclosing => Responder::new().disclose(true),
            Self::Login => Responder::new().login_redirect("/login"),
            Self::OwnMissing => Responder::new().not_found(|_| {
                let missing = Response::builder().status(StatusCode::NOT_FOUND).header("x-app", "1");
                missing.body(Bytes::from_static(b"nothing here")).unwrap()
            }),
        }
    }
}

fn answering() -> impl Strategy<Value = Answering> {
    select(&[Answering::Default, Answering::Disclosing, Answering::Login, Answering::OwnMissing][..])
}

/// A key that no path of the siege is like. In how many ways a path is read, and whether that is too many, depends on how
/// deep the keys are and on whether one ends in a slash, so this one is as deep.
fn key_like_no_path(document: &Value) -> String {
    let keys = document["routes"].as_object().unwrap().keys();
    let paths: Vec<_> = keys.filter_map(|key| key.split_once(' ')).map(|(_, path)| path).collect();
    let depth = paths.iter().map(|path| path.matches('/').count()).max().unwrap();
    let slash = paths.iter().any(|path| path.len() > 1 && path.ends_with('/'));
    let segments = if slash { depth - 1 } else { depth };
    format!("GET {}{}", "/like-no-path".repeat(segments.max(1)), if slash { "/" } else { "" })
}

#[test]
fn what_is_masked_or_missing_is_answered_as_if_no_key_were_there() {
    let cases = (arbitrary::sieges(), manners(), answering());
    holds("invariant 3, masking", 192, &cases, |((document, siege), manners, answering)| {
        let mut compared = 0;
        let mut empty = json!({ "version": 1, "routes": { key_like_no_path(&document): "nobody" } });
        empty["realm"] = document["realm"].clone();
        empty.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let (policy, empty) = (gate::load(&document), gate::load(&empty));
        for (request, options) in siege {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request) else { continue };
            let verdict = naive::decide(&document, &request, options);
            let ask = |policy: &Policy| -> Answer {
                let layer = gate_with(policy, &request, options, answering.responder(), Denials::default());
                ask(&layer, manners.put_on(sent.clone()))
            };
            let answer = ask(&policy);
            // Credentials that are no good are told of everywhere alike.
            let alike = verdict.status == 404
                || matches!(
                    verdict.reason,
                    Some("invalid-credentials" | "ambiguous-credentials" | "authenticator-unavailable")
                );
            if alike {
                prop_assert_eq!(answer, ask(&empty), "{:?}\n{:?} {:?}", request, manners, answering);
                compared += 1;
            }
        }
        Ok(compared)
    });
}
