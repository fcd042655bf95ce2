use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tower_authz::authn::{ClaimMap, Issuer, Jwt, JwtAlgorithm, JwtBuilder, JwtErrorKind, Keys};

use super::{
    identify,
    keys::{JWKS, RSA_PUBLIC, SECRET, pair, pairs},
    outcome,
    tokens::{NOW, bearing, extend, sign_by},
};

fn trusting(keys: Keys) -> JwtBuilder {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    Jwt::builder().keys(keys).clock(move || now)
}

async fn judge(builder: JwtBuilder, token: &str) -> String {
    outcome(&identify(&builder.build().unwrap(), &bearing(token)).await)
}

fn signed(key: &EncodingKey, algorithm: Algorithm, more: Value) -> String {
    let mut header = json!({ "alg": format!("{algorithm:?}") });
    extend(&mut header, more);
    sign_by(key, algorithm, &header.to_string(), &json!({ "sub": "ada", "exp": NOW + 60 }).to_string())
}

fn every_algorithm() -> Vec<JwtAlgorithm> {
    pairs().iter().flat_map(|pair| pair.algorithms).map(|(ours, _)| *ours).collect()
}

#[tokio::test]
async fn every_algorithm_verifies_with_its_key_and_with_no_other() {
    for signer in pairs() {
        for (ours, theirs) in signer.algorithms {
            let token = signed(&signer.private, *theirs, json!({}));
            for verifier in pairs() {
                let expected = if verifier.name == signer.name { "ada" } else { "rejected: algorithm-not-allowed" };
                let everything = trusting(verifier.public).algorithms(every_algorithm());
                assert_eq!(judge(everything, &token).await, expected, "{ours} by {}", verifier.name);
            }
            let (body, _) = token.rsplit_once('.').unwrap();
            let other = signed(&signer.private, *theirs, json!({ "x": 1 }));
            let (_, signature) = other.rsplit_once('.').unwrap();
            let moved = format!("{body}.{signature}");
            let found = judge(trusting(signer.public.clone()).algorithms([*ours]), &moved).await;
            assert_eq!(found, "rejected: bad-signature", "{ours}");
        }
    }
}

#[tokio::test]
async fn only_the_algorithms_that_the_operator_names_count() {
    for pair in pairs() {
        for (_, theirs) in pair.algorithms {
            let token = signed(&pair.private, *theirs, json!({}));
            for (allowed, _) in pair.algorithms {
                let expected =
                    if allowed.as_str() == format!("{theirs:?}") { "ada" } else { "rejected: algorithm-not-allowed" };
                let found = judge(trusting(pair.public.clone()).algorithms([*allowed]), &token).await;
                assert_eq!(found, expected, "{theirs:?} where {allowed} counts");
            }
        }
    }
}

#[tokio::test]
async fn without_a_word_the_usual_algorithm_of_each_key_counts() {
    for pair in pairs().into_iter().filter(|pair| pair.name != "p384") {
        for (ours, theirs) in pair.algorithms {
            let usual = ["HS256", "RS256", "ES256", "EdDSA"].contains(&ours.as_str());
            let expected = if usual { "ada" } else { "rejected: algorithm-not-allowed" };
            assert_eq!(
                judge(trusting(pair.public.clone()), &signed(&pair.private, *theirs, json!({}))).await,
                expected
            );
        }
    }
}

