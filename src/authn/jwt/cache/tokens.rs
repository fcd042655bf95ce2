//! The tokens that one verifier has looked at.

use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::{settings::TokenCache, table::Table};
use crate::{
    authn::jwt::verifier::Basis,
    identity::{CredentialError, CredentialErrorKind},
    principal::Principal,
};

/// The tokens that one verifier has looked at.
pub(in crate::authn::jwt) struct Tokens {
    good: Table<Good>,
    rejected: Table<Rejected>,
    rejected_for: Duration,
    digests: bool,
}

struct Good {
    principal: Principal,
    basis: Basis,
}

struct Rejected {
    error: CredentialError,
    basis: Option<Basis>,
}

/// What a token is remembered by.
pub(in crate::authn::jwt) enum Key<'t> {
    Token(&'t [u8]),
    Digest([u8; 32]),
}

impl Tokens {
    /// None where nothing is to be remembered.
    pub(in crate::authn::jwt) fn new(settings: TokenCache) -> Option<Self> {
        (settings.capacity > 0 || settings.rejected_capacity > 0).then(|| Self {
            good: Table::new(settings.capacity),
            rejected: Table::new(settings.rejected_capacity),
            rejected_for: settings.rejected_for,
            digests: settings.digests,
        })
    }

    /// What `token` is remembered by.
    #[inline]
    pub(in crate::authn::jwt) fn key<'t>(&self, token: &'t [u8]) -> Key<'t> {
        if self.digests { Key::Digest(Sha256::digest(token).into()) } else { Key::Token(token) }
    }

    /// Who sent a token, if that is remembered, as far as `stands` says that the keys are still in force.
    #[inline]
    pub(in crate::authn::jwt) fn good(
        &self,
        key: &Key<'_>,
        now: SystemTime,
        stands: impl FnOnce(Basis) -> bool,
    ) -> Option<(Principal, Basis)> {
        let copy = |good: &Good| stands(good.basis).then(|| (good.principal.clone(), good.basis));
        self.good.read(key.as_bytes(), now, copy)
    }

    /// Why a token is no good, if that is remembered, as far as `stands` says that the keys are still in force.
    pub(in crate::authn::jwt) fn rejected(
        &self,
        key: &Key<'_>,
        now: SystemTime,
        stands: impl FnOnce(Basis) -> bool,
    ) -> Option<CredentialError> {
        let copy = |rejected: &Rejected| rejected.basis.is_none_or(stands).then(|| rejected.error.clone());
        self.rejected.read(key.as_bytes(), now, copy)
    }

    /// Remembers a good token until it expires.
    pub(in crate::authn::jwt) fn remember(&self, key: &Key<'_>, principal: &Principal, basis: Basis, now: SystemTime) {
        let Some(until) = principal.expires_at() else { return };
        let good = Good { principal: principal.clone(), basis };
        self.good.insert(key.as_bytes(), good, until, now);
    }

    /// Remembers a rejected token for a short while, unless it may be good before that.
    pub(in crate::authn::jwt) fn reject(
        &self,
        key: &Key<'_>,
        error: &CredentialError,
        basis: Option<Basis>,
        now: SystemTime,
    ) {
        if matches!(error.kind(), CredentialErrorKind::UnknownKey | CredentialErrorKind::NotYetValid) {
            return;
        }
        let until = now.checked_add(self.rejected_for).unwrap_or(now);
        let rejected = Rejected { error: error.clone(), basis };
        self.good.remove(key.as_bytes());
        self.rejected.insert(key.as_bytes(), rejected, until, now);
    }
}

impl Key<'_> {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Token(token) => token,
            Self::Digest(digest) => digest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_token_only_the_digest_is_kept_where_that_is_asked_for() {
        let (token, now) = (b"a token", SystemTime::UNIX_EPOCH);
        for (settings, digests) in [(TokenCache::new(), false), (TokenCache::new().digests(), true)] {
            let tokens = Tokens::new(settings).unwrap();
            tokens.reject(&tokens.key(token), &CredentialErrorKind::Expired.into(), None, now);
            let holds = |key: &[u8]| tokens.rejected.read(key, now, |_| Some(())).is_some();
            assert_eq!((holds(token), holds(&Sha256::digest(token))), (!digests, digests), "{settings:?}");
            let is_found = |token: &[u8]| tokens.rejected(&tokens.key(token), now, |_| true).is_some();
            assert!(is_found(token) && !is_found(b"another"), "{settings:?}");
        }
    }
}
