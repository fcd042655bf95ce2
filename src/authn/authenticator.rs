//! The seam between authentication and authorization.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::HeaderName;

use crate::{challenge::Challenge, identity::Identity, target::Head};

/// A boxed future that borrows nothing.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// The outcome of [`Authenticator::authenticate`]: known at once, or after waiting.
pub enum Authentication {
    /// Known without waiting, and without a box.
    Ready(Identity),
    /// Known when the future ends.
    Pending(BoxFuture<Identity>),
}

impl Authentication {
    /// Known after waiting.
    pub fn pending(future: impl Future<Output = Identity> + Send + 'static) -> Self {
        Self::Pending(Box::pin(future))
    }

    /// The identity, at once where it is known.
    pub async fn wait(self) -> Identity {
        match self {
            Self::Ready(identity) => identity,
            Self::Pending(future) => future.await,
        }
    }
}

impl<T: Into<Identity>> From<T> for Authentication {
    fn from(identity: T) -> Self {
        Self::Ready(identity.into())
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(identity) => f.debug_tuple("Ready").field(identity).finish(),
            Self::Pending(_) => f.debug_tuple("Pending").finish_non_exhaustive(),
        }
    }
}

/// Finds out who is calling.
///
/// Closures work: `|head: Head<'_>| -> Option<Principal> { … }`, and anything else that turns into an [`Identity`].
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal};
///
/// let by_header = |head: Head<'_>| -> Option<Principal> {
///     let user = head.headers().get("x-user")?.to_str().ok()?;
///     Some(Principal::new(user))
/// };
/// let request = http::Request::get("/").header("x-user", "ada").body(()).unwrap();
/// match by_header.authenticate(Head::from(&request)) {
///     Authentication::Ready(Identity::Authenticated(principal)) => assert_eq!(principal.subject(), "ada"),
///     other => panic!("{other:?}"),
/// }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Finds out who is calling, from the head of the request alone.
    fn authenticate(&self, head: Head<'_>) -> Authentication;

    /// How a client can authenticate: one challenge a way in (RFC 9110, section 11.6.1). A way without a
    /// registered scheme needs none; the layer then answers 401s with a private `Session` challenge.
    fn challenges(&self) -> Vec<Challenge> {
        Vec::new()
    }

    /// The request headers that say who is calling. They are removed from every request that is forwarded, in
    /// every spelling that services of the CGI family read alike, so that no service behind the layer can be
    /// misled by them.
    fn consumed_headers(&self) -> Vec<HeaderName> {
        Vec::new()
    }

    /// The protocols that announce credentials in `Sec-WebSocket-Protocol`. Each is removed from every request that is
    /// forwarded, together with the one after it, so that services see and answer with their own protocols alone.
    fn consumed_protocols(&self) -> Vec<String> {
        Vec::new()
    }

    /// The parameters of the query that hold credentials. Nothing that the layer writes repeats them, such as the place
    /// that a login page leads back to; requests are forwarded with them.
    fn credential_parameters(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the credentials come with every request by themselves, as a cookie does. In a [`Chain`](super::Chain)
    /// they lose to credentials that the client sent on purpose.
    fn is_ambient(&self) -> bool {
        false
    }
}

impl<F, I> Authenticator for F
where
    F: Fn(Head<'_>) -> I + Send + Sync + 'static,
    I: Into<Authentication>,
{
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        self(head).into()
    }
}

impl Authenticator for Arc<dyn Authenticator> {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        (**self).authenticate(head)
    }

    fn challenges(&self) -> Vec<Challenge> {
        (**self).challenges()
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        (**self).consumed_headers()
    }

    fn consumed_protocols(&self) -> Vec<String> {
        (**self).consumed_protocols()
    }

    fn credential_parameters(&self) -> Vec<String> {
        (**self).credential_parameters()
    }

    fn is_ambient(&self) -> bool {
        (**self).is_ambient()
    }
}
