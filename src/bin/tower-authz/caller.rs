//! Who sends the request that is explained.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use tower_authz::{Identity, Principal};

use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Caller")]
pub(crate) struct CallerArgs {
    /// The subject
    #[arg(long, value_name = "SUBJECT")]
    sub: Option<String>,
    /// A role; may be repeated
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// A permission; may be repeated
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// A claim, whose value is JSON or else text; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// A JSON Web Token whose `sub`, `roles`, `scope` and other claims count; it is decoded and not verified
    #[arg(long, value_name = "JWT")]
    token: Option<String>,
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("write `{text}=VALUE`"))?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}

impl CallerArgs {
    /// The identity, and what is to be said about it. What is named on the command line is added to the token.
    pub(crate) fn identity(&self) -> Result<(Identity, Vec<String>), Failure> {
        let is_anonymous = self.sub.is_none()
            && self.role.is_empty()
            && self.permission.is_empty()
            && self.claim.is_empty()
            && self.token.is_none();
        if is_anonymous {
            return Ok((Identity::Anonymous, Vec::new()));
        }
        let mut claims = self.token.as_deref().map(payload).transpose()?.unwrap_or_default();
        let subject = self.sub.clone().or_else(|| claims.get("sub")?.as_str().map(ToOwned::to_owned));
        let roles = names(claims.get("roles"));
        let permissions = names(claims.get("scope"));
        claims.extend(self.claim.iter().cloned());
        if let Some(subject) = &self.sub {
            claims.insert("sub".to_owned(), Value::from(subject.as_str()));
        }
        let principal = Principal::new(subject.unwrap_or_default())
            .roles(&roles)
            .roles(&self.role)
            .permissions(&permissions)
            .permissions(&self.permission)
            .claims(claims);
        let notes = self.token.as_ref().map(|_| {
            "the token was decoded and not verified: neither its signature nor its times were checked; \
             `roles` gives the roles and `scope` the permissions"
                .to_owned()
        });
        Ok((principal.into(), notes.into_iter().collect()))
    }
}

/// The claims of a token in the compact form (RFC 7519, section 3).
fn payload(token: &str) -> Result<Map<String, Value>, Failure> {
    let unusable = |why: &str| Failure::Input(format!("the token cannot be decoded: {why}"));
    let [_, payload, _] = token.trim().split('.').collect::<Vec<_>>()[..] else {
        return Err(unusable("it does not have three parts"));
    };
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|error| unusable(&error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| unusable(&error.to_string()))
}

/// A list of texts, or one text parted by blanks.
fn names(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(names)) => names.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}
