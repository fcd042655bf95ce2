//! Keys that tokens are verified with, read from secrets, PEM and JSON Web Keys (RFC 7517).
//!
//! A key is bound to the algorithms of its family. What a backend would panic at, or would read otherwise than
//! another, is refused here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde_json::{Map, Value};

use super::{
    algorithm::JwtAlgorithm::{self, EdDsa, Es256, Es384, Hs256, Hs384, Hs512},
    backend, object,
};

/// The shortest secret in bytes (RFC 7518, section 3.2).
pub(super) const MIN_SECRET: usize = 32;

/// The sizes of RSA keys that every backend verifies with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// How the keys of OpenSSH begin (RFC 4253, section 6.6; RFC 5656, section 3.1).
const SSH_KEYS: [&[u8]; 4] = [b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];

/// The `x` of the points of Ed25519 that are none when they are taken eight times, but for the sign; all that backends
/// read as one of them (RFC 8032, section 5.1.3). Everybody can sign for such a key.
const SMALL_ORDER: [&str; 7] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    "7P_______________________________________38",
    "7f_______________________________________38",
    "7v_______________________________________38",
];

/// A key, the algorithms that it is for, and the name that tokens call it by.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<Box<str>>,
    algorithms: Vec<JwtAlgorithm>,
    material: DecodingKey,
}

impl Key {
    fn new(algorithms: impl Into<Vec<JwtAlgorithm>>, material: DecodingKey) -> Self {
        Self { id: None, algorithms: algorithms.into(), material }
    }

    /// A secret, for the algorithms that it is long enough for.
    pub(super) fn secret(secret: &[u8]) -> Result<Self, String> {
        if is_text_of_a_key(secret) {
            return Err("it is the text of a key, and no secret".to_owned());
        }
        let least = [(Hs256, MIN_SECRET), (Hs384, 48), (Hs512, 64)];
        let fit = least.into_iter().filter(|(_, least)| secret.len() >= *least);
        Ok(Self::new(fit.map(|(algorithm, _)| algorithm).collect::<Vec<_>>(), DecodingKey::from_secret(secret)))
    }

