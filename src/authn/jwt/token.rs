//! Taking a compact token apart (RFC 7515, section 3.1), and proving who made it (section 5.2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{algorithm::JwtAlgorithm, key_set::KeySet, object};
use crate::{
    authn::bearer,
    identity::{CredentialError, CredentialErrorKind},
};

/// Longer tokens are not looked at, in bytes. Entra ID makes tokens of 13 KB for who is in 200 groups.
pub(super) const MAX_LENGTH: usize = 16 * 1024;

/// Why a text is refused that is not even `token68`.
pub(super) const NO_TOKEN: &str = "the request holds no bearer token";

/// A token that was read, and that nothing is proved about.
#[derive(Debug)]
pub(super) struct Token<'a> {
    message: &'a str,
    signature: Vec<u8>,
    header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

/// Whether a token must say that it is an access token (RFC 9068, section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Typing {
    /// It may say nothing, `JWT` or `at+jwt`. Tokens made for something else, such as `logout+jwt`, say so (RFC 8725,
    /// section 3.11).
    #[default]
    Optional,
    /// It must say `at+jwt`.
    Required,
}

impl<'a> Token<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, CredentialError> {
        // What can be read is `token68`, so that is asked only where something cannot.
        let broken = |why: &str| malformed(if bearer::is_token68(token.as_bytes()) { why } else { NO_TOKEN });
        if token.len() > MAX_LENGTH {
            return Err(broken("the token is longer than 16 KiB"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| broken("the token has no signature"))?;
        let (header, claims) = message.split_once('.').ok_or_else(|| broken("the token has not three parts"))?;
        let unreadable = |part: &str| broken(&format!("the {part} of the token cannot be read"));
        Ok(Self {
            message,
            signature: decode(signature).ok_or_else(|| unreadable("signature"))?,
            header: json(header).ok_or_else(|| unreadable("header"))?,
            claims: json(claims).ok_or_else(|| unreadable("claims"))?,
        })
    }

    /// Compares what the header says with what is expected; it chooses nothing but which of the issuer's keys to try
    /// (RFC 8725, section 3.1).
    pub(super) fn check_header(
        &self,
        allowed: &[JwtAlgorithm],
        typing: Typing,
    ) -> Result<JwtAlgorithm, CredentialError> {
        let name = self.header.get("alg").and_then(Value::as_str).ok_or_else(|| malformed("the token has no `alg`"))?;
        let algorithm = JwtAlgorithm::named(name).filter(|algorithm| allowed.contains(algorithm));
        let algorithm = algorithm.ok_or(CredentialErrorKind::AlgorithmNotAllowed)?;
        if self.header.contains_key("crit") {
            return Err(not_accepted("the token has critical extensions, and none is understood"));
        }
        if self.header.get("b64").is_some_and(|encoded| *encoded != true) {
            return Err(not_accepted("the claims of the token are said not to be encoded (RFC 7797)"));
        }
        typing.check(self.header.get("typ"))?;
        Ok(algorithm)
    }

    /// Whether one of `keys` signed the token.
    pub(super) fn check_signature(&self, algorithm: JwtAlgorithm, keys: &KeySet) -> Result<(), CredentialError> {
        let mut candidates = keys.candidates(self.key_id()?, algorithm)?;
        if candidates.any(|key| key.verify(algorithm, self.message.as_bytes(), &self.signature)) {
            return Ok(());
        }
        Err(CredentialErrorKind::BadSignature.into())
    }

    /// Whether newer keys than `keys`, with which the token came to `error`, could prove it: the key that it means is not
    /// known, or it does not say which it means, or the keys that were tried do not say what they are called.
    pub(super) fn may_be_proved_by_others(&self, error: &CredentialError, keys: &KeySet) -> bool {
        match error.kind() {
            CredentialErrorKind::UnknownKey => true,
            CredentialErrorKind::BadSignature => self.key_id().is_ok_and(|id| id.is_none_or(|id| !keys.names(id))),
            _ => false,
        }
    }

    /// What the token calls its key (`kid`, RFC 7515, section 4.1.4).
    fn key_id(&self) -> Result<Option<&str>, CredentialError> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(id)) => Ok(Some(id)),
            Some(_) => Err(malformed("the `kid` of the token is no text")),
        }
    }
}

impl Typing {
    fn check(self, typ: Option<&Value>) -> Result<(), CredentialError> {
        let is = |name: &str, wanted: &str| {
            let (media, subtype) = name.split_once('/').unwrap_or(("application", name));
            media.eq_ignore_ascii_case("application") && subtype.eq_ignore_ascii_case(wanted)
        };
        match (self, typ) {
            (_, Some(Value::String(name))) if is(name, "at+jwt") => Ok(()),
            (Self::Optional, Some(Value::String(name))) if is(name, "jwt") => Ok(()),
            (Self::Optional, None) => Ok(()),
            _ => Err(not_accepted("the token is of a type that is no access token")),
        }
    }
}

fn json(part: &str) -> Option<Map<String, Value>> {
    object::parse(&decode(part)?)
}

/// Base64url without padding (RFC 7515, section 2); stray bits at the end would make two texts of one token.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

pub(super) fn malformed(detail: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::Malformed).detail(detail)
}

pub(super) fn not_accepted(detail: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::NotAccepted).detail(detail)
}
