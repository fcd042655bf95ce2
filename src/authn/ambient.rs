//! Marks an authenticator as one whose credentials come along by themselves.

use http::HeaderName;

use super::{Authentication, Authenticator};
use crate::{challenge::Challenge, target::Head};

/// Marks `authenticator` as one whose credentials come with every request by themselves, as cookies do. In a
/// [`Chain`](super::Chain) they lose to credentials that the client sent on purpose.
///
/// [`from_extension`](super::from_extension) and its like are ambient without this.
///
/// ```
/// use tower_authz::{Authenticator, Principal, authn};
///
/// let by_cookie = authn::from_fn(|head| {
///     let cookie = head.headers().get("cookie")?.to_str().ok()?;
///     Some(Principal::new(cookie.strip_prefix("user=")?))
/// });
/// assert!(authn::ambient(by_cookie).is_ambient());
/// ```
pub fn ambient(authenticator: impl Authenticator) -> impl Authenticator {
    Ambient(authenticator)
}

struct Ambient<A>(A);

impl<A: Authenticator> Authenticator for Ambient<A> {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        self.0.authenticate(head)
    }

    fn challenges(&self) -> Vec<Challenge> {
        self.0.challenges()
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        self.0.consumed_headers()
    }

    fn consumed_protocols(&self) -> Vec<String> {
        self.0.consumed_protocols()
    }

    fn credential_parameters(&self) -> Vec<String> {
        self.0.credential_parameters()
    }

    fn is_ambient(&self) -> bool {
        true
    }
}