    /// One public key in PEM: SPKI (RFC 5280, section 4.1) or, for RSA, PKCS #1 (RFC 8017, appendix A.1.1).
    pub(super) fn pem(text: &str) -> Result<Self, String> {
        let mut labels = text.split("-----BEGIN ").skip(1).map(|rest| rest.split("-----").next().unwrap_or_default());
        match (labels.next(), labels.next()) {
            (Some("PUBLIC KEY" | "RSA PUBLIC KEY"), None) => {}
            (Some(label), None) if label.ends_with("PRIVATE KEY") => {
                return Err("it is a private key, and a service that only verifies must not have it".to_owned());
            }
            (Some(label), None) => return Err(format!("`{label}` is no public key")),
            (None, _) => return Err("it is not PEM".to_owned()),
            (Some(_), Some(_)) => return Err("it has more than one part".to_owned()),
        }
        let pem = text.as_bytes();
        if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
            let (n, e) = key.try_get_as_bytes().ok().and_then(backend::rsa_components).ok_or("it is no RSA key")?;
            Self::rsa(&n, &e)
        } else if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            Self::ec(key.try_get_as_bytes().unwrap_or_default())
        } else if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            Self::ed25519(key.try_get_as_bytes().unwrap_or_default())
        } else {
            Err("it is neither RSA, nor on P-256, P-384 or Ed25519".to_owned())
        }
    }

    /// A JSON Web Key (RFC 7517, section 4).
    pub(super) fn jwk(jwk: &Map<String, Value>) -> Result<Self, String> {
        check_use(jwk)?;
        let key = match text(jwk, "kty")? {
            "RSA" => Self::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?,
            "EC" => Self::ec_coordinates(text(jwk, "crv")?, &bytes(jwk, "x")?, &bytes(jwk, "y")?)?,
            "OKP" => Self::octets(text(jwk, "crv")?, &bytes(jwk, "x")?)?,
            "oct" => Self::secret(&bytes(jwk, "k")?)?,
            other => return Err(format!("its type `{}` is not supported", other.escape_debug())),
        };
        let id = jwk.contains_key("kid").then(|| text(jwk, "kid").map(Into::into)).transpose()?;
        let named = jwk.contains_key("alg").then(|| text(jwk, "alg")).transpose()?;
        Self { id, ..key }.only_for(named)
    }

    /// A JSON Web Key that everybody can read: one that can sign as well as verify proves nothing then (RFC 7518,
    /// section 6; RFC 8037, section 2).
    #[cfg(feature = "jwks")]
    pub(super) fn published(jwk: &Map<String, Value>) -> Result<Self, String> {
        if ["d", "p", "q", "k"].into_iter().any(|secret| jwk.contains_key(secret)) {
            return Err("it is a secret, and published".to_owned());
        }
        Self::jwk(jwk)
    }

    fn only_for(mut self, algorithm: Option<&str>) -> Result<Self, String> {
        if let Some(name) = algorithm {
            let named = JwtAlgorithm::named(name);
            self.algorithms.retain(|algorithm| named == Some(*algorithm));
        }
        if self.algorithms.is_empty() {
            return Err("it is too short, or for an algorithm that is not supported".to_owned());
        }
        Ok(self)
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, String> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(format!("it has {bits} bits, and RSA keys need {} to {}", RSA_BITS.start(), RSA_BITS.end()));
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !is_odd(modulus) {
            return Err("its modulus is even".to_owned());
        }
        if !is_odd(exponent) || exponent == [1] || exponent.len() > 4 {
            return Err("its public exponent is out of range".to_owned());
        }
        Ok(Self::new(JwtAlgorithm::RSA, DecodingKey::from_rsa_raw_components(modulus, exponent)))
    }

    fn ec_coordinates(curve: &str, x: &[u8], y: &[u8]) -> Result<Self, String> {
        let size = match curve {
            "P-256" => 32,
            "P-384" => 48,
            other => return Err(unsupported_curve(other)),
        };
        if x.len() != size || y.len() != size {
            return Err(format!("its coordinates need {size} bytes each"));
        }
        Self::ec(&[&[4], x, y].concat())
    }

    /// An uncompressed point (SEC 1, section 2.3.3).
    fn ec(point: &[u8]) -> Result<Self, String> {
        let algorithm = match (point.len(), point.first()) {
            (65, Some(4)) => Es256,
            (97, Some(4)) => Es384,
            _ => return Err("it is no uncompressed point on P-256 or P-384".to_owned()),
        };
        Ok(Self::new([algorithm], DecodingKey::from_ec_der(point)))
    }

    /// A key of RFC 8037, section 2.
    fn octets(curve: &str, public: &[u8]) -> Result<Self, String> {
        match curve {
            "Ed25519" => Self::ed25519(public),
            other => Err(unsupported_curve(other)),
        }
    }

    fn ed25519(public: &[u8]) -> Result<Self, String> {
        let mut point = <[u8; 32]>::try_from(public).map_err(|_| "it needs 32 bytes".to_owned())?;
        let [.., sign] = &mut point;
        *sign &= 0x7F;
        if SMALL_ORDER.contains(&URL_SAFE_NO_PAD.encode(point).as_str()) {
            return Err("everybody can sign for it".to_owned());
        }
        Ok(Self::new([EdDsa], DecodingKey::from_ed_der(public)))
    }

    /// Whether a token that calls its key `id` can mean this one: one of the two may have no name.
    pub(super) fn may_be(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.id.as_deref().is_none_or(|own| own == id))
    }

    pub(super) fn is_called(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    pub(super) fn is_for(&self, algorithm: JwtAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(super) fn verify(&self, algorithm: JwtAlgorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        self.is_for(algorithm)
            && self.has_in_range(signature)
            && backend::verify(algorithm, &self.material, message, signature)
    }

    /// Whether a signature of RSA is less than the modulus, and as long (RFC 8017, sections 8.1.2 and 8.2.2): not every
    /// backend asks.
    fn has_in_range(&self, signature: &[u8]) -> bool {
        match self.material.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => signature.len() == n.len() && signature < n.as_slice(),
            DecodingKeyKind::SecretOrDer(_) => true,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let same = match (self.material.kind(), other.material.kind()) {
            (SecretOrDer(one), SecretOrDer(other)) => one == other,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                n == other_n && e == other_e
            }
            _ => false,
        };
        same && self.id == other.id && self.algorithms == other.algorithms
    }
}

/// RFC 7517, sections 4.2 and 4.3.
fn check_use(jwk: &Map<String, Value>) -> Result<(), String> {
    let for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig");
    let verifies = |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    if for_signatures && jwk.get("key_ops").is_none_or(verifies) {
        return Ok(());
    }
    Err("it is not for verifying signatures".to_owned())
}

