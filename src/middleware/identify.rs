//! Authentication alone: for guards, extractors and layers further inside.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    answering::{Answering, Sender},
    body::DenialBody,
    context::{Audience, Caller},
    service::take_ready,
};
use crate::{
    authn::{Authentication, Authenticator, BoxFuture, ConsumedHeaders},
    identity::Identity,
    report::{Reporter, TracingReporter},
    respond::{Renderer, Responder},
    target::Head,
};

/// Finds out who is calling and denies nobody: guards and extractors inside do.
///
/// The principal is put into the extensions of the request. Denials that come back from inside are answered with
/// the challenges of the authenticator, and reported.
#[derive(Clone)]
pub struct Identify {
    shared: Arc<Shared>,
}

struct Shared {
    authenticator: Arc<dyn Authenticator>,
    consumed: ConsumedHeaders,
    answering: Answering,
}

impl Identify {
    /// Authenticates with `authenticator`.
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self::with(authenticator, Responder::default(), TracingReporter::new())
    }

    /// Authenticates with `authenticator`, and answers and reports the denials of guards and handlers inside.
    pub fn with(authenticator: impl Authenticator, responder: Responder, reporter: impl Reporter) -> Self {
        let renderer = Renderer::new(responder, authenticator.challenges(), None)
            .without_parameters(authenticator.credential_parameters());
        let shared = Shared {
            consumed: ConsumedHeaders::of(&authenticator),
            authenticator: Arc::new(authenticator),
            answering: Answering { renderer: Arc::new(renderer), reporter: Arc::new(reporter) },
        };
        Self { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Identify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identify").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Identify {
    type Service = Identified<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Identified { inner, identify: self.clone() }
    }
}

/// A service behind [`Identify`].
#[derive(Clone, Debug)]
pub struct Identified<S> {
    inner: S,
    identify: Identify,
}

impl<S, B, R> Service<Request<B>> for Identified<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: DenialBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = IdentifiedFuture<S, B, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.identify.shared);
        let state = match shared.authenticator.authenticate(Head::from(&request)) {
            Authentication::Ready(identity) => {
                let (sender, audience) = shared.admit(identity, &mut request);
                State::Forwarded { inner: self.inner.call(request), sender, audience }
            }
            Authentication::Pending(identity) => {
                State::Authenticating { identity, waiting: Some((take_ready(&mut self.inner), request)) }
            }
        };
        IdentifiedFuture { state, shared }
    }
}

impl Shared {
    /// Who asks, and whom the denials go to that come back from inside.
    fn admit<B>(&self, identity: Identity, request: &mut Request<B>) -> (Sender, Audience) {
        let head = Head::from(&*request);
        // Credentials that are no good are denied by those inside, if at all: a mask must not be lifted to tell them.
        let known = identity.principal().cloned().map(Identity::from).unwrap_or_default();
        let sender = Sender::of(known, head, &self.answering.renderer);
        let audience = match Audience::of(head.extensions()) {
            Audience::Gates => Audience::Gates,
            Audience::Unknown | Audience::Client => Audience::Unknown,
        };
        self.consumed.strip(request.headers_mut());
        Caller::leave_identity(identity, request.extensions_mut());
        (sender, audience)
    }
}

pin_project! {
    /// The future of [`Identified`].
    pub struct IdentifiedFuture<S, B, F> {
        #[pin]
        state: State<S, B, F>,
        shared: Arc<Shared>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Authenticating { identity: BoxFuture<Identity>, waiting: Option<(S, Request<B>)> },
        Forwarded { #[pin] inner: F, sender: Sender, audience: Audience },
    }
}

impl<S, B, F, R, E> Future for IdentifiedFuture<S, B, F>
where
    S: Service<Request<B>, Response = Response<R>, Error = E, Future = F>,
    F: Future<Output = Result<Response<R>, E>>,
    R: DenialBody,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Authenticating { identity, waiting } => {
                    let identity = ready!(identity.as_mut().poll(cx));
                    let Some((mut inner, mut request)) = waiting.take() else { return Poll::Pending };
                    let (sender, audience) = this.shared.admit(identity, &mut request);
                    State::Forwarded { inner: inner.call(request), sender, audience }
                }
                StateProjection::Forwarded { inner, sender, audience } => {
                    return this.shared.answering.poll_inside(inner, cx, sender, *audience);
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, B, F> fmt::Debug for IdentifiedFuture<S, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentifiedFuture").finish_non_exhaustive()
    }
}
