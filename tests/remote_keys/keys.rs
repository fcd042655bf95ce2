//! Keys by name, each made from its name, and tokens that they sign.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use serde_json::{Value, json};
use tower_authz::{Authenticator, Head, Identity, authn::Jwt};

/// The public part of a key, and the private part (PKCS #8).
type Pair = (Vec<u8>, Vec<u8>);

/// The key of this name, made when it is first asked for.
fn pair(name: &str) -> Pair {
    static PAIRS: LazyLock<Mutex<HashMap<String, Pair>>> = LazyLock::new(Mutex::default);
    let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
    let pair = pairs.entry(name.to_owned()).or_insert_with(|| {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        (pair.der_bytes().to_vec(), pair.serialize_der())
    });
    pair.clone()
}

pub(crate) fn jwk(name: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": name, "use": "sig", "x": URL_SAFE_NO_PAD.encode(pair(name).0) })
}

/// The same without its name.
pub(crate) fn nameless(name: &str) -> Value {
    let mut jwk = jwk(name);
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// A good token of `issuer` that the key of this name has signed.
pub(crate) fn token(issuer: &str, key: &str) -> String {
    token_saying(issuer, key, Some(key))
}

/// A token that says that its key is called `kid`.
pub(crate) fn token_saying(issuer: &str, key: &str, kid: Option<&str>) -> String {
    let expires = SystemTime::now() + Duration::from_secs(600);
    let expires = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let header = kid.map_or_else(|| json!({ "alg": "EdDSA" }), |kid| json!({ "alg": "EdDSA", "kid": kid }));
    let claims = json!({ "iss": issuer, "aud": "billing", "sub": "ada", "exp": expires });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let private = EncodingKey::from_ed_der(&pair(key).1);
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::EdDSA, &private).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer.try_sign(message.as_bytes()).unwrap()))
}

/// A token that names a key which nobody has.
pub(crate) fn token_with_invented_key(issuer: &str, index: usize) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(&json!({ "alg": "EdDSA", "kid": format!("invented-{index}") }));
    let claims = encode(&json!({ "iss": issuer, "aud": "billing", "sub": "eve", "exp": 9_999_999_999_u64 }));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 64]))
}

/// Whom a token names.
pub(crate) async fn identify(jwt: &Jwt, token: &str) -> Identity {
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    jwt.authenticate(Head::from(&request)).wait().await
}

/// What a token comes to, in a word or two.
pub(crate) async fn judge(jwt: &Jwt, token: &str) -> String {
    match identify(jwt, token).await {
        Identity::Authenticated(principal) => principal.subject().to_owned(),
        Identity::Rejected(error) => error.kind().as_str().to_owned(),
        Identity::Unavailable(_) => "unavailable".to_owned(),
        other => panic!("{other:?}"),
    }
}
