//! What of a request its answer depends on.

use std::borrow::Cow;

use http::{HeaderMap, Method, header};

use super::{
    login::Visit,
    negotiate::{Format, negotiate},
};

/// What of a request the answer to it depends on.
#[derive(Clone, Debug, Default)]
pub struct Preferences<'a> {
    head: bool,
    grpc: bool,
    /// Empty if there is none.
    accept: Cow<'a, str>,
    pub(super) visit: Option<Cow<'a, Visit>>,
}

impl<'a> Preferences<'a> {
    pub(crate) fn new(method: &Method, grpc: bool, accept: Cow<'a, str>, visit: Option<Cow<'a, Visit>>) -> Self {
        Self { head: method == Method::HEAD, grpc, accept, visit }
    }

    /// The format that the `Accept` header prefers.
    pub fn format(&self) -> Format {
        self.accept().map(negotiate).unwrap_or_default()
    }

    /// The `Accept` header, if there is one and it is text.
    pub fn accept(&self) -> Option<&str> {
        Some(&*self.accept).filter(|accept| !accept.is_empty())
    }

    /// Whether the request is a gRPC call, by its content type.
    pub fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// Whether the method is `HEAD`. Bodies need not care: the answer is sent without.
    pub fn is_head(&self) -> bool {
        self.head
    }
}

/// The `Accept` headers, empty if there is none; several lines are one list (RFC 9110, section 5.3).
pub(crate) fn every_accept(headers: &HeaderMap) -> Cow<'_, str> {
    let lines = headers.get_all(header::ACCEPT).iter();
    let mut lines = lines.map(|line| str::from_utf8(line.as_bytes()).unwrap_or_default());
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        None => first.into(),
        Some(second) => [first, second].into_iter().chain(lines).collect::<Vec<_>>().join(", ").into(),
    }
}