/// RFC 9864, section 2.2.
#[tokio::test]
async fn one_algorithm_has_two_names() {
    let key = |named: &str| {
        let set: Value = serde_json::from_str(JWKS).unwrap();
        let mut key = set["keys"].as_array().unwrap().iter().find(|key| key["crv"] == "Ed25519").unwrap().clone();
        extend(&mut key, json!({ "alg": named }));
        Keys::jwk(&key.to_string())
    };
    let private = pair("ed25519").private;
    let cases = [
        ("Ed25519", "ada"),
        ("EdDSA", "ada"),
        ("ED25519", "rejected: algorithm-not-allowed"),
        ("Ed448", "rejected: algorithm-not-allowed"),
    ];
    for (name, expected) in cases {
        let token = signed(&private, Algorithm::EdDSA, json!({ "alg": name }));
        for keys in [key("Ed25519"), key("EdDSA"), pair("ed25519").public] {
            assert_eq!(judge(trusting(keys), &token).await, expected, "{name}");
        }
        let found = judge(trusting(pair("p256").public), &token).await;
        assert_eq!(found, "rejected: algorithm-not-allowed", "{name} for a key of another family");
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let key: Value = serde_json::from_str::<Value>(JWKS).unwrap()["keys"][0].clone();
    let texts = [RSA_PUBLIC, RSA_PUBLIC.trim_end(), JWKS, &key.to_string(), key["n"].as_str().unwrap()];
    for text in texts {
        for keys in [Keys::pem(RSA_PUBLIC), Keys::jwks(JWKS), Keys::jwk(&key.to_string())] {
            for (algorithm, kid) in [(Algorithm::HS256, "rsa"), (Algorithm::HS512, "p256"), (Algorithm::HS256, "x")] {
                let forged = signed(&EncodingKey::from_secret(text.as_bytes()), algorithm, json!({ "kid": kid }));
                let found = judge(trusting(keys.clone()).algorithms(every_algorithm()), &forged).await;
                assert!(["rejected: algorithm-not-allowed", "rejected: unknown-key"].contains(&&*found), "{found}");
            }
        }
    }
}

/// What is meant to be public, or was meant for something else, is no secret, although it is long enough.
#[test]
fn the_text_of_a_key_is_no_secret() {
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    let texts = [
        RSA_PUBLIC,
        &format!("\n{RSA_PUBLIC}"),
        &format!("Bag Attributes\n{RSA_PUBLIC}"),
        include_str!("keys/rsa.pem"),
        include_str!("keys/ed25519.pub.pem"),
        certificate,
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPL1I9oiq",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHA",
        JWKS,
        &serde_json::from_str::<Value>(JWKS).unwrap()["keys"][0].to_string(),
    ];
    for text in texts {
        let oct = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(text) });
        for keys in [Keys::secret(text.as_bytes()), Keys::jwk(&oct.to_string())] {
            assert_refused(keys, JwtErrorKind::UnusableKey, "it is the text of a key");
        }
    }
    for text in ["{ braces and dashes ----- are fine }", "ssh! is no name of a kind of keys "] {
        assert!(Jwt::builder().keys(Keys::secret(text.as_bytes())).build().is_ok(), "{text}");
    }
}

/// Points of which a small multiple is none: everybody can sign for them.
#[test]
fn a_key_of_small_order_is_no_key() {
    let prime = |last: u8| [&[last][..], &[0xff; 30], &[0x7f]].concat();
    let short = |first: u8| [&[first][..], &[0; 31]].concat();
    let eighth = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    for point in [
        short(0),
        short(1),
        prime(0xec),
        prime(0xed),
        prime(0xee),
        eighth("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"),
        eighth("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"),
    ] {
        for sign in [0, 0x80] {
            let mut point = point.clone();
            point[31] |= sign;
            let x = URL_SAFE_NO_PAD.encode(&point);
            let keys = Keys::jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }).to_string());
            assert_refused(keys, JwtErrorKind::UnusableKey, "everybody can sign");
        }
    }
}

