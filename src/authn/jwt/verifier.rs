//! The way of a token from text to principal.

use std::{sync::Arc, time::SystemTime};

use super::{issuer::TrustedIssuer, keys::KeySource, token::Token};
use crate::{
    identity::{CredentialError, CredentialErrorKind},
    principal::Principal,
};

/// Everybody who is trusted. Never empty.
pub(super) struct Verifier {
    pub(super) issuers: Box<[TrustedIssuer]>,
}

/// Which keys a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Basis {
    issuer: usize,
    generation: u64,
}

/// What was found out about a token.
pub(super) enum Verdict {
    Good {
        principal: Principal,
        basis: Basis,
    },
    /// It is no good; without a basis, whatever the keys are.
    Bad {
        error: CredentialError,
        basis: Option<Basis>,
    },
    /// It is no good with the keys in force, and the issuer may have newer ones, by which it could be.
    Unproved {
        error: CredentialError,
        basis: Basis,
        keys: Arc<dyn KeySource>,
    },
    /// The issuer has no keys yet.
    NoKeys(Arc<dyn KeySource>),
}

impl Verifier {
    pub(super) fn verify(&self, token: &str, now: SystemTime) -> Verdict {
        let read = Token::read(token).and_then(|token| self.issuer_of(&token).map(|issuer| (token, issuer)));
        let (token, (index, issuer)) = match read {
            Ok(read) => read,
            Err(error) => return Verdict::Bad { error, basis: None },
        };
        let set = issuer.keys.store().load();
        let Some(set) = &*set else { return Verdict::NoKeys(Arc::clone(&issuer.keys)) };
        let basis = Basis { issuer: index, generation: set.generation() };
        let proved = (token.check_header(&issuer.algorithms, issuer.typing))
            .and_then(|algorithm| token.check_signature(algorithm, set));
        if let Err(error) = proved {
            return if token.may_be_proved_by_others(&error, set) {
                Verdict::Unproved { error, basis, keys: Arc::clone(&issuer.keys) }
            } else {
                Verdict::Bad { error, basis: Some(basis) }
            };
        }
        let believed = (issuer.expectation.check(&token.claims, now))
            .and_then(|expires| Ok(issuer.claims.principal(token.claims)?.expires(expires)));
        match believed {
            Ok(principal) => Verdict::Good { principal, basis },
            Err(error) => Verdict::Bad { error, basis: Some(basis) },
        }
    }

    /// The issuer that the token says it is from, whose keys alone can prove it.
    fn issuer_of(&self, token: &Token<'_>) -> Result<(usize, &TrustedIssuer), CredentialError> {
        let named = token.claims.get("iss").and_then(serde_json::Value::as_str);
        let is_it = |issuer: &TrustedIssuer| issuer.name.as_deref().is_none_or(|name| Some(name) == named);
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| is_it(issuer));
        found.ok_or_else(|| CredentialErrorKind::WrongIssuer.into())
    }

    /// Waits until every issuer without keys was asked for some. They are asked at the same time.
    #[cfg(feature = "jwks")]
    pub(super) async fn first_keys(&self) {
        let without = self.issuers.iter().filter(|issuer| issuer.keys.store().load().is_none());
        for keys in without.filter_map(|issuer| issuer.keys.refreshed()) {
            keys.await;
        }
    }

    /// Whether the keys that a verdict rests on are still in force.
    pub(super) fn stands(&self, basis: Basis) -> bool {
        self.issuers.get(basis.issuer).is_some_and(|issuer| issuer.keys.store().generation() == basis.generation)
    }
}
