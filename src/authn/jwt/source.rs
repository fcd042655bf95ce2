//! Reading the principal out of the claims of a token.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::{
    identity::{CredentialError, CredentialErrorKind},
    principal::Principal,
};

/// Which claims hold the roles, and which the permissions.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) roles: Option<String>,
    pub(super) permissions: Option<String>,
}

impl Sources {
    pub(super) fn principal(
        &self,
        claims: Map<String, Value>,
        expires: SystemTime,
    ) -> Result<Principal, CredentialError> {
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| {
            CredentialError::new(CredentialErrorKind::Malformed).detail("the claim `sub` is missing, empty or no text")
        })?;
        let mut principal = Principal::new(subject).expires(expires);
        principal = read(principal, &claims, self.roles.as_deref(), role_names, Principal::roles);
        principal = read(principal, &claims, self.permissions.as_deref(), scopes, Principal::permissions);
        Ok(principal.claims(claims))
    }
}

/// Adds the names in a claim; one of the wrong type gives none and is a malformed source.
fn read<'a>(
    principal: Principal,
    claims: &'a Map<String, Value>,
    source: Option<&str>,
    names: impl FnOnce(&'a Value) -> Option<Vec<&'a str>>,
    add: impl FnOnce(Principal, Vec<&'a str>) -> Principal,
) -> Principal {
    let Some(source) = source else { return principal };
    let Some(value) = claims.get(source).filter(|value| !value.is_null()) else { return principal };
    match names(value) {
        Some(names) => add(principal, names),
        None => principal.malformed_source(source),
    }
}

/// A list of texts, or one text without blanks: whether blanks part roles cannot be known.
fn role_names(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(role) => (!role.contains(char::is_whitespace)).then(|| vec![role.as_str()]),
        other => texts(other),
    }
}

/// Texts parted by blanks (RFC 8693, section 4.2), or a list of texts.
fn scopes(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(scopes) => Some(scopes.split_ascii_whitespace().collect()),
        other => texts(other),
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}
