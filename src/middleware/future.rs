//! The future of an answer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    answering::Sender,
    body::DenialBody,
    context::Audience,
    gate::{Asked, Gate, Position},
};
use crate::{authn::BoxFuture, identity::Identity, policy::Compiled, target::Head};

pin_project! {
    /// The future of [`Authz`](super::Authz).
    pub struct ResponseFuture<S, B, F> {
        #[pin]
        state: State<S, B, F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Denied { answer: Option<Response<Bytes>> },
        Authenticating { identity: BoxFuture<Identity>, waiting: Option<Box<Waiting<S, B>>>, position: Position },
        Forwarded { #[pin] inner: F, gate: Arc<Gate>, sender: Sender },
    }
}

/// A request that waits for its sender to be known, and the instance of the service that is ready for it. It is large,
/// so futures of requests that need not wait do without.
pub(super) struct Waiting<S, B> {
    pub(super) gate: Arc<Gate>,
    pub(super) policy: Arc<Compiled>,
    pub(super) inner: S,
    pub(super) request: Request<B>,
}

impl<S, B, F> ResponseFuture<S, B, F> {
    pub(super) fn denied(answer: Response<Bytes>) -> Self {
        Self { state: State::Denied { answer: Some(answer) } }
    }

    pub(super) fn authenticating(identity: BoxFuture<Identity>, waiting: Waiting<S, B>, position: Position) -> Self {
        Self { state: State::Authenticating { identity, waiting: Some(Box::new(waiting)), position } }
    }

    pub(super) fn forwarded(inner: F, gate: Arc<Gate>, sender: Sender) -> Self {
        Self { state: State::Forwarded { inner, gate, sender } }
    }
}

impl<S, B, F, R, E> Future for ResponseFuture<S, B, F>
where
    S: Service<Request<B>, Response = Response<R>, Error = E, Future = F>,
    F: Future<Output = Result<Response<R>, E>>,
    R: DenialBody,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Denied { answer } => {
                    let Some(answer) = answer.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(answer.map(R::from_denial)));
                }
                StateProjection::Authenticating { identity, waiting, position } => {
                    let identity = ready!(identity.as_mut().poll(cx));
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    waiting.proceed(identity, *position)
                }
                StateProjection::Forwarded { inner, gate, sender } => {
                    return gate.answering.poll_inside(inner, cx, sender, Audience::Gates);
                }
            };
            state.set(next);
        }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    fn proceed(self, identity: Identity, position: Position) -> State<S, B, S::Future> {
        let Self { gate, policy, mut inner, mut request } = self;
        let asked = Asked::new(&policy, Head::from(&request));
        let mut sender = Sender::unknown();
        let judgment = gate.judge(&asked, &gate.select(&asked), identity, &mut sender, position);
        match gate.admit(judgment, policy, &sender, &mut request, position) {
            Ok(()) => State::Forwarded { inner: inner.call(request), gate, sender },
            Err(denial) => State::Denied { answer: Some(gate.refuse(denial, &sender, request.extensions(), position)) },
        }
    }
}

impl<S, B, F> fmt::Debug for ResponseFuture<S, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Guarded`](super::Guarded).
    pub struct GuardedFuture<F> {
        #[pin]
        state: Guarded<F>,
    }
}

pin_project! {
    #[project = GuardedProjection]
    enum Guarded<F> {
        Forwarded { #[pin] inner: F },
        Denied { answer: Option<Response<Bytes>> },
    }
}

impl<F> GuardedFuture<F> {
    pub(super) fn denied(answer: Response<Bytes>) -> Self {
        Self { state: Guarded::Denied { answer: Some(answer) } }
    }

    pub(super) fn forwarded(inner: F) -> Self {
        Self { state: Guarded::Forwarded { inner } }
    }
}

impl<F, R, E> Future for GuardedFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: DenialBody,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            GuardedProjection::Forwarded { inner } => inner.poll(cx),
            GuardedProjection::Denied { answer } => match answer.take() {
                Some(answer) => Poll::Ready(Ok(answer.map(R::from_denial))),
                None => Poll::Pending,
            },
        }
    }
}

impl<F> fmt::Debug for GuardedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedFuture").finish_non_exhaustive()
    }
}