#[tokio::test]
async fn a_key_set_is_asked_by_name_and_its_unusable_keys_spoil_nothing() {
    let everything = || trusting(Keys::jwks(JWKS)).algorithms(every_algorithm());
    for pair in pairs().into_iter().filter(|pair| pair.name != "oct") {
        let (_, algorithm) = pair.algorithms[0];
        let cases = [
            (json!({ "kid": pair.name }), "ada"),
            (json!({}), "ada"),
            (json!({ "kid": "other" }), "rejected: unknown-key"),
            (json!({ "kid": "" }), "rejected: unknown-key"),
            (json!({ "kid": "../../keys/rsa" }), "rejected: unknown-key"),
            (json!({ "kid": "rsa' OR '1'='1" }), "rejected: unknown-key"),
            (json!({ "kid": "p521" }), "rejected: unknown-key"),
            (json!({ "kid": "for-encryption" }), "rejected: unknown-key"),
            (json!({ "kid": pair.name.to_uppercase() }), "rejected: unknown-key"),
            (json!({ "kid": 7 }), "rejected: malformed"),
            (json!({ "kid": [pair.name] }), "rejected: malformed"),
            (json!({ "kid": null }), "rejected: malformed"),
            (json!({ "kid": if pair.name == "rsa" { "p256" } else { "rsa" } }), "rejected: algorithm-not-allowed"),
        ];
        for (header, expected) in cases {
            let token = signed(&pair.private, algorithm, header.clone());
            assert_eq!(judge(everything(), &token).await, expected, "{} {header}", pair.name);
        }
    }
}

#[tokio::test]
async fn keys_that_come_with_the_token_are_not_looked_at() {
    let attacker = EncodingKey::from_secret(b"a secret of the attacker, long enough");
    let rsa = pair("rsa");
    let embedded = serde_json::from_str::<Value>(JWKS).unwrap()["keys"][0].clone();
    let headers = [
        json!({ "jwk": { "kty": "oct", "k": "YSBzZWNyZXQgb2YgdGhlIGF0dGFja2VyLCBsb25nIGVub3VnaA" } }),
        json!({ "jku": "https://attacker.example/jwks.json" }),
        json!({ "x5u": "https://attacker.example/cert.pem" }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "jwk": embedded, "kid": "rsa" }),
    ];
    for header in headers {
        let forged = signed(&attacker, Algorithm::HS256, header.clone());
        assert_eq!(judge(trusting(Keys::secret(SECRET)), &forged).await, "rejected: bad-signature", "{header}");
        let honest = signed(&rsa.private, Algorithm::RS256, header.clone());
        assert_eq!(judge(trusting(rsa.public.clone()), &honest).await, "ada", "{header} is ignored");
        assert_eq!(judge(trusting(pair("ed25519").public), &honest).await, "rejected: algorithm-not-allowed");
    }
}

#[tokio::test]
async fn one_key_is_the_same_in_every_form() {
    let set: Value = serde_json::from_str(JWKS).unwrap();
    let rsa = pair("rsa");
    let token = signed(&rsa.private, Algorithm::RS256, json!({ "kid": "rsa" }));
    let file = std::env::temp_dir().join(format!("tower-authz-{}.jwks", std::process::id()));
    std::fs::write(&file, JWKS).unwrap();
    let forms = [
        Keys::pem(RSA_PUBLIC),
        Keys::pem(include_str!("keys/rsa.pkcs1.pub.pem")),
        Keys::pem(&format!("Bag Attributes\n{RSA_PUBLIC}\n")),
        Keys::jwk(&set["keys"][0].to_string()),
        Keys::jwks(JWKS),
        Keys::jwks_file(&file),
    ];
    for (index, keys) in forms.into_iter().enumerate() {
        assert_eq!(judge(trusting(keys), &token).await, "ada", "form {index}");
    }
    std::fs::remove_file(file).unwrap();
}

