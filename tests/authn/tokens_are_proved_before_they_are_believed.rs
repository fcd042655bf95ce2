use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_authz::authn::JwtBuilder;

use super::{
    identify, outcome,
    tokens::{NOW, SECRET, bearing, builder, encode, sign, sign_with, token},
};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn claims() -> String {
    json!({ "sub": "ada", "exp": NOW + 60 }).to_string()
}

async fn judge(builder: JwtBuilder, token: &str) -> String {
    outcome(&identify(&builder.build().unwrap(), &bearing(token)).await)
}

#[tokio::test]
async fn the_header_of_a_token_chooses_nothing() {
    let cases = [
        (HEADER, "ada"),
        (r#"{"alg":"HS256"}"#, "ada"),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, "ada"),
        (r#"{"alg":"HS256","typ":"application/AT+JWT","kid":"../../etc/passwd"}"#, "ada"),
        (r#"{"alg":"HS256","jku":"https://evil.example","x5u":"x","jwk":{"kty":"oct","k":"AA"}}"#, "ada"),
        (r#"{"alg":"none"}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":"nOnE"}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":"hs256"}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":"HS512"}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":"RS256"}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":""}"#, "rejected: algorithm-not-allowed"),
        (r#"{"alg":["HS256"]}"#, "rejected: malformed"),
        (r#"{"typ":"JWT"}"#, "rejected: malformed"),
        (r#"{"alg":"none","alg":"HS256"}"#, "rejected: malformed"),
        (r#"["HS256"]"#, "rejected: malformed"),
        ("", "rejected: malformed"),
        (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "rejected: not-accepted"),
        (r#"{"alg":"HS256","crit":[]}"#, "rejected: not-accepted"),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, "rejected: not-accepted"),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, "rejected: not-accepted"),
        (r#"{"alg":"HS256","typ":7}"#, "rejected: not-accepted"),
    ];
    for (header, expected) in cases {
        assert_eq!(judge(builder(), &sign(header, &claims())).await, expected, "{header}");
    }
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_refused() {
    let good = token(json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let forged = encode(json!({ "sub": "root", "exp": NOW + 60 }).to_string().as_bytes());
    let cases = [
        (good.clone(), "ada"),
        (
            sign_with(b"another secret of thirty-two byte", Algorithm::HS256, HEADER, &claims()),
            "rejected: bad-signature",
        ),
        (sign_with(SECRET, Algorithm::HS512, HEADER, &claims()), "rejected: bad-signature"),
        (format!("{}.{forged}.{signature}", encode(HEADER.as_bytes())), "rejected: bad-signature"),
        (format!("{message}.{}", &signature[..40]), "rejected: bad-signature"),
        (format!("{message}."), "rejected: bad-signature"),
        (message.to_owned(), "rejected: malformed"),
        (format!("{good}="), "rejected: malformed"),
        (format!("{good}.x"), "rejected: malformed"),
        (format!("{good}.x.y"), "rejected: malformed"),
        (".".to_owned(), "rejected: malformed"),
        ("..".to_owned(), "rejected: malformed"),
        (format!(".{message}"), "rejected: malformed"),
        (format!("{message}.a+/b"), "rejected: malformed"),
    ];
    for (token, expected) in cases {
        assert_eq!(judge(builder(), &token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_noticed() {
    let good = token(json!({})).into_bytes();
    for index in 0..good.len() {
        for bit in 0..7 {
            let mut flipped = good.clone();
            flipped[index] ^= 1 << bit;
            let Ok(request) = http::HeaderValue::from_bytes(&[b"Bearer ".as_slice(), &flipped].concat()) else {
                continue;
            };
            let request = http::Request::get("/").header("authorization", request).body(()).unwrap();
            let found = identify(&builder().build().unwrap(), &request).await;
            assert!(outcome(&found).starts_with("rejected"), "{}", flipped.escape_ascii());
        }
    }
}

#[tokio::test]
async fn claims_are_read_by_one_grammar_only() {
    let expires = NOW + 60;
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let with = |more: &str| format!(r#"{{"sub":"ada","exp":{expires},{more}}}"#);
    let cases = [
        (with(r#""x":{"y":[1,2.5,-3,null,true,"z"]}"#), "ada"),
        (with(r#""sub":"root""#), "rejected: malformed"),
        (with(r#""s\u0075b":"root""#), "rejected: malformed"),
        (with(r#""x":{"y":1,"y":2}"#), "rejected: malformed"),
        (with(r#""x":[{"y":1,"y":2}]"#), "rejected: malformed"),
        (with(&format!(r#""x":{}"#, nested(100))), "ada"),
        (with(&format!(r#""x":{}"#, nested(2_500))), "rejected: malformed"),
        (with(r#""x":1e999"#), "rejected: malformed"),
        (format!("{} {{}}", claims()), "rejected: malformed"),
        (format!("[{}]", claims()), "rejected: malformed"),
        ("null".to_owned(), "rejected: malformed"),
        (String::new(), "rejected: malformed"),
    ];
    for (claims, expected) in cases {
        assert_eq!(judge(builder(), &sign(HEADER, &claims)).await, expected, "{claims:.80}");
    }
}

#[tokio::test]
async fn a_token_of_more_than_16_kib_is_not_looked_at() {
    let padded = |padding: usize| token(json!({ "x": "y".repeat(padding) }));
    let largest = (0..16_384).rfind(|padding| padded(*padding).len() <= 16_384).unwrap();
    assert_eq!(judge(builder(), &padded(largest)).await, "ada");
    assert_eq!(judge(builder(), &padded(largest + 1)).await, "rejected: malformed");
}

#[tokio::test]
async fn times_bind_with_the_leeway() {
    let cases = [
        (json!({ "exp": NOW + 1 }), "ada"),
        (json!({ "exp": NOW - 9 }), "ada"),
        (json!({ "exp": NOW - 10 }), "rejected: expired"),
        (json!({ "exp": 1_800_000_000.5 }), "ada"),
        (json!({ "exp": 0 }), "rejected: expired"),
        (json!({ "exp": null }), "rejected: malformed"),
        (json!({ "exp": (NOW + 60).to_string() }), "rejected: malformed"),
        (json!({ "exp": [NOW + 60] }), "rejected: malformed"),
        (json!({ "exp": -1 }), "rejected: malformed"),
        (json!({ "exp": 1e300 }), "rejected: malformed"),
        (json!({ "exp": u64::MAX }), "rejected: malformed"),
        (json!({ "nbf": NOW }), "ada"),
        (json!({ "nbf": NOW + 10 }), "ada"),
        (json!({ "nbf": NOW + 11 }), "rejected: not-yet-valid"),
        (json!({ "nbf": "0" }), "rejected: malformed"),
        (json!({ "nbf": -1 }), "rejected: malformed"),
    ];
    for (changes, expected) in cases {
        assert_eq!(judge(builder(), &token(changes.clone())).await, expected, "{changes}");
    }
    let forever = builder().leeway(Duration::MAX);
    assert_eq!(
        judge(forever, &token(json!({ "exp": NOW - 9 }))).await,
        "rejected: expired",
        "a leeway out of range is none"
    );
}

#[tokio::test]
async fn issuer_and_audience_must_be_those_expected() {
    let plain = || builder();
    let strict = || builder().issuer("https://id").audience("billing").audience("ledger");
    let good = |changes: Value| {
        let mut all = json!({ "iss": "https://id", "aud": "billing" });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        all
    };
    let cases = [
        (plain(), json!({ "iss": "anyone" }), "ada"),
        (plain(), json!({ "aud": "someone" }), "rejected: wrong-audience"),
        (plain(), json!({ "aud": [] }), "rejected: wrong-audience"),
        (strict(), good(json!({})), "ada"),
        (strict(), good(json!({ "aud": ["x", "ledger"] })), "ada"),
        (strict(), good(json!({ "aud": null })), "rejected: wrong-audience"),
        (strict(), good(json!({ "aud": "Billing" })), "rejected: wrong-audience"),
        (strict(), good(json!({ "aud": "billing ledger" })), "rejected: wrong-audience"),
        (strict(), good(json!({ "aud": [] })), "rejected: wrong-audience"),
        (strict(), good(json!({ "aud": ["billing", 7] })), "rejected: wrong-audience"),
        (strict(), good(json!({ "aud": { "billing": true } })), "rejected: wrong-audience"),
        (strict(), good(json!({ "iss": null })), "rejected: wrong-issuer"),
        (strict(), good(json!({ "iss": "https://id/" })), "rejected: wrong-issuer"),
        (strict(), good(json!({ "iss": ["https://id"] })), "rejected: wrong-issuer"),
    ];
    for (builder, changes, expected) in cases {
        assert_eq!(judge(builder, &token(changes.clone())).await, expected, "{changes}");
    }
}
