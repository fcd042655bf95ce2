//! The service: the way of a request, all of it.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    answering::Sender,
    body::DenialBody,
    future::{ResponseFuture, Waiting},
    gate::{Asked, Gate, Position},
};
use crate::{authn::Authentication, target::Head};

/// A service that forwards to `S` what the policy allows, and answers the rest.
#[derive(Clone)]
pub struct Authz<S> {
    inner: S,
    gate: Arc<Gate>,
    position: Position,
}

impl<S> Authz<S> {
    pub(crate) fn new(inner: S, gate: Arc<Gate>, position: Position) -> Self {
        Self { inner, gate, position }
    }

    /// The wrapped service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Takes the wrapped service out. What is sent to it then is not judged.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for Authz<S>
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
        let policy = self.gate.snapshot();
        let asked = Asked::new(&policy, Head::from(&request));
        let selected = self.gate.select(&asked);
        let identity = match self.gate.authenticate(&asked, &selected) {
            Authentication::Ready(identity) => identity,
            Authentication::Pending(identity) => {
                let inner = take_ready(&mut self.inner);
                let waiting = Waiting { gate: Arc::clone(&self.gate), policy, inner, request };
                return ResponseFuture::authenticating(identity, waiting, self.position);
            }
        };
        let mut sender = Sender::unknown();
        let judgment = self.gate.judge(&asked, &selected, identity, &mut sender, self.position);
        match self.gate.admit(judgment, policy, &sender, &mut request, self.position) {
            Ok(()) => ResponseFuture::forwarded(self.inner.call(request), Arc::clone(&self.gate), sender),
            Err(denial) => {
                drop(take_ready(&mut self.inner));
                ResponseFuture::denied(self.gate.refuse(denial, &sender, request.extensions(), self.position))
            }
        }
    }
}

/// The very instance that was polled ready, with what it has reserved for a request; a fresh clone takes its place.
pub(super) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let fresh = inner.clone();
    mem::replace(inner, fresh)
}

impl<S: fmt::Debug> fmt::Debug for Authz<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authz").field("inner", &self.inner).field("gate", &self.gate).finish_non_exhaustive()
    }
}