/// Exponents have up to four bytes, of which zeros in front are none; of longer ones backends think differently.
#[tokio::test]
async fn an_rsa_key_verifies_whatever_its_exponent_within_bounds() {
    let set: Value = serde_json::from_str(JWKS).unwrap();
    let padded = |exponent: &str| {
        let mut key = set["keys"][0].clone();
        extend(&mut key, json!({ "e": exponent }));
        Keys::jwk(&key.to_string())
    };
    let usual = pair("rsa").private;
    let longest = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa-long-exponent.pem")).unwrap();
    for (name, keys, private) in [
        ("65537", padded("AQAB"), &usual),
        ("65537 with a zero in front", padded("AAEAAQ"), &usual),
        ("65537 with many zeros in front", padded("AAAAAAAAAQAB"), &usual),
        (
            "4294967291, the largest prime of four bytes",
            Keys::pem(include_str!("keys/rsa-long-exponent.pub.pem")),
            &longest,
        ),
    ] {
        assert_eq!(judge(trusting(keys), &signed(private, Algorithm::RS256, json!({}))).await, "ada", "{name}");
    }
}

#[test]
fn an_algorithm_is_shown_by_the_name_that_tokens_have_for_it() {
    let shown: Vec<_> = every_algorithm().iter().map(ToString::to_string).collect();
    let names =
        ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    assert_eq!(shown, names);
}

