//! Setting up [`Jwt`].

use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::{authenticator::Jwt, expectation::Expectation, signature::Key, source::Sources};
use crate::clock::{Clock, SystemClock};

/// The shortest secret for HS256 in bytes (RFC 7518, section 3.2).
const MIN_SECRET: usize = 32;

/// Builds [`Jwt`].
#[must_use]
pub struct JwtBuilder {
    key: Result<Key, JwtError>,
    expectation: Expectation,
    sources: Sources,
    realm: Option<String>,
    strip_authorization: bool,
    clock: Arc<dyn Clock>,
}

impl JwtBuilder {
    pub(super) fn hs256(secret: &[u8]) -> Self {
        Self {
            key: if secret.len() < MIN_SECRET { Err(JwtError::short(secret.len())) } else { Ok(Key::hs256(secret)) },
            expectation: Expectation { issuer: None, audiences: Vec::new(), leeway: Duration::from_secs(30) },
            sources: Sources { roles: Some("roles".to_owned()), permissions: None },
            realm: None,
            strip_authorization: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// The issuer that tokens must come from (`iss`); without it any will do that knows the secret.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.expectation.issuer = Some(issuer.into());
        self
    }

    /// Adds an audience. Tokens must be meant for one of them (`aud`). Without any, tokens that are meant for
    /// someone are refused (RFC 7519, section 4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expectation.audiences.push(audience.into());
        self
    }

    /// How far the clocks of issuer and service may differ; 30 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.expectation.leeway = leeway;
        self
    }

    /// The realm of the challenge (RFC 9110, section 11.5).
    pub fn realm(self, realm: impl Into<String>) -> Self {
        Self { realm: Some(realm.into()), ..self }
    }

    /// The claim that lists the roles, `roles` by default: a list of texts, or one text. It never gives permissions.
    pub fn roles_claim(mut self, claim: impl Into<String>) -> Self {
        self.sources.roles = Some(claim.into());
        self
    }

    /// The claim that lists permissions, such as `scope`: texts parted by blanks, or a list of texts. They are held
    /// beside those that the roles give. By default no claim gives permissions; none ever gives roles.
    pub fn scopes_claim(mut self, claim: impl Into<String>) -> Self {
        self.sources.permissions = Some(claim.into());
        self
    }

    /// Whether `Authorization` is removed from forwarded requests; by default services behind the layer see it.
    pub fn strip_authorization(self, strip: bool) -> Self {
        Self { strip_authorization: strip, ..self }
    }

    /// Where the time comes from, for tests.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// The secret is shorter than 32 bytes.
    pub fn build(self) -> Result<Jwt, JwtError> {
        Ok(Jwt {
            key: self.key?,
            expectation: self.expectation,
            sources: self.sources,
            realm: self.realm,
            strip_authorization: self.strip_authorization,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("expectation", &self.expectation)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

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
}

impl JwtError {
    fn short(length: usize) -> Self {
        let message =
            format!("the secret has {length} bytes, and needs at least {MIN_SECRET}: make it of random bytes");
        Self { kind: JwtErrorKind::SecretTooShort, message }
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