/// Whether it is a key in PEM, of OpenSSH, or a JSON Web Key or a set of them.
fn is_text_of_a_key(secret: &[u8]) -> bool {
    let is_pem = secret.windows(11).any(|text| text == b"-----BEGIN ");
    is_pem || SSH_KEYS.iter().any(|kind| secret.starts_with(kind)) || object::parse(secret).is_some()
}

fn text<'a>(jwk: &'a Map<String, Value>, member: &str) -> Result<&'a str, String> {
    jwk.get(member).and_then(Value::as_str).ok_or_else(|| format!("its `{member}` is missing or no text"))
}

fn bytes(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).map_err(|_| format!("its `{member}` is not base64url without padding"))
}

fn unsupported_curve(name: &str) -> String {
    format!("the curve `{}` is not supported", name.escape_debug())
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let Some((0, rest)) = number.split_first() {
        number = rest;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.4: what is signed there is no object, so that only the key can be asked.
    #[test]
    fn the_example_of_rfc_8037_is_verified() {
        let jwk = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = Key::jwk(&object::parse(jwk).unwrap()).unwrap();
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(EdDsa, message.as_bytes(), &signature));
        assert!(!key.verify(EdDsa, message.replace('R', "S").as_bytes(), &signature));
        assert!(!key.verify(Es256, message.as_bytes(), &signature), "of another family");
        assert!(!key.verify(EdDsa, message.as_bytes(), &signature[1..].to_vec()));
        assert!(!key.verify(EdDsa, message.as_bytes(), &Vec::new()));
    }

    /// RFC 7520, sections 4.1, 4.2 and 4.4, where a sentence is signed.
    #[test]
    fn the_examples_of_rfc_7520_are_verified() {
        let rows: Value = serde_json::from_str(include_str!("../../../tests/authn/keys/rfc7520.json")).unwrap();
        for row in rows.as_array().unwrap() {
            let key = Key::jwk(row["key"].as_object().unwrap()).unwrap();
            let algorithm = JwtAlgorithm::named(row["algorithm"].as_str().unwrap()).unwrap();
            let (message, signature) = row["jws"].as_str().unwrap().rsplit_once('.').unwrap();
            let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            assert!(key.verify(algorithm, message.as_bytes(), &signature), "section {}", row["section"]);
            assert!(!key.verify(algorithm, &message.as_bytes()[1..], &signature), "section {}", row["section"]);
            signature[0] ^= 1;
            assert!(!key.verify(algorithm, message.as_bytes(), &signature), "section {}", row["section"]);
        }
    }

    /// What is taken for the same key is not put in force in its place.
    #[test]
    fn keys_are_the_same_where_name_algorithms_and_all_of_the_material_are() {
        use serde_json::json;
        let number = |last: u8| URL_SAFE_NO_PAD.encode([&[0xF0; 255][..], &[last]].concat());
        let rsa = |n: u8, e: &str| json!({ "kty": "RSA", "kid": "1", "n": number(n), "e": e });
        let secret = |last: u8| json!({ "kty": "oct", "kid": "1", "k": URL_SAFE_NO_PAD.encode([7, 7, 7, 7, 7, 7, 7, last].repeat(4)) });
        let with = |mut jwk: Value, member: &str, value: &str| {
            jwk[member] = value.into();
            jwk
        };
        let key = |jwk: &Value| Key::jwk(jwk.as_object().unwrap()).unwrap();
        for (name, one, other, same) in [
            ("an RSA key and itself", rsa(1, "AQAB"), rsa(1, "AQAB"), true),
            ("another modulus", rsa(1, "AQAB"), rsa(3, "AQAB"), false),
            ("another exponent", rsa(1, "AQAB"), rsa(1, "Aw"), false),
            ("both others", rsa(1, "AQAB"), rsa(3, "Aw"), false),
            ("another name", rsa(1, "AQAB"), with(rsa(1, "AQAB"), "kid", "2"), false),
            ("other algorithms", rsa(1, "AQAB"), with(rsa(1, "AQAB"), "alg", "RS256"), false),
            ("a secret and itself", secret(1), secret(1), true),
            ("another secret", secret(1), secret(2), false),
            ("another kind of key", secret(1), rsa(1, "AQAB"), false),
        ] {
            assert_eq!(key(&one) == key(&other), same, "{name}");
            assert_eq!(key(&other) == key(&one), same, "{name}");
        }
    }
}
