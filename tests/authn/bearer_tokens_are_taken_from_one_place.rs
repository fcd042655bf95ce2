use http::Request;
use serde_json::json;
use tower_authz::{
    Authenticator,
    authn::{Chain, Jwt, JwtErrorKind, principal_extension},
};

use super::{
    identify, outcome,
    tokens::{SECRET, builder, token, with_authorization},
};

#[tokio::test]
async fn authorization_holds_one_bearer_token_or_the_caller_is_told_so() {
    let good = token(json!({}));
    let with = |before: &str, after: &str| vec![format!("{before}{good}{after}").into_bytes()];
    let text = |line: &str| vec![line.as_bytes().to_vec()];
    let cases = [
        (vec![], "anonymous"),
        (with("Bearer ", ""), "ada"),
        (with("bearer ", ""), "ada"),
        (with("BEARER ", ""), "ada"),
        (with("Bearers ", ""), "anonymous"),
        (with("Bearer-x ", ""), "anonymous"),
        (with("Basic ", ""), "anonymous"),
        (with("DPoP ", ""), "anonymous"),
        (with("", ""), "anonymous"),
        (text(""), "anonymous"),
        (text("Bear"), "anonymous"),
        (text("Bearer"), "rejected: malformed"),
        (text("Bearer "), "rejected: malformed"),
        (text("Bearer ="), "rejected: malformed"),
        (with("Bearer", ""), "anonymous"),
        (with("Bearer  ", ""), "rejected: malformed"),
        (with("Bearer\t", ""), "rejected: malformed"),
        (with("Bearer,", ""), "rejected: malformed"),
        (with("Bearer=", ""), "rejected: malformed"),
        (with("Bearer ", " "), "rejected: malformed"),
        (with("Bearer ", ", Bearer x"), "rejected: malformed"),
        (with("Bearer \"", "\""), "rejected: malformed"),
        (with("Bearer ", "=x"), "rejected: malformed"),
        (vec![b"Bearer \xff".to_vec()], "rejected: malformed"),
        (vec![b"\xffearer x".to_vec()], "anonymous"),
        ([with("Bearer ", ""), with("Bearer ", "")].concat(), "rejected: ambiguous"),
        ([with("Bearer ", ""), text("Basic eDp5")].concat(), "rejected: ambiguous"),
        ([text(""), with("Bearer ", "")].concat(), "rejected: ambiguous"),
    ];
    let jwt = builder().build().unwrap();
    for (lines, expected) in cases {
        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        let found = identify(&jwt, &with_authorization(&lines)).await;
        assert_eq!(
            outcome(&found),
            expected,
            "{:?}",
            lines.iter().map(|line| line.escape_ascii().to_string()).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn tokens_in_the_query_or_in_cookies_are_not_looked_at() {
    let good = token(json!({}));
    let request = Request::get(format!("/?access_token={good}")).header("cookie", format!("access_token={good}"));
    assert_eq!(outcome(&identify(&builder().build().unwrap(), &request.body(()).unwrap()).await), "anonymous");
}

#[tokio::test]
async fn in_a_chain_a_bad_token_is_not_made_good_by_a_session() {
    let chain = Chain::new(principal_extension()).or(builder().build().unwrap());
    let cases = [("Bearer x", "rejected: malformed"), ("Basic eDp5", "session")];
    for (line, expected) in cases {
        let mut request = with_authorization(&[line.as_bytes()]);
        request.extensions_mut().insert(tower_authz::Principal::new("session"));
        assert_eq!(outcome(&identify(&chain, &request).await), expected);
    }
}

#[test]
fn challenges_and_consumed_headers_are_as_configured() {
    let challenge = |jwt: Jwt| jwt.challenges().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(challenge(builder().build().unwrap()), ["Bearer"]);
    assert_eq!(challenge(builder().realm("billing").build().unwrap()), [r#"Bearer realm="billing""#]);
    assert!(builder().build().unwrap().consumed_headers().is_empty());
    assert_eq!(builder().strip_authorization(true).build().unwrap().consumed_headers(), ["authorization"]);
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    for length in [0, 1, 31] {
        let error = Jwt::hs256(&SECRET[..length]).build().unwrap_err();
        assert_eq!(error.kind(), JwtErrorKind::SecretTooShort);
        let expected = format!("the secret has {length} bytes, and needs at least 32: make it of random bytes");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let secret = std::str::from_utf8(SECRET).unwrap();
    for debug in [format!("{:?}", builder()), format!("{:?}", builder().build().unwrap())] {
        assert!(!debug.contains(secret) && !debug.contains("48, 49, 50"), "{debug}");
    }
}
