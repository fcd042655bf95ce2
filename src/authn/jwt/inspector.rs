//! Looking at tokens: remembered, verified, revoked.

use std::{fmt, sync::Arc, time::SystemTime};

use super::{
    cache::Tokens,
    revocation::{Revocation, TokenFacts},
    token::{MAX_LENGTH, NO_TOKEN, malformed},
    verifier::{Verdict, Verifier},
};
use crate::{
    authn::{Authentication, BoxFuture},
    clock::Clock,
    identity::{CredentialError, CredentialErrorKind, Identity},
    principal::Principal,
};

/// Looks at tokens.
pub(super) struct Inspector {
    pub(super) verifier: Verifier,
    pub(super) tokens: Option<Tokens>,
    pub(super) revocation: Option<Box<dyn Revocation>>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Inspector {
    /// Who sent `token`. It is waited for only where an issuer may have newer keys.
    pub(super) fn identify(self: &Arc<Self>, token: &[u8]) -> Authentication {
        let now = self.clock.now();
        if let Some(identity) = self.recall(token, now) {
            return identity.into();
        }
        let verdict = self.verify(token, now);
        match verdict.newer_keys() {
            None => self.settle(token, verdict, now).into(),
            Some(newer) => {
                let (inspector, token) = (Arc::clone(self), token.to_vec());
                Authentication::pending(async move {
                    newer.await;
                    let now = inspector.clock.now();
                    inspector.settle(&token, inspector.verify(&token, now), now)
                })
            }
        }
    }

    #[inline]
    pub(super) fn recall(&self, token: &[u8], now: SystemTime) -> Option<Identity> {
        let tokens = self.tokens.as_ref()?;
        let key = tokens.key(token);
        let stands = |basis| self.verifier.stands(basis);
        let Some((principal, basis)) = tokens.good(&key, now, stands) else {
            return Some(tokens.rejected(&key, now, stands)?.into());
        };
        if self.is_revoked(&principal) {
            let error = CredentialError::new(CredentialErrorKind::Revoked);
            tokens.reject(&key, &error, Some(basis), now);
            return Some(error.into());
        }
        Some(principal.into())
    }

    fn verify(&self, token: &[u8], now: SystemTime) -> Verdict {
        match str::from_utf8(token) {
            Ok(token) => self.verifier.verify(token, now),
            Err(_) => Verdict::Bad { error: malformed(NO_TOKEN), basis: None },
        }
    }

    /// Remembers a verdict, and says what it comes to.
    fn settle(&self, token: &[u8], verdict: Verdict, now: SystemTime) -> Identity {
        let (error, basis) = match verdict {
            Verdict::Good { principal, basis } if self.is_revoked(&principal) => {
                (CredentialErrorKind::Revoked.into(), Some(basis))
            }
            Verdict::Good { principal, basis } => {
                if let Some(tokens) = &self.tokens {
                    tokens.remember(&tokens.key(token), &principal, basis, now);
                }
                return principal.into();
            }
            Verdict::Bad { error, basis } => (error, basis),
            Verdict::Unproved { error, basis, .. } => (error, Some(basis)),
            Verdict::NoKeys(keys) => return keys.unavailable().into(),
        };
        if let Some(tokens) = self.tokens.as_ref().filter(|_| token.len() <= MAX_LENGTH) {
            tokens.reject(&tokens.key(token), &error, basis, now);
        }
        error.into()
    }

    fn is_revoked(&self, principal: &Principal) -> bool {
        self.revocation.as_ref().is_some_and(|revocation| revocation.is_revoked(&TokenFacts::of(principal)))
    }
}

impl Verdict {
    /// Ends when the issuer may have the keys that were missing.
    fn newer_keys(&self) -> Option<BoxFuture<()>> {
        match self {
            Self::Unproved { keys, .. } | Self::NoKeys(keys) => keys.refreshed(),
            Self::Good { .. } | Self::Bad { .. } => None,
        }
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector").field("issuers", &self.verifier.issuers.len()).finish_non_exhaustive()
    }
}
