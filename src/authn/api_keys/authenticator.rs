//! API keys as a way in.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName};

use super::{builder::ApiKeysBuilder, hash::KeyHash};
use crate::{
    authn::{Authentication, Authenticator},
    clock::Clock,
    identity::{CredentialError, CredentialErrorKind},
    principal::Principal,
    target::Head,
};

/// API keys: each says who the caller is.
///
/// Only hashes are configured, so that a configuration that leaks opens no door. Keys must be random, of at least 128
/// bits, as from `openssl rand -hex 32`. They are compared in constant time, and never forwarded. A request with
/// several keys is [`CredentialErrorKind::Ambiguous`].
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, Principal, authn::ApiKeys};
///
/// let key = "4f6c9d1e0b7a5c3f2e8d6b4a19c7e5f3"; // The client has it, the service does not.
/// let keys = ApiKeys::in_header("x-api-key")
///     .key("4de7a1e1d2c0ba04a88e4b4e6a1c4ac2a4c2d6c3e2e7b1b31c8e7d9b1f0a5c77", Principal::new("old robot"))
///     .key(ApiKeys::hash(key), Principal::new("robot").roles(["importer"]))
///     .build()?;
///
/// let request = http::Request::get("/").header("x-api-key", key).body(()).unwrap();
/// match keys.authenticate(Head::from(&request)) {
///     Authentication::Ready(Identity::Authenticated(principal)) => assert_eq!(principal.subject(), "robot"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), tower_authz::authn::ApiKeyError>(())
/// ```
#[derive(Clone)]
pub struct ApiKeys {
    pub(super) header: HeaderName,
    pub(super) keys: Arc<[(KeyHash, Principal)]>,
    pub(super) clock: Arc<dyn Clock>,
}

impl ApiKeys {
    /// Keys that are sent in a header of this name, such as `x-api-key`.
    pub fn in_header(header: impl Into<String>) -> ApiKeysBuilder {
        ApiKeysBuilder::in_header(header.into())
    }

    /// The SHA-256 of a key, as the configuration has it: what `printf %s KEY | sha256sum` prints.
    pub fn hash(key: &str) -> String {
        KeyHash::of(key.as_bytes()).to_hex()
    }

    fn identify(&self, headers: &HeaderMap) -> Result<Option<Principal>, CredentialError> {
        let mut values = headers.get_all(&self.header).iter();
        let Some(key) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            let detail = format!("the header `{}` is repeated", self.header);
            return Err(CredentialError::new(CredentialErrorKind::Ambiguous).detail(detail));
        }
        let principal = self.owner(&KeyHash::of(key.as_bytes())).ok_or_else(|| {
            CredentialError::new(CredentialErrorKind::UnknownKey).detail("the api key is not one of those listed")
        })?;
        if principal.expires_at().is_some_and(|until| self.clock.now() >= until) {
            return Err(CredentialErrorKind::Expired.into());
        }
        Ok(Some(principal.clone()))
    }

    /// Looks at every key, whichever fits, so that the time tells nothing.
    fn owner(&self, hash: &KeyHash) -> Option<&Principal> {
        self.keys.iter().fold(None, |owner, (own, principal)| if own.is(hash).into() { Some(principal) } else { owner })
    }
}

impl Authenticator for ApiKeys {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        self.identify(head.headers()).into()
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        vec![self.header.clone()]
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("header", &self.header).field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
