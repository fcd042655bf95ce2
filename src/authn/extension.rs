//! Identities that an outer layer has found out and left in the extensions of the request.

use std::{any::type_name, future::Future, marker::PhantomData};

use super::{Authentication, Authenticator};
use crate::{
    identity::{Failure, Identity, Unusable},
    principal::Principal,
    target::Head,
};

/// An authenticator that reads the extension `T`, which an outer layer has put into the request.
///
/// The closure says who that is: a [`Principal`], an `Option` of one (none is anonymous), or any [`Identity`]. When
/// the extension is absent, the outer layer did not run; this is [`Identity::Failed`], never an anonymous caller.
/// What it finds is [ambient](Authenticator::is_ambient).
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal, authn};
///
/// #[derive(Clone)]
/// struct Session { user: Option<String> }
///
/// let authenticator = authn::from_extension(|session: &Session| session.user.as_deref().map(Principal::new));
///
/// let mut request = http::Request::get("/").body(()).unwrap();
/// let outcome = authenticator.authenticate(Head::from(&request));
/// assert!(matches!(outcome, Authentication::Ready(Identity::Failed(_))));
///
/// request.extensions_mut().insert(Session { user: Some("ada".to_owned()) });
/// let outcome = authenticator.authenticate(Head::from(&request));
/// assert!(matches!(outcome, Authentication::Ready(Identity::Authenticated(_))));
/// ```
pub fn from_extension<T, F, I>(read: F) -> impl Authenticator
where
    T: Send + Sync + 'static,
    F: Fn(&T) -> I + Send + Sync + 'static,
    I: Into<Identity>,
{
    FromExtension::new(move |found: &T| Authentication::Ready(read(found).into()))
}

/// Like [`from_extension`], for sessions that must be asked and waited for. The closure gets a clone of the extension.
///
/// ```
/// use tower_authz::{Identity, Principal, authn};
///
/// #[derive(Clone)]
/// struct Session { /* … */ }
/// # impl Session { async fn user(&self) -> Result<Option<String>, std::io::Error> { Ok(None) } }
///
/// let authenticator = authn::from_extension_async(|session: Session| async move {
///     match session.user().await {
///         Ok(user) => user.map(Principal::new).into(),
///         Err(_) => Identity::unavailable(),
///     }
/// });
/// # let _: &dyn tower_authz::Authenticator = &authenticator;
/// ```
pub fn from_extension_async<T, F, P>(read: F) -> impl Authenticator
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> P + Send + Sync + 'static,
    P: Future<Output: Into<Identity>> + Send + 'static,
{
    FromExtension::new(move |found: &T| {
        let identity = read(found.clone());
        Authentication::pending(async move { identity.await.into() })
    })
}

/// An authenticator that takes the [`Principal`] that an outer layer has put into the extensions; without one the
/// caller is anonymous, unless [`Identify`](crate::Identify) has found the credentials to be bad. It allocates nothing, and what it finds is [ambient](Authenticator::is_ambient).
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal, authn};
///
/// let request = http::Request::get("/").extension(Principal::new("ada")).body(()).unwrap();
/// let outcome = authn::principal_extension().authenticate(Head::from(&request));
/// assert!(matches!(outcome, Authentication::Ready(Identity::Authenticated(_))));
/// ```
pub fn principal_extension() -> impl Authenticator {
    super::ambient(super::from_fn(|head| {
        let unusable = || head.extensions().get::<Unusable>().map(|found| found.0.clone());
        let principal = head.extensions().get::<Principal>().cloned().map(Identity::from);
        principal.or_else(unusable).unwrap_or_default()
    }))
}

struct FromExtension<T, F> {
    read: F,
    missing: Failure,
    extension: PhantomData<fn(&T)>,
}

impl<T, F> FromExtension<T, F>
where
    T: Send + Sync + 'static,
    F: Fn(&T) -> Authentication + Send + Sync + 'static,
{
    fn new(read: F) -> Self {
        let missing = Failure::new(format!(
            "the request has no extension `{}`: put the layer that inserts it outside the authorization layer",
            type_name::<T>()
        ));
        Self { read, missing, extension: PhantomData }
    }
}

impl<T, F> Authenticator for FromExtension<T, F>
where
    T: Send + Sync + 'static,
    F: Fn(&T) -> Authentication + Send + Sync + 'static,
{
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        match head.extensions().get::<T>() {
            Some(found) => (self.read)(found),
            None => self.missing.clone().into(),
        }
    }

    fn is_ambient(&self) -> bool {
        true
    }
}
