//! Setting up [`Jwt`].

use std::{collections::HashSet, fmt, marker::PhantomData, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    algorithm::JwtAlgorithm,
    authenticator::Jwt,
    cache::{TokenCache, Tokens},
    error::{JwtError, JwtErrorKind},
    inspector::Inspector,
    issuer::{Issuer, TrustedIssuer},
    keys::Keys,
    revocation::Revocation,
    verifier::Verifier,
};
use crate::{
    authn::{
        Bearer,
        claims::{ClaimMap, Scopes},
    },
    challenge::Challenge,
    clock::{Clock, SystemClock},
};

/// Builds [`Jwt`].
///
/// What is said about audience, leeway, claims and the like is about the one issuer that the builder began with; further
/// issuers bring their own along.
#[must_use]
pub struct JwtBuilder<B = AtOnce> {
    first: Option<Issuer>,
    others: Vec<Issuer>,
    places: Vec<Bearer>,
    challenge: Challenge,
    strip_authorization: bool,
    cache: TokenCache,
    revocation: Option<Box<dyn Revocation>>,
    clock: Arc<dyn Clock>,
    building: PhantomData<fn() -> B>,
}

/// [Building](JwtBuilder::build) waits for nothing.
#[derive(Clone, Copy, Debug)]
pub enum AtOnce {}

/// [Building](JwtBuilder::build) waits until every provider was asked for its keys once.
#[cfg(feature = "jwks")]
#[derive(Clone, Copy, Debug)]
pub enum Awaited {}

impl<B> JwtBuilder<B> {
    pub(super) fn new() -> Self {
        Self {
            first: None,
            others: Vec::new(),
            places: Vec::new(),
            challenge: Challenge::bearer(),
            strip_authorization: false,
            cache: TokenCache::new(),
            revocation: None,
            clock: Arc::new(SystemClock),
            building: PhantomData,
        }
    }

    pub(super) fn beginning_with(issuer: Issuer) -> Self {
        Self { first: Some(issuer), ..Self::new() }
    }

    fn first(self, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self { first: Some(change(self.first.unwrap_or_else(Issuer::unnamed))), ..self }
    }

    /// Trusts an issuer. The `iss` of a token says which issuer's keys, audiences and claim map count for it.
    ///
    /// Two issuers may call different people by the same name (`sub`, RFC 7519, section 4.1.2). So name the issuer, too,
    /// where a rule goes by the subject, as in `"claims": { "sub": "{id}", "iss": "https://id.example" }`, and where a
    /// service keeps something for one: [`Principal::issuer`](crate::Principal::issuer).
    pub fn trust(mut self, issuer: Issuer) -> Self {
        self.others.push(issuer);
        self
    }

    /// The keys that sign the tokens.
    pub fn keys(self, keys: impl Into<Keys>) -> Self {
        self.first(|issuer| issuer.keys(keys))
    }

