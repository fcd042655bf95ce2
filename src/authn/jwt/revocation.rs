//! Tokens that were withdrawn before they expire.

use std::{fmt, sync::Arc, time::SystemTime};

use papaya::HashMap;
use serde_json::Value;

use crate::{
    clock::{Clock, SystemClock},
    principal::Principal,
};

/// Knows which tokens were withdrawn. It is asked for every request, so it must answer at once and from memory.
///
/// Closures work. [`RevokedTokens`] is a list in memory.
///
/// ```
/// use tower_authz::authn::{Jwt, TokenFacts};
///
/// let jwt = Jwt::hs256(&[7; 32]).revocation(|token: &TokenFacts<'_>| token.subject() == "mallory").build()?;
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
pub trait Revocation: Send + Sync + 'static {
    /// Whether the token was withdrawn.
    fn is_revoked(&self, token: &TokenFacts<'_>) -> bool;
}

impl<F> Revocation for F
where
    F: Fn(&TokenFacts<'_>) -> bool + Send + Sync + 'static,
{
    fn is_revoked(&self, token: &TokenFacts<'_>) -> bool {
        self(token)
    }
}

/// What a token says about itself, once it is proved.
#[derive(Clone, Copy, Debug)]
pub struct TokenFacts<'a> {
    principal: &'a Principal,
}

impl<'a> TokenFacts<'a> {
    pub(super) fn of(principal: &'a Principal) -> Self {
        Self { principal }
    }

    /// The identifier of the token (`jti`, RFC 7519, section 4.1.7). Different issuers may use the same one.
    pub fn id(&self) -> Option<&'a str> {
        self.text("jti")
    }

    /// The session that the token belongs to (`sid`, `OpenID` Connect Back-Channel Logout, section 2.4).
    pub fn session(&self) -> Option<&'a str> {
        self.text("sid")
    }

    /// Who the token is about.
    pub fn subject(&self) -> &'a str {
        self.principal.subject()
    }

    /// Who issued the token (`iss`).
    pub fn issuer(&self) -> Option<&'a str> {
        self.principal.issuer()
    }

    /// The principal that the token names, with all its claims.
    pub fn principal(&self) -> &'a Principal {
        self.principal
    }

    fn text(self, claim: &str) -> Option<&'a str> {
        self.principal.get_claim(claim).and_then(Value::as_str)
    }
}

/// Withdrawn tokens, kept in memory until they would have expired anyway. Clones share one list; reading takes no
/// lock.
///
/// The entries count for all issuers, or for one: see [`of_issuer`](Self::of_issuer).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_authz::authn::{Jwt, RevokedTokens};
///
/// let revoked = RevokedTokens::new();
/// let jwt = Jwt::hs256(&[7; 32]).revocation(revoked.clone()).build()?;
/// // At logout:
/// revoked.revoke_session("08a5019c", SystemTime::now() + Duration::from_secs(3600));
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone)]
pub struct RevokedTokens {
    lists: Arc<Lists>,
    /// The only issuer for whose tokens the entries count, if it is one.
    issuer: Option<Arc<str>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Lists {
    ids: List,
    sessions: List,
    subjects: List,
}

impl RevokedTokens {
    /// An empty list.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// An empty list with a clock of its own, for tests.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { lists: Arc::default(), issuer: None, clock: Arc::new(clock) }
    }

    /// Counts for tokens of `issuer` (`iss`) alone: those of others may have the same identifiers, sessions and
    /// subjects. Who trusts several issuers keeps a list for each.
    ///
    /// ```
    /// use tower_authz::authn::{Jwt, Revocation, RevokedTokens, TokenFacts};
    ///
    /// let lists =
    ///     ["https://staff.example", "https://guests.example"].map(|issuer| RevokedTokens::new().of_issuer(issuer));
    /// let [staff, guests] = lists.clone();
    /// let is_revoked = move |token: &TokenFacts<'_>| lists.iter().any(|list| list.is_revoked(token));
    /// let jwt = Jwt::hs256(&[7; 32]).revocation(is_revoked).build()?;
    /// # let _ = (staff, guests);
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    #[must_use]
    pub fn of_issuer(self, issuer: impl Into<Arc<str>>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// Withdraws the token with the identifier `id` (`jti`), which expires at `until`.
    pub fn revoke_id(&self, id: impl Into<String>, until: SystemTime) {
        self.lists.ids.add(id.into(), until, self.clock.now());
    }

    /// Withdraws all tokens of a session (`sid`), the last of which expires at `until`.
    pub fn revoke_session(&self, session: impl Into<String>, until: SystemTime) {
        self.lists.sessions.add(session.into(), until, self.clock.now());
    }

    /// Lets nobody in as `subject` before `until`, with old tokens or new ones.
    pub fn revoke_subject(&self, subject: impl Into<String>, until: SystemTime) {
        self.lists.subjects.add(subject.into(), until, self.clock.now());
    }

    /// How many entries are kept. Those that have expired go as others come.
    pub fn len(&self) -> usize {
        let Lists { ids, sessions, subjects } = &*self.lists;
        [ids, sessions, subjects].into_iter().map(|list| list.0.len()).sum()
    }

    /// Whether nothing is withdrawn.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for RevokedTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl Revocation for RevokedTokens {
    fn is_revoked(&self, token: &TokenFacts<'_>) -> bool {
        if self.issuer.as_deref().is_some_and(|issuer| token.issuer() != Some(issuer)) {
            return false;
        }
        let Lists { ids, sessions, subjects } = &*self.lists;
        let named = [(ids, token.id()), (sessions, token.session()), (subjects, Some(token.subject()))];
        named.into_iter().any(|(list, name)| name.is_some_and(|name| list.has(name, &*self.clock)))
    }
}

impl fmt::Debug for RevokedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevokedTokens").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Names, and until when each is kept.
#[derive(Default)]
struct List(HashMap<String, SystemTime>);

impl List {
    /// Keeps the later time of two. Expired names go whenever the number of names has reached a power of two, so that
    /// sweeping costs a constant for each name that is added.
    fn add(&self, name: String, until: SystemTime, now: SystemTime) {
        let list = self.0.pin();
        list.update_or_insert(name, |before| until.max(*before), until);
        if list.len().is_power_of_two() {
            list.retain(|_, until| *until > now);
        }
    }

    fn has(&self, name: &str, clock: &dyn Clock) -> bool {
        self.0.pin().get(name).is_some_and(|until| *until > clock.now())
    }
}
