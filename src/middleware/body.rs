//! Bodies that can hold the bytes of a denial.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{
    BodyExt, Full,
    combinators::{BoxBody, UnsyncBoxBody},
};
use pin_project_lite::pin_project;
use tower_service::Service;

/// A response body that can hold the bytes of a denial, so that the layer preserves the type of the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the bytes of a denial",
    label = "the response body of the wrapped service",
    note = "use `authz.any_body().layer(service)`, which wraps every other body"
)]
pub trait DenialBody {
    /// A body of these bytes.
    fn from_denial(bytes: Bytes) -> Self;
}

impl DenialBody for Full<Bytes> {
    fn from_denial(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

impl<E> DenialBody for BoxBody<Bytes, E> {
    fn from_denial(bytes: Bytes) -> Self {
        Full::new(bytes).map_err(|never| match never {}).boxed()
    }
}

impl<E> DenialBody for UnsyncBoxBody<Bytes, E> {
    fn from_denial(bytes: Bytes) -> Self {
        Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
    }
}

impl DenialBody for String {
    fn from_denial(bytes: Bytes) -> Self {
        Self::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(feature = "axum")]
impl DenialBody for axum::body::Body {
    fn from_denial(bytes: Bytes) -> Self {
        Self::from(bytes)
    }
}

#[cfg(feature = "tonic")]
impl DenialBody for tonic::body::Body {
    fn from_denial(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self::new(Full::new(bytes)) }
    }
}

pin_project! {
    /// Any body, or the bytes of a denial.
    #[derive(Debug)]
    pub struct AnyBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Denial { body: Full<Bytes> },
    }
}

impl<B> AnyBody<B> {
    fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }
}

impl<B> DenialBody for AnyBody<B> {
    fn from_denial(bytes: Bytes) -> Self {
        Self { kind: Kind::Denial { body: Full::new(bytes) } }
    }
}

/// Empty, as layers outside need it that answer in place of the service, such as tower-http's timeout.
impl<B> Default for AnyBody<B> {
    fn default() -> Self {
        Self::from_denial(Bytes::new())
    }
}

impl<B> Body for AnyBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Denial { body } => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Denial { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Denial { body } => body.size_hint(),
        }
    }
}

/// Wraps the response bodies of a service into [`AnyBody`].
#[derive(Clone, Debug)]
pub struct AnyBodyService<S>(pub(super) S);

impl<S, B, R> Service<Request<B>> for AnyBodyService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<AnyBody<R>>;
    type Error = S::Error;
    type Future = AnyBodyFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        AnyBodyFuture { inner: self.0.call(request) }
    }
}

pin_project! {
    /// The future of [`AnyBodyService`].
    pub struct AnyBodyFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, R, E> Future for AnyBodyFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<AnyBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx));
        Poll::Ready(response.map(|response| response.map(AnyBody::inner)))
    }
}

impl<F> fmt::Debug for AnyBodyFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyBodyFuture").finish_non_exhaustive()
    }
}
