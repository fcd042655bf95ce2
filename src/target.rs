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

    /// The pattern of the route that a router has matched.
    #[cfg(feature = "axum")]
    #[inline]
    pub(crate) fn matched(self) -> Option<&'a str> {
        self.extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str)
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
    #[inline(always)]
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

    /// Whether the path is the one that the outermost router saw, and no prefix was stripped from it.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.original.is_none_or(|original| self.nested.is_none() && original == self.path)
    }

    /// Adds the pattern of the route that a router has matched.
    pub fn matched(self, pattern: &'a str) -> Self {
        Self { matched: Some(pattern), ..self }
    }
}

impl<'a> From<Head<'a>> for Target<'a> {
    #[cfg(feature = "axum")]
    #[inline(always)]
    fn from(head: Head<'a>) -> Self {
        use axum::extract::{NestedPath, OriginalUri};
        let mut target = Self::new(head.method, head.uri.path());
        target.matched = head.matched();
        // What was stripped is of use only where the whole path is known.
        if let Some(original) = head.extensions.get::<OriginalUri>() {
            target.original = Some(original.0.path());
            target.nested = head.extensions.get::<NestedPath>().map(NestedPath::as_str);
        }
        target
    }

    #[cfg(not(feature = "axum"))]
    fn from(head: Head<'a>) -> Self {
        Self::new(head.method, head.uri.path())
    }
}

/// Bytes of texts that are kept in place.
const MOST: usize = 224;

/// Texts of a request that are kept when the request has gone on; one that is not there is empty.
///
/// A few short ones are copied in place: cloning a URI or a header allocates where nobody has shared its bytes yet.
#[derive(Clone)]
pub(crate) struct Texts<const N: usize> {
    short: [u8; MOST],
    /// Instead of `short`, where they are longer.
    long: Box<[u8]>,
    ends: [usize; N],
}

impl<const N: usize> Texts<N> {
    /// Keeps as many texts as there are. What is not UTF-8 reads as empty.
    #[inline]
    pub(crate) fn keep(&mut self, texts: [&[u8]; N]) {
        let mut end = 0;
        for (text, place) in texts.iter().zip(&mut self.ends) {
            let start = end;
            end += text.len();
            *place = end;
            if text.is_empty() {
                continue;
            }
            if let Some(short) = self.short.get_mut(start..end) {
                short.copy_from_slice(text);
            }
        }
        if end > MOST {
            self.long = texts.concat().into();
        }
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        str::from_utf8(self.bytes(index)).unwrap_or_default()
    }

    pub(crate) fn bytes(&self, index: usize) -> &[u8] {
        let texts = if self.long.is_empty() { self.short.as_slice() } else { &self.long };
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(index).copied().unwrap_or_default();
        texts.get(start..end).unwrap_or_default()
    }
}

impl<const N: usize> Default for Texts<N> {
    #[inline]
    fn default() -> Self {
        Self { short: [0; MOST], long: Box::default(), ends: [0; N] }
    }
}

impl<const N: usize> fmt::Debug for Texts<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..N).map(|index| self.get(index))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Texts};

    #[test]
    fn texts_are_kept_whole_whether_short_or_long() {
        let texts = ["", "/a", "/caf\u{e9}", &"a".repeat(MOST - 2), &"b".repeat(MOST + 1)];
        for one in texts {
            for two in texts {
                let mut kept = Texts::default();
                kept.keep([one.as_bytes(), two.as_bytes()]);
                assert_eq!([kept.get(0), kept.get(1)], [one, two]);
            }
        }
    }
}
