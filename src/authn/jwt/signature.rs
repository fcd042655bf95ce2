//! Proving who made a token (RFC 7515, section 5.2).

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto::CryptoProvider};
use serde_json::{Map, Value};

use super::object;
use crate::identity::{CredentialError, CredentialErrorKind};

/// Longer tokens are not looked at, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// The types that an access token can declare (RFC 7519, section 5.1 and RFC 9068, section 2.1). Tokens made for
/// something else, such as `logout+jwt`, declare so (RFC 8725, section 3.11).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// The backend is named rather than found by `jsonwebtoken`, which panics where the final binary has several.
static CRYPTO: &CryptoProvider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

/// A key and the one algorithm it is for: what the token says about either is at most compared (RFC 8725,
/// section 3.1).
#[derive(Clone, Debug)]
pub(super) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    pub(super) fn hs256(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) }
    }

    /// The claims of a compact token, if this key signed it.
    pub(super) fn claims(&self, token: &str) -> Result<Map<String, Value>, CredentialError> {
        if token.len() > MAX_LENGTH {
            return Err(malformed("the token is longer than 8 KiB"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| malformed("the token has no signature"))?;
        let (header, claims) = message.split_once('.').ok_or_else(|| malformed("the token has not three parts"))?;
        let header = json(header).ok_or_else(|| malformed("the header of the token cannot be read"))?;
        self.check_header(&header)?;
        self.check_signature(message, signature)?;
        json(claims).ok_or_else(|| malformed("the claims of the token cannot be read"))
    }

    fn check_header(&self, header: &Map<String, Value>) -> Result<(), CredentialError> {
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or_else(|| malformed("the token has no `alg`"))?;
        if Algorithm::from_str(algorithm).ok() != Some(self.algorithm) {
            return Err(CredentialErrorKind::AlgorithmNotAllowed.into());
        }
        if header.contains_key("crit") {
            return Err(not_accepted("the token has critical extensions, and none is understood"));
        }
        match header.get("typ") {
            None => Ok(()),
            Some(Value::String(name)) if is_access_token(name) => Ok(()),
            Some(_) => Err(not_accepted("the token is of a type that is no access token")),
        }
    }

    fn check_signature(&self, message: &str, signature: &str) -> Result<(), CredentialError> {
        let signature = decode(signature).ok_or_else(|| malformed("the signature of the token cannot be read"))?;
        let verifier = (CRYPTO.verifier_factory)(&self.algorithm, &self.key);
        match verifier.map(|verifier| verifier.verify(message.as_bytes(), &signature)) {
            Ok(Ok(())) => Ok(()),
            _ => Err(CredentialErrorKind::BadSignature.into()),
        }
    }
}

fn is_access_token(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TYPES.contains(&name.strip_prefix("application/").unwrap_or(&name))
}

fn json(part: &str) -> Option<Map<String, Value>> {
    object::parse(&decode(part)?)
}

/// Base64url without padding (RFC 7515, section 2); stray bits at the end would make two texts of one token.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

fn malformed(detail: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::Malformed).detail(detail)
}

fn not_accepted(detail: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::NotAccepted).detail(detail)
}
