//! Denials as axum's responses, and any response as axum's.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{decision::Denial, middleware::default_answer};

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        default_answer(self).map(Body::from)
    }
}

/// Turns what a service answers into axum's responses; see [`Protected::layer`](super::Protected::layer).
#[derive(Clone, Debug)]
pub struct Answered<S>(pub(super) S);

impl<S, B> Service<Request<B>> for Answered<S>
where
    S: Service<Request<B>, Response: IntoResponse>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = AnsweredFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        AnsweredFuture { inner: self.0.call(request) }
    }
}

pin_project! {
    /// The future of [`Answered`].
    pub struct AnsweredFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, R, E> Future for AnsweredFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().inner.poll(cx)).map(IntoResponse::into_response))
    }
}

impl<F> fmt::Debug for AnsweredFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnsweredFuture").finish_non_exhaustive()
    }
}
