//! `axum::serve(listener, protected)`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum::serve::{IncomingStream, Listener};
use tower_service::Service;

use super::protected::Protected;

impl<L, S> Service<IncomingStream<'_, L>> for Protected<S>
where
    L: Listener,
    S: Clone,
{
    type Response = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: IncomingStream<'_, L>) -> Self::Future {
        ready(Ok(self.clone()))
    }
}
