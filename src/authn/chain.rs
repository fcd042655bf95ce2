//! Several ways in, tried in order.

use std::fmt;

use http::HeaderName;

use super::{Authentication, Authenticator, BoxFuture};
use crate::{
    challenge::Challenge,
    identity::{CredentialError, CredentialErrorKind, Identity},
    target::Head,
};

/// Several authenticators, of which the first that finds credentials decides.
///
/// - Credentials that are no good decide too: a chain never falls through to weaker ones.
/// - Credentials for two members make it unclear who is calling, which is [`CredentialErrorKind::Ambiguous`]. So
///   every member is asked; asynchronous ones are waited for in order, after those that know at once.
/// - What is [ambient](Authenticator::is_ambient), such as a session cookie, counts only where no other member has
///   found anything: a cookie loses to `Authorization`.
/// - [`Identity::Failed`] and [`Identity::Unavailable`] win over everything else that was found.
///
/// Its challenges and consumed headers are those of its members, in order.
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal, authn};
///
/// let by_key = authn::from_fn(|head| head.headers().get("x-api-key").map(|_| Principal::new("robot")));
/// let chain = authn::Chain::new(by_key).or(authn::principal_extension());
///
/// let request = http::Request::get("/").header("x-api-key", "7").extension(Principal::new("ada")).body(()).unwrap();
/// match chain.authenticate(Head::from(&request)) {
///     Authentication::Ready(Identity::Authenticated(principal)) => assert_eq!(principal.subject(), "robot"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[must_use]
pub struct Chain {
    members: Vec<Box<dyn Authenticator>>,
}

impl Chain {
    /// A chain that begins with `first`.
    pub fn new(first: impl Authenticator) -> Self {
        Self { members: vec![Box::new(first)] }
    }

    /// Adds an authenticator at the end.
    pub fn or(mut self, next: impl Authenticator) -> Self {
        self.members.push(Box::new(next));
        self
    }

    fn explicit(&self) -> impl Iterator<Item = &dyn Authenticator> {
        self.members.iter().map(AsRef::as_ref).filter(|member| !member.is_ambient())
    }

    fn ambient(&self) -> impl Iterator<Item = &dyn Authenticator> {
        self.members.iter().map(AsRef::as_ref).filter(|member| member.is_ambient())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl Authenticator for Chain {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        let ask = |member: &dyn Authenticator| member.authenticate(head);
        let mut found = Identity::Anonymous;
        let mut explicit = Vec::new();
        for outcome in self.explicit().map(ask) {
            match outcome {
                Authentication::Ready(identity) => found = both(found, identity),
                pending @ Authentication::Pending(_) => explicit.push(pending),
            }
        }
        if explicit.is_empty() {
            return first(found, self.ambient().map(ask));
        }
        let ambient: Vec<_> = self.ambient().map(ask).collect();
        Authentication::pending(async move {
            for outcome in explicit {
                found = both(found, outcome.wait().await);
            }
            first(found, ambient.into_iter()).wait().await
        })
    }

    fn challenges(&self) -> Vec<Challenge> {
        distinct(self.members.iter().flat_map(|member| member.challenges()))
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        distinct(self.members.iter().flat_map(|member| member.consumed_headers()))
    }

    fn consumed_protocols(&self) -> Vec<String> {
        distinct(self.members.iter().flat_map(|member| member.consumed_protocols()))
    }

    fn credential_parameters(&self) -> Vec<String> {
        distinct(self.members.iter().flat_map(|member| member.credential_parameters()))
    }

    fn is_ambient(&self) -> bool {
        self.members.iter().all(|member| member.is_ambient())
    }
}

/// What two members that are not ambient have found together.
fn both(one: Identity, other: Identity) -> Identity {
    use Identity::{Anonymous, Failed, Unavailable};
    match (one, other) {
        (Anonymous, found) | (found, Anonymous) => found,
        (failed @ Failed(_), _) | (_, failed @ Failed(_)) => failed,
        (unavailable @ Unavailable(_), _) | (_, unavailable @ Unavailable(_)) => unavailable,
        _ => CredentialError::new(CredentialErrorKind::Ambiguous)
            .detail("the request has credentials of more than one kind")
            .into(),
    }
}

/// `found`, or else the first of `outcomes` that is not anonymous.
fn first(found: Identity, mut outcomes: impl Iterator<Item = Authentication>) -> Authentication {
    if !found.is_anonymous() {
        return found.into();
    }
    while let Some(outcome) = outcomes.next() {
        match outcome {
            Authentication::Ready(Identity::Anonymous) => {}
            Authentication::Ready(identity) => return identity.into(),
            Authentication::Pending(future) => return first_awaited(future, outcomes.collect()),
        }
    }
    Identity::Anonymous.into()
}

fn first_awaited(future: BoxFuture<Identity>, rest: Vec<Authentication>) -> Authentication {
    Authentication::pending(async move {
        let mut found = future.await;
        let mut rest = rest.into_iter();
        while found.is_anonymous()
            && let Some(outcome) = rest.next()
        {
            found = outcome.wait().await;
        }
        found
    })
}

fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}