#[test]
fn keys_that_cannot_be_used_are_refused_when_the_authenticator_is_built() {
    use JwtErrorKind::{SecretTooShort, UnusableKey};
    let rsa = serde_json::from_str::<Value>(JWKS).unwrap()["keys"][0].clone();
    let with = |changes: Value| {
        let mut key = rsa.clone();
        extend(&mut key, changes);
        Keys::jwk(&key.to_string())
    };
    let private = include_str!("keys/rsa.pem");
    let twice = format!("{RSA_PUBLIC}{RSA_PUBLIC}");
    let cases = [
        (Keys::secret(&SECRET[..31]), SecretTooShort, "the secret has 31 bytes"),
        (Keys::pem(""), UnusableKey, "it is not PEM"),
        (Keys::pem(private), UnusableKey, "it is a private key"),
        (Keys::pem(&twice), UnusableKey, "it has more than one part"),
        (Keys::pem("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"), UnusableKey, "is no public key"),
        (Keys::pem("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----"), UnusableKey, "it is neither RSA"),
        (Keys::pem(include_str!("keys/rsa-1024.pub.pem")), UnusableKey, "it has 1024 bits"),
        (Keys::pem(include_str!("keys/p521.pub.pem")), UnusableKey, "no uncompressed point on P-256 or P-384"),
        (Keys::pem(include_str!("keys/p384.pub.pem")), UnusableKey, "no key that is fit"),
        (Keys::jwk("{}"), UnusableKey, "its `kty` is missing"),
        (Keys::jwk("[]"), UnusableKey, "it is not a JSON object"),
        (Keys::jwk(r#"{"kty":"RSA","kty":"RSA"}"#), UnusableKey, "it is not a JSON object"),
        (with(json!({ "kty": "AKP" })), UnusableKey, "its type `AKP` is not supported"),
        (with(json!({ "use": "enc" })), UnusableKey, "not for verifying"),
        (with(json!({ "key_ops": ["sign"] })), UnusableKey, "not for verifying"),
        (with(json!({ "alg": "RSA-OAEP" })), UnusableKey, "for an algorithm that is not supported"),
        (with(json!({ "alg": "ES256" })), UnusableKey, "for an algorithm that is not supported"),
        (with(json!({ "alg": "PS256" })), UnusableKey, "no key that is fit"),
        (with(json!({ "kid": 1 })), UnusableKey, "its `kid` is missing or no text"),
        (with(json!({ "n": "AQAB" })), UnusableKey, "it has 17 bits"),
        (with(json!({ "n": "=" })), UnusableKey, "its `n` is not base64url"),
        (with(json!({ "n": URL_SAFE_NO_PAD.encode([0xfe; 256]) })), UnusableKey, "its modulus is even"),
        (with(json!({ "e": "Ag" })), UnusableKey, "its public exponent"),
        (with(json!({ "e": "AQ" })), UnusableKey, "its public exponent"),
        (with(json!({ "e": "AQA" })), UnusableKey, "its public exponent"),
        (with(json!({ "e": "AQAAAAE" })), UnusableKey, "its public exponent"),
        (with(json!({ "e": "" })), UnusableKey, "its public exponent"),
        (Keys::jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#), UnusableKey, "it needs 32 bytes"),
        (Keys::jwk(r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#), UnusableKey, "the curve `Ed448` is not supported"),
        (
            Keys::jwk(r#"{"kty":"OKP","crv":"P-256","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
            UnusableKey,
            "the curve `P-256` is not supported",
        ),
        (Keys::jwk(r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#), UnusableKey, "the curve `secp256k1`"),
        (Keys::jwk(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#), UnusableKey, "its coordinates need 32 bytes"),
        (Keys::jwk(r#"{"kty":"oct","k":"AAAA"}"#), UnusableKey, "too short"),
    ];
    for (keys, kind, expected) in cases {
        assert_refused(keys, kind, expected);
    }
    let short = Jwt::builder().keys(Keys::secret(&SECRET[..47])).algorithms([JwtAlgorithm::Hs384]).build();
    assert_eq!(short.unwrap_err().kind(), UnusableKey);
}

#[test]
fn sets_of_keys_that_cannot_be_used_are_refused_when_the_authenticator_is_built() {
    use JwtErrorKind::{UnreadableKeys, UnusableKey};
    let cases = [
        (Keys::jwks("{}"), UnusableKey, "it has no list of `keys`"),
        (Keys::jwks(r#"{"keys":[]}"#), UnusableKey, "it is empty"),
        (Keys::jwks(r#"{"keys":[7,{"kty":"X"}]}"#), UnusableKey, "key 0: it is no object"),
        (Keys::jwks(r#"{"keys":[7,{"kty":"X"}]}"#), UnusableKey, "; key 1: its type `X`"),
        (
            Keys::jwks(r#"{"keys":[{"kty":"X","kty":"X"}]}"#),
            UnusableKey,
            "key 0: it is no object, or names a member twice",
        ),
        (Keys::jwks(r#"{"keys":[],"keys":[]}"#), UnusableKey, "names a member twice"),
        (Keys::jwks_file("/no/such/file"), UnreadableKeys, "`/no/such/file` cannot be read"),
    ];
    for (keys, kind, expected) in cases {
        assert_refused(keys, kind, expected);
    }
}

fn assert_refused(keys: Keys, kind: JwtErrorKind, expected: &str) {
    let error = Jwt::builder().trust(Issuer::new("https://id").keys(keys)).build().unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(expected), "`{error}` and `{expected}`");
}

/// RFC 7515, appendices A.1 to A.3, the first of which is the example of RFC 7519, section 3.1, too.
#[tokio::test]
async fn the_examples_of_the_specifications_are_verified() {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_300_819_000);
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let cases = [
        (
            "RFC 7515, A.1",
            r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
            JwtAlgorithm::Hs256,
            format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ),
        (
            "RFC 7515, A.2",
            r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
            JwtAlgorithm::Rs256,
            format!(
                "eyJhbGciOiJSUzI1NiJ9.{claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
            ),
        ),
        (
            "RFC 7515, A.3",
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            JwtAlgorithm::Es256,
            format!(
                "eyJhbGciOiJFUzI1NiJ9.{claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
            ),
        ),
    ];
    for (name, key, algorithm, token) in cases {
        let issuer = || Jwt::builder().keys(Keys::jwk(key)).algorithms([algorithm]).clock(move || then);
        let by_issuer = issuer().claims(ClaimMap::new().subject("iss"));
        assert_eq!(judge(by_issuer, &token).await, "joe", "{name}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let turned: String = signature.chars().rev().collect();
        assert_ne!(judge(issuer(), &format!("{message}.{turned}")).await, "joe", "{name}");
    }
}
