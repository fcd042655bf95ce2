//! By discovery or at a given address, from the issuer that was asked for and no other.

use serde_json::json;
use tower_authz::authn::{Issuer, Jwt, JwtErrorKind, Keys, RemoteKeys};

use super::*;

#[tokio::test]
async fn keys_are_found_by_discovery_and_without() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let by_name = Jwt::discover(&issuer).audience("billing").build().await.unwrap();
    let by_address = Jwt::remote(&issuer, RemoteKeys::jwks(provider.jwks())).audience("billing").build().await.unwrap();
    assert_eq!(provider.asked(), 3, "two for discovery");
    for jwt in [by_name, by_address] {
        assert_eq!(judge(&jwt, &token(&issuer, "a")).await, GOOD);
        assert_eq!(judge(&jwt, &token("https://other.example", "a")).await, "wrong-issuer");
    }
    assert_eq!(provider.asked(), 3);
}
