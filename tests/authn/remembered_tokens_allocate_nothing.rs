use allocation_counter::measure;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response};
use serde_json::json;
use std::convert::Infallible;
use tower::{Layer, Service, service_fn};
use tower_authz::{
    Authentication, Authenticator, AuthzLayer, Head, Identity, Policy,
    authn::{self, Jwt, RevokedTokens, TokenCache},
};

use super::tokens::{bearing, builder, clock, token};

/// About 800 bytes, as providers make them.
fn usual() -> String {
    token(json!({ "roles": ["viewer"], "jti": "1", "sid": "2", "name": "n".repeat(500) }))
}

/// Every way to remember tokens, with a list of withdrawn ones that is asked each time.
fn verifiers() -> [(&'static str, Jwt); 2] {
    let revoked = RevokedTokens::with_clock(clock);
    revoked.revoke_id("another", clock());
    let of = |cache: TokenCache| builder().cache(cache).revocation(revoked.clone()).build().unwrap();
    [("tokens", of(TokenCache::new())), ("digests", of(TokenCache::new().digests()))]
}

#[test]
fn a_token_that_was_seen_is_known_without_an_allocation() {
    for (of, jwt) in verifiers() {
        let request = bearing(&usual());
        for (time, nothing) in [("first", false), ("second", true), ("third", true)] {
            let mut found = None;
            let count = measure(|| found = Some(jwt.authenticate(Head::from(&request)))).count_total;
            assert!(matches!(found, Some(Authentication::Ready(Identity::Authenticated(_)))), "{of}, {time} time");
            assert_eq!(count == 0, nothing, "{of}, {time} time: {count}");
        }
    }
}

/// What a layer allocates for the third request with these headers.
fn allocations(authenticator: impl Authenticator, headers: &HeaderMap) -> u64 {
    let policy = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": { "GET /": "viewer" } }"#;
    let layer = AuthzLayer::builder(Policy::from_json_str(policy).unwrap()).authenticator(authenticator);
    let answer = |_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(String::new())));
    let mut service = layer.build().unwrap().layer(service_fn(answer));
    let mut call = || {
        let mut request = Request::new(());
        headers.clone_into(request.headers_mut());
        let mut request = Some(request);
        let mut answered = None;
        let count = measure(|| answered = request.take().and_then(|request| service.call(request).now_or_never()));
        assert_eq!(answered.unwrap().unwrap().status(), 200);
        count.count_total
    };
    [call(), call(), call()][2]
}

#[test]
fn a_layer_that_knows_a_token_allocates_no_more_than_one_that_is_told_the_principal() {
    let ada = tower_authz::Principal::new("ada").roles(["viewer"]);
    let told = authn::from_fn(move |_| Some(ada.clone()));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", usual())).unwrap());
    let least = allocations(told, &headers);
    for (of, jwt) in verifiers() {
        assert_eq!(allocations(jwt, &headers), least, "{of}");
    }
}
