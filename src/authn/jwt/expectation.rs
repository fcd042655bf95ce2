//! Whether a token is meant for us, and now (RFC 7519, section 4.1).

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::token::{malformed, not_accepted};
use crate::{
    clock::numeric_date,
    identity::{CredentialError, CredentialErrorKind},
};

/// What the claims of a token must say beside the name of its issuer.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    /// Any of these; a token with an audience is refused where none is listed.
    pub(super) audiences: Vec<String>,
    /// The claim that names the audience.
    pub(super) audience_claim: String,
    /// Claims that must have just these values.
    pub(super) required: Vec<(String, Value)>,
    pub(super) leeway: Duration,
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            audiences: Vec::new(),
            audience_claim: "aud".to_owned(),
            required: Vec::new(),
            leeway: Duration::from_secs(30),
        }
    }
}

impl Expectation {
    /// When the token expires, if the claims say what they must.
    pub(super) fn check(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, CredentialError> {
        self.check_audience(claims)?;
        self.check_required(claims)?;
        check_unbound(claims)?;
        check_issued(claims)?;
        check_names(claims)?;
        self.check_not_before(claims, now)?;
        self.check_expiry(claims, now)
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), CredentialError> {
        let is_ours = |audience: &Value| self.audiences.iter().any(|ours| audience.as_str() == Some(ours));
        let meant_for_us = match claims.get(&self.audience_claim) {
            None => self.audiences.is_empty(),
            Some(Value::Array(audiences)) => audiences.iter().all(Value::is_string) && audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
        };
        if meant_for_us { Ok(()) } else { Err(CredentialErrorKind::WrongAudience.into()) }
    }

    fn check_required(&self, claims: &Map<String, Value>) -> Result<(), CredentialError> {
        let differs = |(name, value): &&(String, Value)| claims.get(name) != Some(value);
        match self.required.iter().find(differs) {
            Some((name, _)) => Err(not_accepted(&format!("the claim `{name}` has not the value that it must have"))),
            None => Ok(()),
        }
    }

    fn check_not_before(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<(), CredentialError> {
        let Some(not_before) = time(claims, "nbf")? else { return Ok(()) };
        let now = now.checked_add(self.leeway).unwrap_or(now);
        if now < not_before { Err(CredentialErrorKind::NotYetValid.into()) } else { Ok(()) }
    }

    fn check_expiry(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, CredentialError> {
        let expires = time(claims, "exp")?.ok_or_else(|| no_time("exp"))?;
        let until = expires.checked_add(self.leeway).unwrap_or(expires);
        if now < until { Ok(expires) } else { Err(CredentialErrorKind::Expired.into()) }
    }
}

/// A token that is bound to a key of its sender (RFC 7800; RFC 9449, section 7.2) is worth nothing without the proof,
/// which a plain bearer token does not come with.
fn check_unbound(claims: &Map<String, Value>) -> Result<(), CredentialError> {
    match claims.get("cnf") {
        None => Ok(()),
        Some(_) => Err(not_accepted("the token is bound to a key of its sender, and was sent without a proof")),
    }
}

/// When a token was issued decides nothing, but must be a time (RFC 7519, section 4.1.6).
fn check_issued(claims: &Map<String, Value>) -> Result<(), CredentialError> {
    time(claims, "iat").map(drop)
}

/// What a token, its session and its issuer are called must be texts (RFC 7519, section 4.1): whoever withdraws tokens by
/// them would look for others in vain.
fn check_names(claims: &Map<String, Value>) -> Result<(), CredentialError> {
    let is_name = |claim: &str| matches!(claim, "iss" | "jti" | "sid");
    match claims.iter().find(|(claim, value)| is_name(claim) && !value.is_string()) {
        Some((claim, _)) => Err(malformed(&format!("the claim `{claim}` is no text"))),
        None => Ok(()),
    }
}

/// When a claim says; nothing where there is none.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<SystemTime>, CredentialError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    numeric_date(value).map(Some).ok_or_else(|| no_time(name))
}

fn no_time(claim: &str) -> CredentialError {
    malformed(&format!("the claim `{claim}` is missing or no time"))
}
