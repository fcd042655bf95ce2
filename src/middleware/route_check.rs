//! The half of a gate inside a router, where it is known which route has matched.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    answering::default_answer,
    body::DenialBody,
    context::Gated,
    future::ResponseFuture,
    gate::{Gate, Position},
};
use crate::{
    decision::{Denial, Reason},
    target::{Head, Target},
};

/// Puts the inner half of a gate into a router.
#[derive(Clone, Debug)]
pub(crate) struct RouteCheckLayer(pub(crate) Arc<Gate>);

impl<S> Layer<S> for RouteCheckLayer {
    type Service = RouteCheck<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RouteCheck { inner, gate: Arc::clone(&self.0) }
    }
}

/// Judges again, by the snapshot and the identity of the outer half, where a router has matched another route
/// than the path selected.
#[derive(Clone, Debug)]
pub(crate) struct RouteCheck<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S, B, R> Service<Request<B>> for RouteCheck<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: DenialBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(gated) = self.take_gated(&mut request) else {
            let detail = "a route of a protected router was reached without passing the gate around it";
            return ResponseFuture::denied(default_answer(Denial::new(Reason::InternalError).detail(detail)));
        };
        let head = Head::from(&request);
        let matched = Target::from(head).matched;
        if gated.waived || matched.is_none() || gated.route.as_deref() == matched {
            return ResponseFuture::unjudged(self.inner.call(request));
        }
        let Gated { gate, policy, identity, .. } = gated;
        let judgment = gate.judge(&policy, gate.select(&policy, head), head, &identity, Position::Inside);
        match gate.admit(judgment, policy, identity, request, Position::Inside) {
            Ok((request, _)) => ResponseFuture::unjudged(self.inner.call(request)),
            Err(answer) => ResponseFuture::denied(answer),
        }
    }
}

impl<S> RouteCheck<S> {
    /// What the outer half of this very gate has left.
    fn take_gated<B>(&self, request: &mut Request<B>) -> Option<Gated> {
        request.extensions_mut().remove::<Gated>().filter(|gated| Arc::ptr_eq(&gated.gate, &self.gate))
    }
}
