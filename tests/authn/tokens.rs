//! Tokens for tests: well made, and made badly on purpose.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Request};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::CryptoProvider};
use serde_json::{Value, json};
use tower_authz::authn::{Jwt, JwtBuilder};

pub(crate) const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
pub(crate) const NOW: u64 = 1_800_000_000;

/// The backend under test, by name: the default of the process panics where there are two.
#[cfg(feature = "jwt")]
pub(crate) static CRYPTO: &CryptoProvider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
pub(crate) static CRYPTO: &CryptoProvider = &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

pub(crate) fn builder() -> JwtBuilder {
    Jwt::hs256(SECRET).leeway(Duration::from_secs(10)).clock(clock)
}

pub(crate) fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn encode(part: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Signs texts as they are, so that they can be wrong.
pub(crate) fn sign(header: &str, claims: &str) -> String {
    sign_with(SECRET, Algorithm::HS256, header, claims)
}

pub(crate) fn sign_with(secret: &[u8], algorithm: Algorithm, header: &str, claims: &str) -> String {
    sign_by(&EncodingKey::from_secret(secret), algorithm, header, claims)
}

pub(crate) fn sign_by(key: &EncodingKey, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let signature = (CRYPTO.signer_factory)(&algorithm, key).unwrap().try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", encode(&signature))
}

/// A good token, with `changes` to its claims; null takes one away.
pub(crate) fn token(changes: Value) -> String {
    let mut claims = json!({ "sub": "ada", "exp": NOW + 60 });
    extend(&mut claims, changes);
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    sign(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
}

pub(crate) fn extend(object: &mut Value, changes: Value) {
    let (Value::Object(members), Value::Object(changes)) = (object, changes) else { panic!("no object") };
    members.extend(changes);
}

pub(crate) fn bearing(token: &str) -> Request<()> {
    with_authorization(&[format!("Bearer {token}").as_bytes()])
}

pub(crate) fn with_authorization(lines: &[&[u8]]) -> Request<()> {
    let values = lines.iter().map(|line| HeaderValue::from_bytes(line).unwrap());
    values.fold(Request::get("/"), |builder, value| builder.header("authorization", value)).body(()).unwrap()
}
