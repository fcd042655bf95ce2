//! Closures as authenticators.

use std::future::Future;

use super::{Authentication, Authenticator};
use crate::{identity::Identity, target::Head};

/// An authenticator made of a closure that answers at once.
///
/// It returns the closure itself; what it adds is that the type of the argument need not be written.
///
/// ```
/// use tower_authz::{Principal, authn};
///
/// let authenticator = authn::from_fn(|head| {
///     let key = head.headers().get("x-api-key")?;
///     (key == "open sesame").then(|| Principal::new("ali"))
/// });
/// # let _: &dyn tower_authz::Authenticator = &authenticator;
/// ```
pub fn from_fn<F, I>(authenticate: F) -> F
where
    F: Fn(Head<'_>) -> I + Send + Sync + 'static,
    I: Into<Authentication>,
{
    authenticate
}

/// An authenticator made of a closure whose answer must be waited for.
///
/// The future borrows nothing: take what it needs out of the head first.
///
/// ```
/// use tower_authz::{Identity, Principal, authn};
///
/// # async fn user_of(key: String) -> Result<Option<Principal>, std::io::Error> { Ok(None) }
/// let authenticator = authn::from_async_fn(|head| {
///     let key = head.headers().get("x-api-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
///     async move {
///         let Some(key) = key else { return Identity::Anonymous };
///         match user_of(key).await {
///             Ok(user) => user.into(),
///             Err(_) => Identity::unavailable(),
///         }
///     }
/// });
/// # let _: &dyn tower_authz::Authenticator = &authenticator;
/// ```
pub fn from_async_fn<F, P>(authenticate: F) -> impl Authenticator
where
    F: Fn(Head<'_>) -> P + Send + Sync + 'static,
    P: Future<Output: Into<Identity>> + Send + 'static,
{
    from_fn(move |head| {
        let identity = authenticate(head);
        Authentication::pending(async move { identity.await.into() })
    })
}

/// An authenticator that knows nobody: every caller is anonymous.
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, authn};
///
/// let request = http::Request::get("/").header("authorization", "Bearer abc").body(()).unwrap();
/// let outcome = authn::none().authenticate(Head::from(&request));
/// assert!(matches!(outcome, Authentication::Ready(Identity::Anonymous)));
/// ```
pub fn none() -> impl Authenticator {
    from_fn(|_| Identity::Anonymous)
}
