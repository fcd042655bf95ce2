//! What a request asks for: views of its head that are copied, never cloned.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request};

/// A view of the head of a request: method, URI, headers and extensions.
///
/// It borrows everything, so handing it to an [`Authenticator`](crate::Authenticator) costs nothing.
///
/// ```
/// use tower_authz::Head;
///
/// let request = http::Request::get("/invoices?page=2").body(()).unwrap();
/// let head = Head::from(&request);
/// assert_eq!(head.uri().path(), "/invoices");
/// ```
#[derive(Clone, Copy)]
pub struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    /// The method as it came in.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The request target.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The request target as the client sent it, before routers stripped prefixes from it.
    pub(crate) fn original_uri(self) -> &'a Uri {
        #[cfg(feature = "axum")]
        if let Some(uri) = self.extensions.get::<axum::extract::OriginalUri>() {
            return &uri.0;
        }
        self.uri
    }

    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The extensions that outer layers left.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}

impl fmt::Debug for Head<'_> {
    /// Prints the names of the headers and no values, and no query: they may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Head")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'a> From<&'a request::Parts> for Head<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers, extensions: &parts.extensions }
    }
}

/// What decides which rules apply: the method, the path, and what a router around us has already found out.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method, as it came in.
    pub method: &'a Method,
    /// The path of the request target as this service sees it (RFC 3986, section 3.3), still percent-encoded.
    pub path: &'a str,
    /// The pattern of the route that a router has matched, such as `/users/{id}`.
    pub matched: Option<&'a str>,
    /// The path that the outermost router saw, before any prefix was stripped.
    pub original: Option<&'a str>,
    /// The pattern of the prefix that routers have stripped from the path, such as `/api`.
    pub nested: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// A target that no router has looked at.
    pub fn new(method: &'a Method, path: &'a str) -> Self {
        Self { method, path, matched: None, original: None, nested: None }
    }

    /// Adds the pattern of the route that a router has matched.
    pub fn matched(self, pattern: &'a str) -> Self {
        Self { matched: Some(pattern), ..self }
    }
}

impl<'a> From<Head<'a>> for Target<'a> {
    #[cfg(feature = "axum")]
    fn from(head: Head<'a>) -> Self {
        use axum::extract::{MatchedPath, NestedPath, OriginalUri};
        Self {
            method: head.method,
            path: head.uri.path(),
            matched: head.extensions.get::<MatchedPath>().map(MatchedPath::as_str),
            original: head.extensions.get::<OriginalUri>().map(|uri| uri.0.path()),
            nested: head.extensions.get::<NestedPath>().map(NestedPath::as_str),
        }
    }

    #[cfg(not(feature = "axum"))]
    fn from(head: Head<'a>) -> Self {
        Self::new(head.method, head.uri.path())
    }
}

/// A text of a request that is kept when the request has gone on.
///
/// Up to `N` bytes are copied in place: cloning a URI or a header allocates where nobody has shared its bytes yet.
#[derive(Clone)]
pub(crate) struct Kept<const N: usize> {
    short: [u8; N],
    len: usize,
    long: Option<Box<str>>,
}

impl<const N: usize> Kept<N> {
    pub(crate) fn new(text: &str) -> Self {
        let mut kept = Self { short: [0; N], len: text.len(), long: None };
        match kept.short.get_mut(..text.len()) {
            Some(place) => place.copy_from_slice(text.as_bytes()),
            None => kept.long = Some(text.into()),
        }
        kept
    }

    pub(crate) fn as_str(&self) -> &str {
        match &self.long {
            Some(long) => long,
            None => self.short.get(..self.len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default(),
        }
    }
}

impl<const N: usize> fmt::Debug for Kept<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn texts_are_kept_whole_whether_short_or_long() {
        for text in ["", "/a", "/caf\u{e9}", "/12345678", "/123456789"] {
            assert_eq!(Kept::<9>::new(text).as_str(), text);
        }
    }
}
