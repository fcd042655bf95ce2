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

/// What is remembered about a token.
pub(in crate::authn::jwt) enum Found {
    Good { principal: Principal, basis: Basis },
    Rejected(CredentialError),
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

    /// What is remembered about `token`, as far as `stands` says that its keys are still in force.
    #[inline]
    pub(in crate::authn::jwt) fn find(
        &self,
        token: &[u8],
        now: SystemTime,
        stands: impl Fn(Basis) -> bool,
    ) -> Option<Found> {
        self.under(token, |key| {
            let good = self.good.read(key, now, |good| {
                stands(good.basis).then(|| Found::Good { principal: good.principal.clone(), basis: good.basis })
            });
            good.flatten().or_else(|| {
                let found = self.rejected.read(key, now, |rejected| {
                    rejected.basis.is_none_or(&stands).then(|| Found::Rejected(rejected.error.clone()))
                });
                found.flatten()
            })
        })
    }

    /// Remembers a good token until it expires.
    pub(in crate::authn::jwt) fn remember(&self, token: &[u8], principal: &Principal, basis: Basis, now: SystemTime) {
        let Some(until) = principal.expires_at() else { return };
        let good = Good { principal: principal.clone(), basis };
        self.under(token, |key| self.good.insert(key, good, until, now));
    }

    /// Remembers a rejected token for a short while, unless it may be good before that.
    pub(in crate::authn::jwt) fn reject(
        &self,
        token: &[u8],
        error: &CredentialError,
        basis: Option<Basis>,
        now: SystemTime,
    ) {
        if matches!(error.kind(), CredentialErrorKind::UnknownKey | CredentialErrorKind::NotYetValid) {
            return;
        }
        let until = now.checked_add(self.rejected_for).unwrap_or(now);
        let rejected = Rejected { error: error.clone(), basis };
        self.under(token, |key| {
            self.good.remove(key);
            self.rejected.insert(key, rejected, until, now);
        });
    }

    fn under<R>(&self, token: &[u8], look: impl FnOnce(&[u8]) -> R) -> R {
        if self.digests { look(&Sha256::digest(token)) } else { look(token) }
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
            tokens.reject(token, &CredentialErrorKind::Expired.into(), None, now);
            let holds = |key: &[u8]| tokens.rejected.read(key, now, |_| ()).is_some();
            assert_eq!((holds(token), holds(&Sha256::digest(token))), (!digests, digests), "{settings:?}");
            let is_found = |token: &[u8]| tokens.find(token, now, |_| true).is_some();
            assert!(is_found(token) && !is_found(b"another"), "{settings:?}");
        }
    }
}
