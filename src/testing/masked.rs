//! The assertion that a mask holds.
#![expect(clippy::panic, reason = "assertions panic")]

use std::{fmt, future::poll_fn, panic::Location};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::BodyExt;
use tower_service::Service;

use super::denied::{denial, describe};
use crate::decision::{Denial, Mask, Reason};

/// The methods that are tried, and one that nobody knows.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "INVENTED"];

/// Asserts, on the very stack that an application serves, that a masked route cannot be told from a path that does
/// not exist.
///
/// `masked` says where the route is, who asks ([`ActAs`](super::ActAs)) and with which headers; `missing` is a path
/// that no key matches. Both are asked with every method. Status, headers, the order of headers and the body must be
/// the same; only headers that differ between two requests to `missing`, such as request ids, may have other values.
///
/// See [the module](super) for an example.
///
/// # Panics
///
/// When an answer differs, when no method of the route is masked from this caller, or when `missing` is listed.
#[track_caller]
pub fn assert_masked<S, B, R>(app: &S, masked: Request<()>, missing: &str) -> impl Future<Output = ()>
where
    S: Service<Request<B>, Response = Response<R>, Error: fmt::Debug> + Clone,
    B: Default,
    R: Body<Error: fmt::Debug>,
{
    let (app, caller) = (app.clone(), Location::caller());
    let missing: Uri = match missing.parse() {
        Ok(missing) => missing,
        Err(error) => panic!("the path `{missing}` cannot be sent: {error}"),
    };
    async move {
        let mut is_masked = false;
        for method in METHODS.iter().filter_map(|method| Method::from_bytes(method.as_bytes()).ok()) {
            let control = ask(app.clone(), &masked, &method, &missing).await;
            let expected = ask(app.clone(), &masked, &method, &missing).await;
            let found = ask(app.clone(), &masked, &method, masked.uri()).await;
            is_masked |= found.denial.as_ref().is_some_and(|denial| denial.mask() == Mask::Missing);
            if let Some(problem) = expected.listed() {
                panic!("`{method} {missing}` is a path that exists: {problem} (at {caller})");
            }
            if let Some(difference) = difference(&control, &expected, &found) {
                panic!("`{method} {}` can be told from `{method} {missing}`: {difference} (at {caller})", masked.uri());
            }
        }
        assert!(is_masked, "no method of `{}` is masked from this caller (at {caller})", masked.uri());
    }
}

/// What came back.
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    denial: Option<Denial>,
}

async fn ask<S, B, R>(mut app: S, template: &Request<()>, method: &Method, uri: &Uri) -> Seen
where
    S: Service<Request<B>, Response = Response<R>, Error: fmt::Debug>,
    B: Default,
    R: Body<Error: fmt::Debug>,
{
    let mut request = template.clone().map(|()| B::default());
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri.clone();
    if let Err(error) = poll_fn(|cx| app.poll_ready(cx)).await {
        panic!("the service is not ready for `{method} {uri}`: {error:?}");
    }
    let response = match app.call(request).await {
        Ok(response) => response,
        Err(error) => panic!("the service failed at `{method} {uri}`: {error:?}"),
    };
    let denial = denial(&response).cloned();
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Seen { status: head.status, headers: head.headers, body: body.to_bytes(), denial },
        Err(error) => panic!("the body of the answer to `{method} {uri}` failed: {error:?}"),
    }
}

impl Seen {
    /// What shows that a key matches the path after all. A layer outside may have answered without asking.
    fn listed(&self) -> Option<String> {
        let denial = self.denial.as_ref().filter(|denial| is_of_a_key(denial))?;
        Some(describe(self.status, denial))
    }
}

/// Whether the denial shows that a key matches the path; a bad credential, say, does not.
fn is_of_a_key(denial: &Denial) -> bool {
    !matches!(
        denial.reason(),
        Reason::NotListed
            | Reason::PathRejected
            | Reason::InvalidCredentials
            | Reason::AmbiguousCredentials
            | Reason::AuthenticatorUnavailable
            | Reason::InternalError
    )
}

fn difference(control: &Seen, expected: &Seen, found: &Seen) -> Option<String> {
    if found.status != expected.status {
        return Some(format!("the status is {}, not {}", found.status, expected.status));
    }
    let (left, right) = (names(&found.headers), names(&expected.headers));
    if left != right {
        return Some(format!("the headers are {left:?}, not {right:?}"));
    }
    let differs = |name: &&str| values(&found.headers, name) != values(&expected.headers, name);
    let is_steady = |name: &&str| *name != "date" && values(&control.headers, name) == values(&expected.headers, name);
    if let Some(name) = right.into_iter().filter(is_steady).find(differs) {
        let [found, expected] = [found, expected].map(|seen| values(&seen.headers, name));
        return Some(format!("the header `{name}` is {found:?}, not {expected:?}"));
    }
    (found.body != expected.body).then(|| format!("the body is {:?}, not {:?}", found.body, expected.body))
}

/// In order, and as often as they come.
fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
}
