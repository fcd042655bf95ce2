//! Who sends the request that is explained.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use tower_authz::{
    Identity, Principal,
    authn::{ClaimMap, Scopes},
};

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
    /// A JSON Web Token whose claims count; it is decoded and not verified
    #[arg(long, value_name = "JWT")]
    token: Option<String>,
    /// The provider of the token, as in `ClaimMap`: `keycloak=CLIENT`, `auth0=NAMESPACE`, `entra`, `okta`, `cognito`,
    /// `google`, `rfc9068` or `kubernetes`. Without it `roles` gives roles and `scope` grants permissions
    #[arg(long, value_name = "PROVIDER", value_parser = provider, requires = "token")]
    claims_of: Option<ClaimMap>,
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("write `{text}=VALUE`"))?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}

fn provider(text: &str) -> Result<ClaimMap, String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    match (name, value) {
        ("keycloak", Some(client)) => Ok(ClaimMap::keycloak(client)),
        ("auth0", Some(namespace)) => Ok(ClaimMap::auth0(namespace)),
        ("entra", None) => Ok(ClaimMap::entra()),
        ("okta", None) => Ok(ClaimMap::okta()),
        ("cognito", None) => Ok(ClaimMap::cognito()),
        ("google", None) => Ok(ClaimMap::google()),
        ("rfc9068", None) => Ok(ClaimMap::rfc9068()),
        ("kubernetes", None) => Ok(ClaimMap::kubernetes()),
        _ => Err("the providers are keycloak=CLIENT, auth0=NAMESPACE, entra, okta, cognito, google, rfc9068 and \
                  kubernetes"
            .to_owned()),
    }
}

impl CallerArgs {
    /// The identity, and what is to be said about it. What is named on the command line is added to the token.
    pub(crate) fn identity(&self) -> Result<(Identity, Vec<&'static str>), Failure> {
        let is_anonymous = self.sub.is_none()
            && self.role.is_empty()
            && self.permission.is_empty()
            && self.claim.is_empty()
            && self.token.is_none();
        if is_anonymous {
            return Ok((Identity::Anonymous, Vec::new()));
        }
        let mut claims = self.token.as_deref().map(payload).transpose()?.unwrap_or_default();
        claims.extend(self.claim.iter().cloned());
        if let Some(subject) = &self.sub {
            claims.insert("sub".to_owned(), Value::from(subject.as_str()));
        }
        let Some(_) = &self.token else {
            let principal = Principal::new(self.sub.clone().unwrap_or_default()).claims(claims);
            return Ok((self.with_names(principal).into(), Vec::new()));
        };
        let plain = || ClaimMap::new().roles("roles").scopes("scope", Scopes::Grant);
        let principal = self.claims_of.clone().unwrap_or_else(plain).principal(claims);
        let mut notes =
            vec!["the token was decoded and not verified: neither its signature nor its times were checked"];
        if self.claims_of.is_none() {
            notes.push(
                "`roles` gives the roles and `scope` the permissions: say with `--claims-of` who the provider is",
            );
        }
        Ok((principal.map(|principal| self.with_names(principal)).into(), notes))
    }

    fn with_names(&self, principal: Principal) -> Principal {
        principal.roles(&self.role).permissions(&self.permission)
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
