//! Why a set-up of bearer tokens is refused.

use std::{error::Error, fmt};

use super::key::MIN_SECRET;

/// Why a set-up of bearer tokens is refused.
#[derive(Clone, Debug)]
pub struct JwtError {
    kind: JwtErrorKind,
    message: String,
}

/// The kinds of [`JwtError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtErrorKind {
    /// The secret can be guessed (RFC 7518, section 3.2).
    SecretTooShort,
    /// A key cannot be read or used, or not with the algorithms that are allowed.
    UnusableKey,
    /// A file of keys cannot be read.
    UnreadableKeys,
    /// There is no issuer, or one without keys.
    NoKeys,
    /// It is not clear which issuer a token comes from: two have one name, or one of several has none.
    AmbiguousIssuer,
    /// Several issuers are trusted, and it was not said of each what its claims mean.
    UnmappedClaims,
    /// The address of remote keys is none, or not safe to ask.
    UnusableAddress,
    /// Root certificates cannot be read or used.
    UnusableCertificates,
    /// Remote keys need the runtime of tokio and its timers, and the authenticator was built outside, or in one without.
    NoRuntime,
    /// Scopes are read beside roles or permissions, and it was not said whether they grant or limit.
    ScopesUndecided,
}

impl JwtError {
    pub(super) fn new(kind: JwtErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn short_secret(length: usize) -> Self {
        let message =
            format!("the secret has {length} bytes, and needs at least {MIN_SECRET}: make it of random bytes");
        Self::new(JwtErrorKind::SecretTooShort, message)
    }

    /// What kind of error it is.
    pub fn kind(&self) -> JwtErrorKind {
        self.kind
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for JwtError {}
