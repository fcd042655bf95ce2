//! The way of a browser to the login page.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header, uri::PathAndQuery};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{negotiate::Format, preferences::Preferences};
use crate::target::Head;

const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// What a header cannot hold, and a space.
const NO_HEADER: &AsciiSet = &CONTROLS.add(b' ');
/// Everything but the unreserved characters of RFC 3986, section 2.3, and `/`.
const NO_PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A request that a browser could follow up with a visit to the login page.
#[derive(Clone, Debug)]
pub(crate) enum Visit {
    /// Perhaps a navigation; `Accept` tells, which is read late.
    Page(PathAndQuery),
    /// A request of htmx, and the page it comes from.
    Htmx(Option<HeaderValue>),
}

impl Visit {
    pub(super) fn new(head: Head<'_>) -> Option<Self> {
        let headers = head.headers();
        if headers.get(HX_REQUEST).is_some_and(|value| value == "true") {
            return Some(Self::Htmx(headers.get(HX_CURRENT_URL).cloned()));
        }
        let navigates = headers.get(SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate");
        let reads = matches!(*head.method(), Method::GET | Method::HEAD);
        let target = head.original_uri().path_and_query().filter(|_| navigates && reads);
        target.cloned().map(Self::Page)
    }
}

/// Where the login page is.
#[derive(Debug)]
pub(super) struct Login {
    location: String,
}

impl Login {
    pub(super) fn new(location: &str) -> Self {
        Self { location: utf8_percent_encode(location, NO_HEADER).to_string() }
    }

    /// The whole answer to a navigation; the place to come back to is told without the parameters `secret`.
    pub(super) fn see_other<B: Default>(
        &self,
        preferences: &Preferences<'_>,
        secret: &[String],
    ) -> Option<Response<B>> {
        let Some(Visit::Page(target)) = preferences.visit.as_deref() else { return None };
        if preferences.format() != Format::Html || target.path() == self.path() {
            return None;
        }
        let location = HeaderValue::from_maybe_shared(self.with_next(Some(target), secret)).ok()?;
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        Some(response)
    }

    /// Tells htmx to visit the login page, and where to come back to, without the parameters `secret`.
    pub(super) fn redirect_htmx(&self, preferences: &Preferences<'_>, secret: &[String], headers: &mut HeaderMap) {
        let Some(Visit::Htmx(page)) = preferences.visit.as_deref() else { return };
        let page = page.as_ref().and_then(|url| url.to_str().ok()?.parse::<Uri>().ok());
        let target = page.as_ref().and_then(Uri::path_and_query);
        if let Ok(location) = HeaderValue::from_maybe_shared(self.with_next(target, secret)) {
            headers.insert(HX_REDIRECT, location);
        }
    }

    fn path(&self) -> &str {
        self.location.split(['?', '#']).next().unwrap_or_default()
    }

    fn with_next(&self, target: Option<&PathAndQuery>, secret: &[String]) -> bytes::Bytes {
        let Some(target) = target.filter(|target| is_local(target.as_str())) else {
            return self.location.clone().into();
        };
        let target = without(target, secret);
        let joint = if self.location.contains('?') { '&' } else { '?' };
        format!("{}{joint}next={}", self.location, utf8_percent_encode(&target, NO_PARAMETER)).into()
    }
}

/// `target` without the parameters `secret` of its query.
fn without(target: &PathAndQuery, secret: &[String]) -> String {
    let is_secret = |pair: &&str| secret.iter().any(|name| pair.split('=').next() == Some(name));
    let pairs = target.query().into_iter().flat_map(|query| query.split('&'));
    let kept: Vec<_> = pairs.filter(|pair| !is_secret(pair)).collect();
    if kept.is_empty() { target.path().to_owned() } else { format!("{}?{}", target.path(), kept.join("&")) }
}

/// Whether a browser that is sent to `target` stays on the origin: `//host` and `/\host` lead elsewhere.
fn is_local(target: &str) -> bool {
    target.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']))
}
