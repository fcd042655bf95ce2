//! Setting up [`ApiKeys`].

use std::{error::Error, fmt, sync::Arc};

use http::HeaderName;

use super::{authenticator::ApiKeys, hash::KeyHash};
use crate::{
    clock::{Clock, SystemClock},
    principal::Principal,
};

/// Builds [`ApiKeys`].
#[must_use]
pub struct ApiKeysBuilder {
    header: String,
    keys: Vec<(String, Principal)>,
    clock: Arc<dyn Clock>,
}

impl ApiKeysBuilder {
    pub(super) fn in_header(header: String) -> Self {
        Self { header, keys: Vec::new(), clock: Arc::new(SystemClock) }
    }

    /// Whoever has the key with this SHA-256, in 64 hexadecimal digits, is `principal`.
    ///
    /// A principal may have several keys at a time, so that they can be exchanged without a gap. If the principal
    /// [expires](Principal::expires), so does the key.
    pub fn key(mut self, sha256: impl Into<String>, principal: Principal) -> Self {
        self.keys.push((sha256.into(), principal));
        self
    }

    /// Where the time comes from, for tests.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// The name of the header cannot be read, there is no key, a hash is not 64 hexadecimal digits, two are the same, or
    /// one is that of an empty key.
    pub fn build(self) -> Result<ApiKeys, ApiKeyError> {
        let header: HeaderName = self.header.parse().map_err(|_| {
            ApiKeyError::new(ApiKeyErrorKind::InvalidHeader, format!("`{}` is not a header name", self.header))
        })?;
        if self.keys.is_empty() {
            return Err(ApiKeyError::new(ApiKeyErrorKind::NoKeys, "no api key is listed"));
        }
        let mut keys: Vec<(KeyHash, Principal)> = Vec::new();
        for (index, (text, principal)) in self.keys.into_iter().enumerate() {
            let hash = KeyHash::parse(&text).ok_or_else(|| not_a_hash(index))?;
            if hash.is(&KeyHash::of(b"")).into() {
                let message = format!("hash {index} of the api keys is that of an empty text");
                return Err(ApiKeyError::new(ApiKeyErrorKind::InvalidHash, message));
            }
            if keys.iter().any(|(other, _)| other.is(&hash).into()) {
                let message = format!("hash {index} of the api keys is listed twice");
                return Err(ApiKeyError::new(ApiKeyErrorKind::RepeatedKey, message));
            }
            keys.push((hash, principal));
        }
        Ok(ApiKeys { header, keys: keys.into(), clock: self.clock })
    }
}

/// What was given may be the key itself, so it is not repeated.
fn not_a_hash(index: usize) -> ApiKeyError {
    let message = format!("hash {index} of the api keys is not the SHA-256 of one in 64 hexadecimal digits");
    ApiKeyError::new(ApiKeyErrorKind::InvalidHash, message)
}

impl fmt::Debug for ApiKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeysBuilder").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Why a set-up of API keys is refused.
#[derive(Clone, Debug)]
pub struct ApiKeyError {
    kind: ApiKeyErrorKind,
    message: String,
}

/// The kinds of [`ApiKeyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiKeyErrorKind {
    /// A text is not the name of a header (RFC 9110, section 5.1).
    InvalidHeader,
    /// A text is not the SHA-256 of a key.
    InvalidHash,
    /// No key is listed.
    NoKeys,
    /// One key is listed twice.
    RepeatedKey,
}

impl ApiKeyError {
    fn new(kind: ApiKeyErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ApiKeyErrorKind {
        self.kind
    }
}

impl fmt::Display for ApiKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ApiKeyError {}
