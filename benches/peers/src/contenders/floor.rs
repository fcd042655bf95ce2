//! What everything else is measured against.

use std::task::{Context, Poll};

use axum::{body::Body, response::Response};
use http::{Request, StatusCode};
use tower::{Service, layer::layer_fn, service_fn};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{AppService, Callers, RULES, leaf, router, with_extensions, with_headers, with_token},
};

/// Hands everything on.
#[derive(Clone, Debug)]
pub struct PassThrough<S>(S);

impl<S, R> Service<R> for PassThrough<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}

fn let_in(case: Case) -> bool {
    !case.denies()
}

fn extensions(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if let_in(case) { with_extensions(callers, case) } else { None }
}

fn headers(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    let_in(case).then(|| with_headers(callers, case, RULES))
}

fn token(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if let_in(case) { with_token(callers, case) } else { None }
}

fn token_of_somebody(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case == Case::Allowed { with_token(callers, case) } else { None }
}

fn denied(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case.denies() { with_extensions(callers, case) } else { None }
}

fn denied_headers(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    case.denies().then(|| with_headers(callers, case, RULES))
}

fn denied_token(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case.denies() { with_token(callers, case) } else { None }
}

fn answers_at_once(contender: Contender) -> Contender {
    let denials = Case::ALL.into_iter().filter(|case| case.denies());
    denials.fold(contender, |contender, case| contender.answers(case, StatusCode::FORBIDDEN))
}

/// Hands the same principal over to every request.
async fn hand_over() -> impl AppService {
    let principal = Callers::new().admin.principal;
    service_fn(move |mut request: Request<Body>| {
        request.extensions_mut().insert(principal.clone());
        leaf(request)
    })
}

async fn forbid(_: Request<Body>) -> Result<Response, std::convert::Infallible> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::FORBIDDEN;
    Ok(response)
}

pub fn contenders() -> Vec<Contender> {
    let floor = |group, request| {
        let name = "no middleware";
        Contender::new(group, Kind::Floor, name, || async { service_fn(leaf) }, request)
    };
    let immediate = |group, request| {
        let name = "an immediate answer";
        answers_at_once(Contender::new(group, Kind::Floor, name, || async { service_fn(forbid) }, request))
            .note("an empty 403 without a look at the request")
    };
    let around = |group| Contender::new(group, Kind::Floor, "no middleware", || async { router() }, extensions);
    vec![
        floor(Group::Service, extensions),
        floor(Group::Sizes, headers),
        floor(Group::Token, token),
        around(Group::Router),
        around(Group::Inside),
        immediate(Group::Service, denied),
        immediate(Group::Router, denied),
        immediate(Group::Inside, denied),
        immediate(Group::Sizes, denied_headers),
        immediate(Group::Token, denied_token),
        Contender::new(Group::Token, Kind::Floor, "a principal, put into the extensions", hand_over, token_of_somebody),
        Contender::new(
            Group::Service,
            Kind::Floor,
            "a pass-through layer",
            || async { PassThrough(service_fn(leaf)) },
            extensions,
        ),
        Contender::new(
            Group::Router,
            Kind::Floor,
            "a pass-through layer",
            || async { PassThrough(router()) },
            extensions,
        ),
        Contender::new(
            Group::Inside,
            Kind::Floor,
            "a pass-through `Router::layer`",
            || async { router().layer(layer_fn(PassThrough)) },
            extensions,
        ),
        Contender::new(
            Group::Inside,
            Kind::Floor,
            "a pass-through `route_layer`",
            || async { router().route_layer(layer_fn(PassThrough)) },
            extensions,
        ),
    ]
}
