//! The least that can be done: a table of routes, one comparison of masks, and an answer.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use http::{HeaderValue, Method, Request, StatusCode, header};
use rapidhash::fast::RandomState;
use tower::{Service, service_fn};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    token::signed,
    work::{Asks, Bits, Callers, RULES, asks, leaf, pattern, router, with_extensions, with_headers, with_token},
};

#[derive(Clone, Copy, Debug)]
struct Rule {
    mask: u64,
    denial: StatusCode,
}

/// Which bits each route asks for.
#[derive(Clone, Debug)]
pub struct Rules(Arc<matchit::Router<Rule>>);

impl Rules {
    pub fn new(rules: usize) -> Self {
        let mut routes = matchit::Router::new();
        for index in 0..rules {
            let rule = match asks(index) {
                Asks::Nothing => Rule { mask: 0, denial: StatusCode::OK },
                Asks::Admin => Rule { mask: Bits::ADMIN.0, denial: StatusCode::FORBIDDEN },
                Asks::AdminMasked => Rule { mask: Bits::ADMIN.0, denial: StatusCode::NOT_FOUND },
            };
            routes.insert(pattern(index), rule).expect("patterns differ");
        }
        Self(Arc::new(routes))
    }

    /// The status of the denial, if it is one.
    pub(super) fn decide(&self, request: &Request<Body>, bits: Option<Bits>) -> Result<(), StatusCode> {
        let rule = match self.0.at(request.uri().path()) {
            Ok(found) if request.method() == Method::GET => found.value,
            _ => return Err(StatusCode::NOT_FOUND),
        };
        match bits {
            _ if rule.mask == 0 => Ok(()),
            Some(bits) if bits.0 & rule.mask == rule.mask => Ok(()),
            None if rule.denial == StatusCode::FORBIDDEN => Err(StatusCode::UNAUTHORIZED),
            _ => Err(rule.denial),
        }
    }
}

/// The bits of every token that was seen.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<HashMap<Box<[u8]>, Bits, RandomState>>);

impl Tokens {
    pub fn new() -> Self {
        let known = [("ada", "admin", Bits::ADMIN), ("vera", "viewer", Bits::VIEWER)];
        let tokens =
            known.map(|(name, role, bits)| (format!("Bearer {}", signed(name, role)).into_bytes().into(), bits));
        Self(Arc::new(tokens.into_iter().collect()))
    }
}

/// Where the bits come from.
#[derive(Clone, Debug)]
pub enum Source {
    Extension,
    Table(Tokens),
}

/// The service.
#[derive(Clone, Debug)]
pub struct Optimum<S> {
    inner: S,
    rules: Rules,
    source: Source,
}

impl<S> Optimum<S> {
    pub fn new(inner: S, rules: Rules) -> Self {
        Self { inner, rules, source: Source::Extension }
    }

    pub fn with_tokens(inner: S, rules: Rules, tokens: Tokens) -> Self {
        Self { inner, rules, source: Source::Table(tokens) }
    }

    fn bits(&self, request: &Request<Body>) -> Option<Bits> {
        match &self.source {
            Source::Extension => request.extensions().get().copied(),
            Source::Table(tokens) => tokens.0.get(request.headers().get(header::AUTHORIZATION)?.as_bytes()).copied(),
        }
    }
}

fn denied(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

impl<S> Service<Request<Body>> for Optimum<S>
where
    S: Service<Request<Body>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = futures_util::future::Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let bits = self.bits(&request);
        match self.rules.decide(&request, bits) {
            Ok(()) => Self::Future::Left(self.inner.call(request)),
            Err(status) => Self::Future::Right(ready(Ok(denied(status)))),
        }
    }
}

fn sized(rules: usize) -> fn(&mut Callers, Case) -> Option<Request<Body>> {
    match rules {
        10 => |callers, case| Some(with_headers(callers, case, 10)),
        1_000 => |callers, case| Some(with_headers(callers, case, 1_000)),
        _ => |callers, case| Some(with_headers(callers, case, 100_000)),
    }
}

pub fn contenders() -> Vec<Contender> {
    let of = |group, name, rules, request| {
        let build = move || async move { Optimum::new(service_fn(leaf), Rules::new(rules)) };
        Contender::new(group, Kind::Optimum, name, build, request)
    };
    let around = || async { Optimum::new(router(), Rules::new(RULES)) };
    let inside = || async {
        let rules = Rules::new(RULES);
        router().route_layer(tower::layer::layer_fn(move |inner| Optimum::new(inner, rules.clone())))
    };
    let table = || async { Optimum::with_tokens(service_fn(leaf), Rules::new(RULES), Tokens::new()) };
    vec![
        of(Group::Service, "the optimum", RULES, with_extensions),
        Contender::new(Group::Router, Kind::Optimum, "the optimum", around, with_extensions),
        Contender::new(Group::Inside, Kind::Optimum, "the optimum, `route_layer`", inside, with_extensions),
        of(Group::Sizes, "the optimum, 10 rules", 10, sized(10)),
        of(Group::Sizes, "the optimum", 1_000, sized(1_000)),
        of(Group::Sizes, "the optimum, 100,000 rules", 100_000, sized(100_000)),
        Contender::new(Group::Token, Kind::Optimum, "the optimum", table, with_token)
            .note("a table of tokens that were seen; they never expire"),
    ]
}
