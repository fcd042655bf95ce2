//! The extractors.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::access::Access;
use crate::{
    decision::{Denial, Reason},
    middleware::{Found, report_at_once},
    principal::Principal,
    target::Head,
};

/// Whoever an identity layer has found; nobody on public routes and behind [`Identify`](crate::Identify).
fn caller(parts: &Parts) -> Result<Option<Principal>, Denial> {
    let Some(found) = Found::of(&parts.extensions) else {
        let denial = Denial::new(Reason::InternalError).detail(
            "an extractor found no identity: put an `AuthzLayer`, or `Identify`, outside the routes that extract one",
        );
        return Err(report_at_once(denial, Head::from(parts)));
    };
    match found.unusable() {
        Some(denial) => Err(denial),
        None => Ok(found.principal().cloned()),
    }
}

fn known(parts: &Parts) -> Result<Principal, Denial> {
    caller(parts)?.ok_or_else(Denial::unauthenticated)
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denial> {
        known(parts)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Denial> {
        caller(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denial> {
        known(parts).map(Self::new)
    }
}
