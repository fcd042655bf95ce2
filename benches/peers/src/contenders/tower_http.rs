//! tower-http: a closure that looks at the request. It has no routes.

use axum::{body::Body, response::Response};
use http::{HeaderValue, Request, StatusCode, header};
use tower::{Layer, service_fn};
use tower_http::{auth::AsyncRequireAuthorizationLayer, validate_request::ValidateRequestHeaderLayer};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{Bits, Callers, leaf, router, with_extensions},
};

fn denied(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn check(request: &Request<Body>) -> Result<(), Response> {
    match request.extensions().get::<Bits>() {
        None => Err(denied(StatusCode::UNAUTHORIZED)),
        Some(bits) if bits.0 & Bits::ADMIN.0 == 0 => Err(denied(StatusCode::FORBIDDEN)),
        Some(_) => Ok(()),
    }
}

/// Without routes there is nothing public, and nothing hidden.
fn request(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if matches!(case, Case::Public | Case::Masked) { None } else { with_extensions(callers, case) }
}

macro_rules! validate {
    ($inner:expr) => {
        || async { ValidateRequestHeaderLayer::custom(|request: &mut Request<Body>| check(request)).layer($inner) }
    };
}

macro_rules! require {
    ($inner:expr) => {
        || async {
            AsyncRequireAuthorizationLayer::new(
                |request: Request<Body>| async move { check(&request).map(|()| request) },
            )
            .layer($inner)
        }
    };
}

pub fn contenders() -> Vec<Contender> {
    let (validating, requiring) = ("tower-http `ValidateRequestHeaderLayer`", "tower-http `AsyncRequireAuthorization`");
    [
        Contender::new(Group::Service, Kind::Peer, validating, validate!(service_fn(leaf)), request),
        Contender::new(Group::Service, Kind::Peer, requiring, require!(service_fn(leaf)), request),
        Contender::new(Group::Router, Kind::Peer, validating, validate!(router()), request),
        Contender::new(Group::Router, Kind::Peer, requiring, require!(router()), request),
    ]
    .map(|contender| contender.note("a closure of ours: no routes, no policy, no report"))
    .into()
}
