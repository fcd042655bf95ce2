//! The least that can be done for what tower-authz promises, by hand: what the limits leave room for.
//!
//! It reads the policy once, which may be replaced while requests are served; rejects what can be read in two ways; hears
//! what a router has matched and stripped; asks an authenticator that is chosen at run time; hands the principal over; and
//! keeps what it takes to answer and report a denial that comes back from inside. It cannot mask, explain, compare claims or
//! read a path in several ways.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use axum::{
    body::Body,
    extract::{MatchedPath, OriginalUri},
    response::Response,
};
use futures_util::future::Either;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use pin_project_lite::pin_project;
use tower::{Service, service_fn};
use tower_authz::Principal;

use super::optimum::Rules;
use crate::{
    case::Group,
    contender::{Contender, Kind},
    work::{Bits, RULES, leaf, router, with_extensions},
};

type Authenticate = dyn Fn(&Extensions) -> Option<(Bits, Principal)> + Send + Sync;

/// What all clones share.
struct Gate {
    rules: ArcSwap<Rules>,
    authenticate: Box<Authenticate>,
    answers: [(StatusCode, HeaderMap, &'static str); 3],
}

const BODY: &str = r#"{"type":"about:blank","title":"Denied","status":400,"detail":"Access is denied."}"#;

impl Gate {
    fn new() -> Self {
        let known = |extensions: &Extensions| {
            let principal: Option<&Principal> = extensions.get();
            Some((*extensions.get()?, principal?.clone()))
        };
        let answer = |status| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
            if status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(BODY.len()));
            (status, headers, BODY)
        };
        Self {
            rules: ArcSwap::from_pointee(Rules::new(RULES)),
            authenticate: Box::new(known),
            answers: [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].map(answer),
        }
    }

    fn answer(&self, status: StatusCode) -> Response {
        let (status, headers, body) = self.answers.iter().find(|(known, ..)| *known == status).expect("it is known");
        let mut response = Response::new(Body::from(*body));
        *response.status_mut() = *status;
        *response.headers_mut() = headers.clone();
        response
    }
}

/// What is kept of a request while it is inside.
struct Kept {
    method: Method,
    principal: Option<Principal>,
    rules: Arc<Rules>,
    text: [u8; 224],
    ends: [usize; 3],
}

impl Kept {
    fn of(request: &Request<Body>, principal: Option<Principal>, rules: Arc<Rules>) -> Self {
        const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
        let (mut accept, mut id) = (&[][..], &[][..]);
        for (name, value) in request.headers() {
            if *name == header::ACCEPT {
                accept = value.as_bytes();
            } else if *name == REQUEST_ID {
                id = value.as_bytes();
            }
        }
        let mut kept = Self { method: request.method().clone(), principal, rules, text: [0; 224], ends: [0; 3] };
        let mut end = 0;
        for (text, place) in [request.uri().path().as_bytes(), accept, id].into_iter().zip(&mut kept.ends) {
            if let Some(room) = kept.text.get_mut(end..end + text.len()) {
                room.copy_from_slice(text);
            }
            end += text.len();
            *place = end;
        }
        kept
    }
}

/// Whether a path can be read in one way only.
fn is_clean(path: &[u8]) -> bool {
    let doubtful = |byte: &u8| !byte.is_ascii_graphic() | matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#');
    let is_empty_or_dots = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    let (blocks, rest) = path.as_chunks::<16>();
    let plain = |block: &[u8]| !block.iter().fold(false, |found, byte| found | doubtful(byte));
    blocks.iter().all(|block| plain(block)) && plain(rest) && !path.windows(2).any(is_empty_or_dots)
}

/// A denial that comes back from inside.
#[derive(Clone)]
struct Returned(StatusCode);

/// The service.
#[derive(Clone)]
pub struct Keeper<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> fmt::Debug for Keeper<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for Keeper<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Inside<S::Future>, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let rules = self.gate.rules.load_full();
        let heard = request.extensions();
        let is_plain = is_clean(request.uri().path().as_bytes())
            && heard.get::<MatchedPath>().is_none()
            && heard.get::<OriginalUri>().is_none();
        let (bits, principal) = (self.gate.authenticate)(request.extensions()).unzip();
        let decision = if is_plain { rules.decide(&request, bits) } else { Err(StatusCode::NOT_FOUND) };
        match decision {
            Ok(()) => {
                let kept = Kept::of(&request, principal, rules);
                // In the place of the principal that was found stands one that knows the policy.
                black_box(request.extensions_mut().get_mut::<Principal>());
                Either::Left(Inside { inner: self.inner.call(request), gate: Arc::clone(&self.gate), kept })
            }
            Err(status) => {
                let path = request.uri().path();
                let who = principal.as_ref().map(Principal::subject);
                tracing::warn!(status = status.as_u16(), path, who, method = request.method().as_str(), "denied");
                Either::Right(ready(Ok(self.gate.answer(status))))
            }
        }
    }
}

pin_project! {
    /// The future of a request that was let in.
    pub struct Inside<F> {
        #[pin]
        inner: F,
        gate: Arc<Gate>,
        kept: Kept,
    }
}

impl<F> Future for Inside<F>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inside = self.project();
        let mut polled = inside.inner.poll(cx);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(Returned(status)) = response.extensions_mut().remove()
        {
            let kept = inside.kept;
            let (path, who) = (kept.text.get(..kept.ends[0]), kept.principal.as_ref().map(Principal::subject));
            tracing::warn!(?status, ?path, who, method = kept.method.as_str(), rules = ?kept.rules, "denied");
            *response = inside.gate.answer(status);
        }
        polled
    }
}

pub fn contenders() -> Vec<Contender> {
    let name = "the optimum, with our promises";
    let note =
        "by hand: a policy that can be replaced, what routers tell, denials from inside; no masks, claims or readings";
    let bare = || async { Keeper { inner: service_fn(leaf), gate: Arc::new(Gate::new()) } };
    let around = || async { Keeper { inner: router(), gate: Arc::new(Gate::new()) } };
    vec![
        Contender::new(Group::Service, Kind::Optimum, name, bare, with_extensions).note(note),
        Contender::new(Group::Router, Kind::Optimum, name, around, with_extensions).note(note),
    ]
}
