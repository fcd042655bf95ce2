//! How tokens are remembered.

use std::time::Duration;

/// How tokens that were looked at are remembered, so that the next request with the same one costs next to nothing.
///
/// A good token is remembered until it expires, until the keys of its issuer change, or until it is revoked; a
/// rejected one for a short while. Both are bounded: what was not used lately goes first. Tokens with an unknown key,
/// or whose time has not come, are not remembered.
///
/// What is remembered is found by a hash of the whole token and known by comparing every byte, so a collision can make a
/// look-up slower, and never gives one caller the identity of another. The hash is seeded at random for each
/// verifier: without the seed nobody can choose tokens that collide, and were it guessed, no more than
/// [`rejected_capacity`](Self::rejected_capacity) of them would be in the way, since good tokens are kept apart from
/// what anybody can send.
///
/// ```
/// use tower_authz::authn::{Jwt, TokenCache};
///
/// let jwt = Jwt::hs256(&[7; 32]).cache(TokenCache::new().capacity(100_000).digests()).build()?;
/// let uncached = Jwt::hs256(&[7; 32]).cache(TokenCache::off()).build()?;
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct TokenCache {
    pub(super) capacity: usize,
    pub(super) rejected_capacity: usize,
    pub(super) rejected_for: Duration,
    pub(super) digests: bool,
}

impl TokenCache {
    /// 10,000 good tokens, and 1,000 rejected ones for ten seconds.
    pub fn new() -> Self {
        Self { capacity: 10_000, rejected_capacity: 1_000, rejected_for: Duration::from_secs(10), digests: false }
    }

    /// Every token is verified anew.
    pub fn off() -> Self {
        Self { capacity: 0, rejected_capacity: 0, ..Self::new() }
    }

    /// How many good tokens are remembered; none with 0.
    pub fn capacity(self, tokens: usize) -> Self {
        Self { capacity: tokens, ..self }
    }

    /// How many rejected tokens are remembered; none with 0.
    pub fn rejected_capacity(self, tokens: usize) -> Self {
        Self { rejected_capacity: tokens, ..self }
    }

    /// How long a rejected token is remembered.
    pub fn rejected_for(self, time: Duration) -> Self {
        Self { rejected_for: time, ..self }
    }

    /// Remembers the SHA-256 digests of tokens rather than the tokens, so that none can be read out of the memory of
    /// the process. It costs about half a microsecond a request.
    pub fn digests(self) -> Self {
        Self { digests: true, ..self }
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new()
    }
}
