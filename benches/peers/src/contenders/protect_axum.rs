//! protect-axum: a layer attaches authorities, and a macro on each handler compares them.

use std::collections::HashSet;

use axum::{Router, handler::HandlerWithoutStateExt, response::Response, routing::get};
use http::StatusCode;
use protect_axum::GrantsLayer;
use tower::Layer;

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{Asks, Callers, RULES, User, asks, pattern, with_extensions},
};

type Request = http::Request<axum::body::Body>;

#[protect_axum::protect("admin")]
async fn protected() -> Response {
    Response::default()
}

/// Whoever is not known has no authorities, or public handlers could not be called.
async fn extract(request: &mut Request) -> Result<HashSet<String>, Response> {
    Ok(request.extensions().get::<User>().map(|user| user.roles.clone()).unwrap_or_default())
}

/// One handler alone: nothing is public.
fn protected_only(callers: &mut Callers, case: Case) -> Option<Request> {
    if case == Case::Public { None } else { with_extensions(callers, case) }
}

fn router() -> Router {
    (0..RULES).fold(Router::new(), |router, index| match asks(index) {
        Asks::Nothing => router.route(&pattern(index), get(async || ())),
        Asks::Admin | Asks::AdminMasked => router.route(&pattern(index), get(protected)),
    })
}

pub fn contenders() -> Vec<Contender> {
    let service = || async { GrantsLayer::with_extractor(extract).layer(protected.into_service()) };
    let around = || async { GrantsLayer::with_extractor(extract).layer(router()) };
    [
        Contender::new(Group::Service, Kind::Peer, "protect-axum", service, protected_only),
        Contender::new(Group::Router, Kind::Peer, "protect-axum", around, with_extensions),
    ]
    .map(|contender| {
        contender
            .answers(Case::Anonymous, StatusCode::FORBIDDEN)
            .answers(Case::Masked, StatusCode::FORBIDDEN)
            .note("no routes of its own: macros on handlers")
    })
    .into()
}
