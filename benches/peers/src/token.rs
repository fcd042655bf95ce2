//! The token: one that every contender understands, of about 800 bytes, signed with HS256.

use axum_gate::{accounts::Account, authz::AccessHierarchy, prelude::Group, uuid::Uuid};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub const SECRET: &[u8; 32] = b"a secret of the peers' benchmark";
pub const ISSUER: &str = "https://id.example/realms/peers";
pub const AUDIENCE: &str = "peers";
pub const KEY_ID: &str = "2026-01";
/// 2100-01-01.
const EXPIRES: u64 = 4_102_444_800;

/// The roles as an enumeration, which axum-gate wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Admin,
    #[default]
    Viewer,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        })
    }
}

impl AccessHierarchy for Role {}

/// The claims that a handler usually reads.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: Vec<String>,
    pub sub: String,
    pub exp: u64,
    pub roles: Vec<String>,
    pub scope: String,
    pub email: String,
}

impl Claims {
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}

/// A token for `name`, who has one role.
pub fn signed(name: &str, role: &str) -> String {
    let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims(name, role), &EncodingKey::from_secret(SECRET)).expect("claims are JSON")
}

fn claims(name: &str, role: &str) -> Value {
    let roles = if role == "admin" { [Role::Admin] } else { [Role::Viewer] };
    let account = Account::<Role, Group> { account_id: Uuid::nil(), ..Account::new(name, &roles, &[]) };
    let mut claims = serde_json::to_value(account).expect("accounts are JSON");
    let standard = json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": name, "exp": EXPIRES, "iat": 1_700_000_000, "nbf": 1_700_000_000,
        "jti": "6f1c2f7e-1d52-4b7e-9b4e-0c9f5a3b1d2e", "scope": role, "email": format!("{name}@example.com"),
        "name": "Ada Lovelace", "plan": "pro", "sid": "0b0f7f3c-53a8-4a83-a3bb-6a9a7d4a3e1c", "email_verified": true,
        "preferred_username": name, "given_name": "Ada", "azp": "single-page-app",
    });
    let Value::Object(standard) = standard else { unreachable!("it is written as an object") };
    claims.as_object_mut().expect("accounts are objects").extend(standard);
    claims
}

/// The key of [`SECRET`] as a JSON Web Key Set (RFC 7517).
pub fn key_set() -> String {
    use jsonwebtoken::jwk::{Jwk, JwkSet};
    let mut key = Jwk::from_encoding_key(&EncodingKey::from_secret(SECRET), Algorithm::HS256).expect("a sound key");
    key.common.key_id = Some(KEY_ID.to_owned());
    serde_json::to_string(&JwkSet { keys: vec![key] }).expect("key sets are JSON")
}
