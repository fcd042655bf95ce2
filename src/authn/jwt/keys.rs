//! Where the keys of an issuer come from.

use std::{fmt, path::Path, sync::Arc};

#[cfg(feature = "jwks")]
use super::remote::RemoteKeys;
use super::{
    algorithm::JwtAlgorithm::{self, EdDsa, Es256, Hs256, Rs256},
    error::{JwtError, JwtErrorKind},
    key::{Key, MIN_SECRET},
    key_set::{KeyStore, ReadKeys},
    object,
};
use crate::{authn::BoxFuture, identity::Unavailable};

/// The algorithms of public keys that count where the operator does not say.
const PUBLIC: &[JwtAlgorithm] = &[Rs256, Es256, EdDsa];

/// A place that keys come from, and come from again when they change.
pub(in crate::authn) trait KeySource: Send + Sync + 'static {
    /// The keys in force.
    fn store(&self) -> &KeyStore;

    /// Told when a token names a key that the set does not have, or when there was never a set. The future ends when
    /// another try is worthwhile; none where there will be no other set soon.
    fn refreshed(&self) -> Option<BoxFuture<()>> {
        None
    }

    /// What to answer where there was never a set.
    fn unavailable(&self) -> Unavailable {
        Unavailable::new().detail("the keys of the issuer are not known yet")
    }
}

impl KeySource for KeyStore {
    fn store(&self) -> &KeyStore {
        self
    }
}

/// The keys of an issuer: a secret, public keys, or a set of keys. [`RemoteKeys`](super::RemoteKeys) are fetched instead.
///
/// What cannot be read is said when the authenticator is built. RSA keys need 2048 to 4096 bits; elliptic curves are
/// P-256, P-384 and Ed25519.
///
/// ```
/// use tower_authz::authn::{Issuer, Jwt, Keys};
///
/// let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let jwt = Jwt::builder().trust(Issuer::new("https://id.example").keys(Keys::jwks(jwks))).build()?;
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Keys {
    pub(super) origin: Origin,
    /// Those that count where the operator does not say.
    pub(super) default_algorithms: &'static [JwtAlgorithm],
}

/// Where keys come from when an authenticator is built.
#[derive(Clone)]
pub(super) enum Origin {
    /// They are here, or cannot be used.
    Here(Result<Arc<dyn KeySource>, JwtError>),
    #[cfg(feature = "jwks")]
    Remote(Box<RemoteKeys>),
}

impl Keys {
    /// A secret that issuer and service share: at least 32 random bytes. For HS256 unless other algorithms are
    /// allowed. The text of another key, such as PEM or a JSON Web Key, is none: most of those are public.
    pub fn secret(secret: &[u8]) -> Self {
        let key = match secret.len() {
            short @ ..MIN_SECRET => Err(JwtError::short_secret(short)),
            _ => Key::secret(secret).map(|key| vec![key]).map_err(|problem| unusable("the secret", &problem)),
        };
        Self { default_algorithms: &[Hs256], ..Self::fixed(key) }
    }

    /// A public key in PEM.
    pub fn pem(text: &str) -> Self {
        Self::fixed(Key::pem(text).map(|key| vec![key]).map_err(|problem| unusable("the key in PEM", &problem)))
    }

    /// A public key as JSON Web Key (RFC 7517, section 4).
    pub fn jwk(json: &str) -> Self {
        let jwk = object::parse(json.as_bytes()).ok_or_else(|| "it is not a JSON object".to_owned());
        let key = jwk.and_then(|jwk| Key::jwk(&jwk));
        Self::fixed(key.map(|key| vec![key]).map_err(|problem| unusable("the JSON web key", &problem)))
    }

    /// A set of keys (RFC 7517, section 5). Keys in it that cannot be used are left out; if none is left, that is an
    /// error.
    pub fn jwks(json: &str) -> Self {
        Self::fixed(read_set(json.as_bytes()))
    }

    /// A set of keys that is read from a file now.
    pub fn jwks_file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let read = std::fs::read(path).map_err(|error| {
            JwtError::new(JwtErrorKind::UnreadableKeys, format!("`{}` cannot be read: {error}", path.display()))
        });
        Self::fixed(read.and_then(|json| read_set(&json)))
    }

    fn fixed(keys: Result<Vec<Key>, JwtError>) -> Self {
        let source = keys.map(|keys| Arc::new(KeyStore::holding(keys)) as Arc<dyn KeySource>);
        Self { origin: Origin::Here(source), default_algorithms: PUBLIC }
    }
}

#[cfg(feature = "jwks")]
impl From<RemoteKeys> for Keys {
    fn from(keys: RemoteKeys) -> Self {
        Self { origin: Origin::Remote(Box::new(keys)), default_algorithms: PUBLIC }
    }
}

impl Origin {
    /// The keys of the issuer of this name.
    pub(super) fn open(self, issuer: Option<&str>) -> Result<Arc<dyn KeySource>, JwtError> {
        #[cfg(not(feature = "jwks"))]
        let _ = issuer;
        match self {
            Self::Here(source) => source,
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => keys.start(issuer),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn read_set(json: &[u8]) -> Result<Vec<Key>, JwtError> {
    let read = ReadKeys::jwks(json).map_err(|problem| unusable("the key set", &problem))?;
    if read.keys.is_empty() { Err(unusable("the key set", &read.nothing())) } else { Ok(read.keys) }
}

fn unusable(what: &str, problem: &str) -> JwtError {
    JwtError::new(JwtErrorKind::UnusableKey, format!("{what} cannot be used: {problem}"))
}
