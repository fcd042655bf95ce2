//! What of a request its answer depends on.

use http::{HeaderMap, Method, header};

use super::{
    grpc,
    login::Visit,
    negotiate::{Format, negotiate},
};
use crate::target::{Head, Kept};

/// What browsers send is shorter, and kept without allocating.
const MOST_ACCEPT: usize = 160;

/// What of a request the answer to it depends on; kept while the request is on its way, read if it is denied.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    head: bool,
    grpc: bool,
    accept: Option<Kept<MOST_ACCEPT>>,
    pub(super) visit: Option<Visit>,
}

impl Preferences {
    /// Copies texts; nothing is parsed. The URI is kept only for those who redirect.
    pub(super) fn new(head: Head<'_>, redirects: bool) -> Self {
        Self {
            head: head.method() == Method::HEAD,
            grpc: grpc::is_call(head.headers()),
            accept: accept(head.headers()),
            visit: if redirects { Visit::new(head) } else { None },
        }
    }

    /// The format that the `Accept` header prefers.
    pub fn format(&self) -> Format {
        self.accept().map(negotiate).unwrap_or_default()
    }

    /// The `Accept` header, if there is one and it is text.
    pub fn accept(&self) -> Option<&str> {
        self.accept.as_ref().map(Kept::as_str)
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

/// The `Accept` header; several lines are one list (RFC 9110, section 5.3).
fn accept(headers: &HeaderMap) -> Option<Kept<MOST_ACCEPT>> {
    let mut lines = headers.get_all(header::ACCEPT).iter();
    let first = lines.next()?.to_str().ok()?;
    let Some(second) = lines.next() else { return Some(Kept::new(first)) };
    let mut joined = first.to_owned();
    for line in std::iter::once(second).chain(lines) {
        joined.push_str(", ");
        joined.push_str(line.to_str().ok()?);
    }
    Some(Kept::new(&joined))
}
