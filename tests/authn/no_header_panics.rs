use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use tower_authz::{
    Authenticator, Head, Principal,
    authn::{self, Client, Separator, TrustedHeaders},
};

use super::{property::holds, request_from};

const NAMES: [&str; 9] = [
    "authorization",
    "connection",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-roles",
    "x-scopes",
    "x-user",
    "x_user",
];

/// Values made of the bytes that mean something to a parser, and of any others.
fn value() -> impl Strategy<Value = HeaderValue> {
    let telling =
        "(for=|unknown|[0-9a-fA-F:.]{1,8}|Bearer |eyJ|[-\\[\\]\"\\\\,;=_ .~+/]){0,12}".prop_map(String::into_bytes);
    let any = prop::collection::vec(any::<u8>(), 0..64);
    let valid = |bytes: Vec<u8>| HeaderValue::from_bytes(&bytes).ok();
    prop_oneof![telling, any].prop_filter_map("not a header value", valid)
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let line = (prop::sample::select(NAMES.as_slice()), value());
    prop::collection::vec(line, 0..6).prop_map(|lines| {
        lines.into_iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(HeaderName::from_static(name), value);
            headers
        })
    })
}

fn request(headers: HeaderMap, trusted: bool) -> Request<()> {
    let peer = if trusted { "10.0.0.2:40000" } else { "203.0.113.7:40000" };
    let mut request = request_from(peer).body(()).unwrap();
    *request.headers_mut() = headers;
    request
}

fn chain() -> authn::Chain {
    let proxies = TrustedHeaders::from_proxies(["10.0.0.0/8"])
        .subject("x-user")
        .roles("x-roles", Separator::Comma)
        .permissions("x-scopes", Separator::Space);
    let chain = authn::Chain::new(proxies.build().unwrap()).or(authn::from_fn(|_| None::<Principal>));
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    let chain = chain.or(authn::Jwt::hs256(&[7; 32]).build().unwrap());
    chain.or(authn::principal_extension())
}

#[test]
fn no_header_makes_an_authenticator_panic_and_untrusted_ones_make_no_principal() {
    holds("invariant 6, headers and authenticators", 256, &(headers(), any::<bool>()), |(headers, trusted)| {
        let request = request(headers, trusted);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let identity = runtime.block_on(chain().authenticate(Head::from(&request)).wait());
        prop_assert!(trusted || identity.principal().is_none());
        Ok(1)
    });
}

#[test]
fn no_header_makes_the_client_address_panic_and_untrusted_ones_do_not_change_it() {
    holds("invariant 6, headers and addresses", 256, &(headers(), any::<bool>()), |(headers, trusted)| {
        let request = request(headers, trusted);
        let forwarded = Client::forwarded(["10.0.0.0/8"]).unwrap();
        for client in [forwarded.clone(), forwarded.rfc7239()] {
            let address = client.address(Head::from(&request)).unwrap();
            prop_assert!(trusted || address.to_string() == "203.0.113.7");
        }
        Ok(2)
    });
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[test]
fn nothing_that_is_properly_signed_makes_the_reader_of_tokens_panic() {
    let header = "(\\{\"alg\":\"HS256\"[\"a-z:,0-9\\[\\]{}]{0,20}\\}|\\{\"alg\":\"HS256\"\\})";
    let claims = "\\{\"sub\":\"ada\",\"exp\":(-?[0-9]{1,30}(\\.[0-9]{1,5})?([eE][0-9]{1,3})?|[\"a-z:,\\[\\]{}]{0,9})\\PC{0,30}\\}";
    holds("invariant 6, tokens that are signed", 256, &(header, claims), |(header, claims)| {
        let jwt = super::tokens::builder().scopes_claim("scope", authn::Scopes::Grant).build().unwrap();
        let request = super::tokens::bearing(&super::tokens::sign(&header, &claims));
        let ready = matches!(jwt.authenticate(Head::from(&request)), tower_authz::Authentication::Ready(_));
        prop_assert!(ready);
        Ok(1)
    });
}
