//! Bearer tokens are verified even where `jsonwebtoken` has no default backend for the process, as in a binary that
//! enables several: its own default then panics.
#![cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#![expect(clippy::panic, reason = "tests")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    crypto::{CryptoProvider, KeyUtils},
};
use tower_authz::{Authentication, Authenticator, Head, Identity, authn::Jwt};

#[cfg(feature = "jwt")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

static NO_DEFAULT: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| panic!("no default backend"),
    verifier_factory: |_, _| panic!("no default backend"),
    key_utils: KeyUtils::new_unimplemented(),
};

#[test]
fn tokens_are_verified_without_the_default_backend_of_the_process() {
    NO_DEFAULT.install_default().unwrap();
    let secret = [7; 32];
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(r#"{"sub":"ada","exp":99999999999}"#));
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, &EncodingKey::from_secret(&secret)).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer.try_sign(message.as_bytes()).unwrap()));

    let request = http::Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    let outcome = Jwt::hs256(&secret).build().unwrap().authenticate(Head::from(&request));
    assert!(matches!(outcome, Authentication::Ready(Identity::Authenticated(_))), "{outcome:?}");
}