    /// The algorithms that count; see [`Issuer::algorithms`].
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        self.first(|issuer| issuer.algorithms(algorithms))
    }

    /// The issuer that tokens must come from (`iss`); without it any will do that knows the secret.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.first(|first| first.named(issuer))
    }

    /// Adds an audience. Tokens must be meant for one of them (`aud`). Without any, tokens that are meant for
    /// someone are refused (RFC 7519, section 4.1.3).
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.first(|issuer| issuer.audience(audience))
    }

    /// The claim that names the audience where it is not `aud`; see [`Issuer::audience_claim`].
    pub fn audience_claim(self, claim: impl Into<String>) -> Self {
        self.first(|issuer| issuer.audience_claim(claim))
    }

    /// Tokens must have a claim of just this value.
    pub fn require(self, claim: impl Into<String>, value: impl Into<Value>) -> Self {
        self.first(|issuer| issuer.require(claim, value))
    }

    /// Tokens must say that they are access tokens; see [`Issuer::access_tokens_only`].
    pub fn access_tokens_only(self) -> Self {
        self.first(Issuer::access_tokens_only)
    }

    /// How far the clocks of issuer and service may differ; 30 seconds by default.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.first(|issuer| issuer.leeway(leeway))
    }

    /// What the claims mean; by default `roles` lists the roles, and no claim gives permissions.
    pub fn claims(self, claims: ClaimMap) -> Self {
        self.first(|issuer| issuer.claims(claims))
    }

    /// The claim that lists the roles, `roles` by default: a list of texts, or one text. It never gives permissions.
    pub fn roles_claim(self, claim: impl Into<String>) -> Self {
        self.first(|issuer| issuer.map_claims(|map| map.only_roles(claim.into())))
    }

    /// The claim that lists scopes, such as `scope`: texts parted by blanks, or a list of texts; and what they do beside the
    /// roles. By default no claim gives permissions; none ever gives roles.
    pub fn scopes_claim(self, claim: impl Into<String>, are: Scopes) -> Self {
        self.first(|issuer| issuer.map_claims(|map| map.only_scopes(claim.into(), are)))
    }

    /// Looks for the token in one more place. A request with tokens in several places is refused (RFC 6750,
    /// section 2).
    pub fn also_from(mut self, place: Bearer) -> Self {
        self.places.push(place);
        self
    }

    /// How tokens that were looked at are remembered.
    pub fn cache(self, cache: TokenCache) -> Self {
        Self { cache, ..self }
    }

    /// Asks whether a token was withdrawn, for every request.
    pub fn revocation(self, revocation: impl Revocation) -> Self {
        Self { revocation: Some(Box::new(revocation)), ..self }
    }

    /// The realm of the challenge (RFC 9110, section 11.5).
    pub fn realm(self, realm: impl AsRef<str>) -> Self {
        Self { challenge: self.challenge.realm(realm.as_ref()), ..self }
    }

    /// Where clients find the [metadata](crate::authn::ResourceMetadata) of this service, such as which issuers it trusts:
    /// the parameter `resource_metadata` of challenges (RFC 9728, section 5.1).
    pub fn resource_metadata(self, url: impl AsRef<str>) -> Self {
        Self { challenge: self.challenge.param("resource_metadata", url.as_ref()), ..self }
    }

    /// Whether `Authorization` is removed from forwarded requests; by default services behind the layer see it.
    pub fn strip_authorization(self, strip: bool) -> Self {
        Self { strip_authorization: strip, ..self }
    }

    /// Where the time comes from, for tests.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    fn finish(self) -> Result<Jwt, JwtError> {
        let issuers: Vec<_> = self.first.into_iter().chain(self.others).collect();
        let unmapped = issuers.iter().find_map(Issuer::unmapped).filter(|_| issuers.len() > 1);
        let issuers = issuers.into_iter().map(Issuer::build).collect::<Result<Box<[_]>, _>>()?;
        check_names(&issuers)?;
        if let Some(title) = unmapped {
            let message = format!("several issuers are trusted: say with `claims` what the claims of {title} mean");
            return Err(JwtError::new(JwtErrorKind::UnmappedClaims, message));
        }
        let inspector = Inspector {
            verifier: Verifier { issuers },
            tokens: Tokens::new(self.cache),
            revocation: self.revocation,
            clock: self.clock,
        };
        Ok(Jwt {
            inspector: Arc::new(inspector),
            places: self.places.into(),
            challenge: self.challenge,
            strip_authorization: self.strip_authorization,
        })
    }
}

impl JwtBuilder {
    /// The authenticator. Remote keys begin to be fetched, and tokens that come before they are there wait for them.
    ///
    /// # Errors
    ///
    /// There is no issuer, two have one name, or one of several has none, or no map of its claims; an issuer has no keys,
    /// none that can be used with the algorithms that are allowed, or a secret of less than 32 bytes; or scopes were to be
    /// read beside roles or permissions without saying what they do. With remote keys, also if an issuer has no name, an
    /// address cannot be used, or there is no runtime of tokio with timers.
    pub fn build(self) -> Result<Jwt, JwtError> {
        self.finish()
    }
}

#[cfg(feature = "jwks")]
impl JwtBuilder<Awaited> {
    /// The authenticator, once every provider was asked for its keys. A provider that cannot answer now is no error:
    /// tokens of its issuer are answered 503 until there are keys, which needs nobody's help.
    ///
    /// # Errors
    ///
    /// As for [`JwtBuilder::build`] of builders that wait for nothing.
    pub async fn build(self) -> Result<Jwt, JwtError> {
        let jwt = self.finish()?;
        jwt.inspector.verifier.first_keys().await;
        Ok(jwt)
    }
}

fn check_names(issuers: &[TrustedIssuer]) -> Result<(), JwtError> {
    if issuers.is_empty() {
        return Err(JwtError::new(JwtErrorKind::NoKeys, "no issuer is trusted"));
    }
    let ambiguous = |message: String| Err(JwtError::new(JwtErrorKind::AmbiguousIssuer, message));
    if issuers.len() > 1 && issuers.iter().any(|issuer| issuer.name.is_none()) {
        return ambiguous("of several issuers each needs a name, as tokens have it in `iss`".to_owned());
    }
    let mut names = HashSet::new();
    let repeated = issuers.iter().filter_map(|issuer| issuer.name.as_ref()).find(|name| !names.insert(*name));
    repeated.map_or(Ok(()), |name| ambiguous(format!("the issuer `{name}` is trusted twice")))
}

impl<B> fmt::Debug for JwtBuilder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder").field("first", &self.first).field("others", &self.others).finish_non_exhaustive()
    }
}
