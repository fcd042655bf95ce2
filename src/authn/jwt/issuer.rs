//! An issuer that is trusted, and what its tokens must be like.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

#[cfg(feature = "jwks")]
use super::remote::RemoteKeys;
use super::{
    algorithm::JwtAlgorithm,
    error::{JwtError, JwtErrorKind},
    expectation::Expectation,
    keys::{KeySource, Keys},
    token::Typing,
};
use crate::authn::claims::ClaimMap;

/// An issuer that is trusted: its keys, what its tokens must say, and what its claims mean.
///
/// `exp` and a subject are always required, `nbf` is honoured, and tokens that are bound to a key of their sender
/// (`cnf`) are refused. Nothing that one issuer says counts for another.
///
/// ```
/// use tower_authz::authn::{ClaimMap, Issuer, Jwt, Keys};
///
/// let people = Issuer::new("https://id.example")
///     .keys(Keys::secret(&[7; 32]))
///     .audience("billing")
///     .claims(ClaimMap::new().roles("roles"));
/// let machines = Issuer::new("https://machines.example")
///     .keys(Keys::secret(&[8; 32]))
///     .audience("billing")
///     .claims(ClaimMap::new().roles("groups").rename_role("robots", "importer").only_renamed());
/// let jwt = Jwt::builder().trust(people).trust(machines).build()?;
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Issuer {
    name: Option<String>,
    keys: Option<Keys>,
    algorithms: Option<Vec<JwtAlgorithm>>,
    typing: Typing,
    expectation: Expectation,
    /// None where nothing was said of it.
    claims: Option<ClaimMap>,
}

impl Issuer {
    /// The issuer whose tokens have `name` in `iss`, letter by letter.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::unnamed() }
    }

    /// Whoever has the keys.
    pub(super) fn unnamed() -> Self {
        Self {
            name: None,
            keys: None,
            algorithms: None,
            typing: Typing::default(),
            expectation: Expectation::default(),
            claims: None,
        }
    }

    pub(super) fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// An issuer that publishes its keys, and where they are; see [`RemoteKeys::discovered`](super::RemoteKeys::discovered).
    #[cfg(feature = "jwks")]
    pub fn discover(name: impl Into<String>) -> Self {
        Self::new(name).keys(RemoteKeys::discovered())
    }

    /// The keys that sign its tokens.
    pub fn keys(self, keys: impl Into<Keys>) -> Self {
        Self { keys: Some(keys.into()), ..self }
    }

    /// The algorithms that count. By default HS256 for a secret, and RS256, ES256 and `EdDSA` for public keys. A key
    /// serves only those of its own family (RFC 8725, section 3.1).
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        Self { algorithms: Some(algorithms.into_iter().collect()), ..self }
    }

    /// Adds an audience. Tokens must be meant for one of them (`aud`). Without any, tokens that are meant for
    /// someone are refused (RFC 7519, section 4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expectation.audiences.push(audience.into());
        self
    }

    /// The claim that names the audience where it is not `aud`, such as the `client_id` of Amazon Cognito.
    pub fn audience_claim(mut self, claim: impl Into<String>) -> Self {
        self.expectation.audience_claim = claim.into();
        self
    }

    /// Tokens must have a claim of just this value.
    pub fn require(mut self, claim: impl Into<String>, value: impl Into<Value>) -> Self {
        self.expectation.required.push((claim.into(), value.into()));
        self
    }

    /// Tokens must say that they are access tokens: `typ` is `at+jwt` (RFC 9068, section 2.1). By default it may also
    /// be `JWT` or missing.
    pub fn access_tokens_only(self) -> Self {
        Self { typing: Typing::Required, ..self }
    }

    /// How far the clocks of issuer and service may differ; 30 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.expectation.leeway = leeway;
        self
    }

    /// What its claims mean; by default `roles` lists the roles, and no claim gives permissions. Where several issuers are
    /// trusted, it must be said of each: what one calls `admin` need not be what another calls so.
    pub fn claims(self, claims: ClaimMap) -> Self {
        Self { claims: Some(claims), ..self }
    }

    pub(super) fn map_claims(self, change: impl FnOnce(ClaimMap) -> ClaimMap) -> Self {
        let claims = change(self.claims.unwrap_or_else(usual_claims));
        Self { claims: Some(claims), ..self }
    }

    /// What the issuer is called in errors, if nothing was said of what its claims mean.
    pub(super) fn unmapped(&self) -> Option<String> {
        self.claims.is_none().then(|| self.title())
    }

    fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| "the issuer".to_owned(), |name| format!("the issuer `{name}`"))
    }

    pub(super) fn build(self) -> Result<TrustedIssuer, JwtError> {
        let title = self.title();
        let claims = self.claims.unwrap_or_else(usual_claims);
        if claims.is_undecided() {
            let message =
                "scopes are read beside roles or permissions: say with `scopes_are` whether scopes grant or limit";
            return Err(JwtError::new(JwtErrorKind::ScopesUndecided, message));
        }
        let keys = self.keys.ok_or_else(|| JwtError::new(JwtErrorKind::NoKeys, format!("{title} has no keys")))?;
        let source = keys.origin.open(self.name.as_deref())?;
        let algorithms = self.algorithms.unwrap_or_else(|| keys.default_algorithms.to_vec());
        if source.store().load().as_ref().is_some_and(|set| !set.serves(&algorithms)) {
            let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            let message =
                format!("{title} has no key that is fit for any of the allowed algorithms [{}]", names.join(", "));
            return Err(JwtError::new(JwtErrorKind::UnusableKey, message));
        }
        Ok(TrustedIssuer {
            name: self.name,
            keys: source,
            algorithms,
            typing: self.typing,
            expectation: self.expectation,
            claims,
        })
    }
}

fn usual_claims() -> ClaimMap {
    ClaimMap::new().roles("roles")
}

/// An issuer as it was set up.
pub(super) struct TrustedIssuer {
    /// None where any will do that has the keys; there is no other issuer then.
    pub(super) name: Option<String>,
    pub(super) keys: Arc<dyn KeySource>,
    pub(super) algorithms: Vec<JwtAlgorithm>,
    pub(super) typing: Typing,
    pub(super) expectation: Expectation,
    pub(super) claims: ClaimMap,
}
