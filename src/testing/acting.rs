//! Callers as tests choose them.

use http::{Request, request};

use crate::{authn::Authenticator, authn::from_fn, identity::Identity, target::Head};

/// Who a test acts as. Nothing outside this module can put it into a request.
#[derive(Clone, Debug)]
struct Actor(Identity);

/// An authenticator that believes [`ActAs`]; without it callers are anonymous.
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal};
/// use tower_authz::testing::{ActAs, acting};
///
/// let request = http::Request::get("/").body(()).unwrap().act_as(Principal::new("ada"));
/// let outcome = acting().authenticate(Head::from(&request));
/// assert!(matches!(outcome, Authentication::Ready(Identity::Authenticated(_))));
/// ```
pub fn acting() -> impl Authenticator {
    from_fn(|head: Head<'_>| head.extensions().get().map_or(Identity::Anonymous, |Actor(identity)| identity.clone()))
}

/// Chooses who sends a request, for [`acting`].
pub trait ActAs: Sized {
    /// Sends the request as `caller`: a [`Principal`](crate::Principal), or any [`Identity`].
    #[must_use]
    fn act_as(self, caller: impl Into<Identity>) -> Self;
}

impl<B> ActAs for Request<B> {
    fn act_as(mut self, caller: impl Into<Identity>) -> Self {
        self.extensions_mut().insert(Actor(caller.into()));
        self
    }
}

impl ActAs for request::Builder {
    fn act_as(self, caller: impl Into<Identity>) -> Self {
        self.extension(Actor(caller.into()))
    }
}
