//! What of a request its answer depends on.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderValue, Method, header};

use super::{
    login::Visit,
    negotiate::{Format, negotiate},
};

/// What of a request the answer to it depends on.
#[derive(Clone, Default)]
pub struct Preferences<'a> {
    head: bool,
    grpc: bool,
    /// Empty if there is none.
    accept: Cow<'a, [u8]>,
    pub(super) visit: Option<Cow<'a, Visit>>,
}

impl<'a> Preferences<'a> {
    pub(crate) fn new(method: &Method, grpc: bool, accept: Cow<'a, [u8]>, visit: Option<Cow<'a, Visit>>) -> Self {
        Self { head: method == Method::HEAD, grpc, accept, visit }
    }

    /// The format that the `Accept` header prefers.
    pub fn format(&self) -> Format {
        negotiate(&self.accept)
    }

    /// The `Accept` header, if there is one and it is text.
    pub fn accept(&self) -> Option<&str> {
        str::from_utf8(&self.accept).ok().filter(|accept| !accept.is_empty())
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

impl fmt::Debug for Preferences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, grpc, accept: _, visit } = self;
        let mut parts = f.debug_struct("Preferences");
        parts.field("head", head).field("grpc", grpc).field("accept", &self.accept()).field("visit", visit).finish()
    }
}

/// The `Accept` headers, empty if there is none; several lines are one list (RFC 9110, section 5.3).
pub(crate) fn every_accept(headers: &HeaderMap) -> Cow<'_, [u8]> {
    let mut lines = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        None => first.into(),
        Some(second) => [first, second].into_iter().chain(lines).collect::<Vec<_>>().join(&b", "[..]).into(),
    }
}
