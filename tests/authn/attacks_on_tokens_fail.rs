//! What an attacker may try who has seen tokens and public keys. Other tables are in `tokens_are_proved_before_they_are_believed`
//! and `algorithms_are_bound_to_keys`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_authz::{
    Authentication, Authenticator, Head, Identity,
    authn::{ClaimMap, Jwt, Keys, Scopes},
};

use super::{
    identify,
    keys::{JWKS, pair},
    outcome,
    property::holds,
    tokens::{NOW, bearing, builder, clock, encode, extend, sign, sign_by, token},
};

const HEADER: &str = r#"{"alg":"HS256"}"#;

async fn judge(token: &str) -> String {
    outcome(&identify(&builder().build().unwrap(), &bearing(token)).await)
}

fn claims(more: &str) -> String {
    format!(r#"{{"sub":"ada","exp":{}{more}}}"#, NOW + 60)
}

#[tokio::test]
async fn a_token_without_a_signature_is_never_accepted() {
    let payload = encode(claims("").as_bytes());
    for name in ["none", "None", "NONE", "nOnE", " none", "none ", "none\u{0}", "n\u{43e}ne", "", "null", "HS256\u{0}"]
    {
        let header = encode(json!({ "alg": name }).to_string().as_bytes());
        let good = token(json!({}));
        let (_, signature) = good.rsplit_once('.').unwrap();
        for signature in ["", signature, "AA"] {
            let found = judge(&format!("{header}.{payload}.{signature}")).await;
            assert_eq!(found, "rejected: algorithm-not-allowed", "{name:?} {signature}");
        }
        let found = judge(&format!("{header}.{payload}")).await;
        assert!(found.starts_with("rejected"), "{name:?} {found}");
    }
    for signature in ["", "AA", "AAAA"] {
        let found = judge(&format!("{}.{payload}.{signature}", encode(HEADER.as_bytes()))).await;
        assert_eq!(found, "rejected: bad-signature", "{signature}");
    }
}

#[tokio::test]
async fn one_token_has_one_text() {
    let good = token(json!({}));
    let parts: Vec<_> = good.split('.').map(str::to_owned).collect();
    assert_eq!(judge(&good).await, "ada");
    for index in 0..3 {
        let spellings: [fn(&str) -> String; 7] = [
            |part| format!("{part}="),
            |part| format!("{part}=="),
            |part| part.replace(['-', '_'], "+"),
            |part| format!("{part}A"),
            |part| format!("A{part}"),
            |part| part[..part.len() - 1].to_owned(),
            |part| format!("{part}\u{20}"),
        ];
        for (number, respell) in spellings.into_iter().enumerate() {
            let mut changed = parts.clone();
            changed[index] = respell(&parts[index]);
            if changed == parts {
                continue;
            }
            let found = judge(&changed.join(".")).await;
            assert!(found.starts_with("rejected"), "part {index}, spelling {number}: {found}");
        }
    }
    for length in 0..good.len() {
        assert!(judge(&good[..length]).await.starts_with("rejected"), "{length} bytes");
    }
    // The last sign of 32 bytes in base64 has two bits to spare, which must be zero.
    let (body, last) = good.split_at(good.len() - 1);
    for other in
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|c| !last.starts_with(*c))
    {
        assert!(judge(&format!("{body}{other}")).await.starts_with("rejected"), "{other}");
    }
}

#[tokio::test]
async fn what_is_signed_is_believed_only_if_it_can_be_meant() {
    let deep = |depth: usize| format!(r#","x":{}{}"#, r#"{"x":["#.repeat(depth), "]}".repeat(depth));
    let cases = [
        (claims(""), "ada"),
        (claims(&deep(50)), "ada"),
        (claims(&deep(64)), "rejected: malformed"),
        (claims(&deep(500)), "rejected: malformed"),
        (claims(r#","exp":99999999999"#), "rejected: malformed"),
        (claims(r#","\u0065xp":99999999999"#), "rejected: malformed"),
        (claims(r#","x":{"y":1,"\u0079":2}"#), "rejected: malformed"),
        (claims(r#","a:b":":,\":","c\\":{"d\":":[":"]}"#), "ada"),
        (claims(r#","roles":["a"],"roles":["admin"]"#), "rejected: malformed"),
        (claims(r#","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#), "rejected: not-accepted"),
        (claims(r#","cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#), "rejected: not-accepted"),
        (claims(r#","cnf":{}"#), "rejected: not-accepted"),
        (claims(r#","cnf":null"#), "rejected: not-accepted"),
        (claims(r#","nbf":-1"#), "rejected: malformed"),
        (claims(r#","nbf":"0""#), "rejected: malformed"),
        (claims(r#","nbf":18446744073709551616"#), "rejected: malformed"),
        (claims(r#","nbf":1e400"#), "rejected: malformed"),
        (claims(r#","iat":9999999999"#), "ada"),
        (claims(r#","iat":"1800000000""#), "rejected: malformed"),
        (claims(r#","iat":-1"#), "rejected: malformed"),
        (claims(r#","iat":null"#), "rejected: malformed"),
        (claims(r#","jti":7"#), "rejected: malformed"),
        (claims(r#","jti":null"#), "rejected: malformed"),
        (claims(r#","jti":["7"]"#), "rejected: malformed"),
        (claims(r#","jti":"7","sid":"7""#), "ada"),
        (claims(r#","sid":7"#), "rejected: malformed"),
        (claims(r#","sid":{}"#), "rejected: malformed"),
        (claims(r#","iss":7"#), "rejected: malformed"),
        (claims(r#","iss":["https://id"]"#), "rejected: malformed"),
        (claims(r#","iss":null"#), "rejected: malformed"),
        (claims(r#","x":"\ud83d\ude00 \u0000""#), "ada"),
        (claims(r#","x":"\ud83d""#), "rejected: malformed"),
        (claims(r#","\ude00":1"#), "rejected: malformed"),
        (claims(",\"x\":\"\u{0}\""), "rejected: malformed"),
        (claims(r#","x":NaN"#), "rejected: malformed"),
        (claims(r#","x":0x10"#), "rejected: malformed"),
        (claims(r#","x":01"#), "rejected: malformed"),
        (claims(r#","aud":{"0":"billing"}"#), "rejected: wrong-audience"),
        (claims(r#","aud":[["billing"]]"#), "rejected: wrong-audience"),
        (claims(r#","aud":"""#), "rejected: wrong-audience"),
        (claims(r#","aud":null"#), "rejected: wrong-audience"),
        (r#"{"sub":"ada","exp":true}"#.to_owned(), "rejected: malformed"),
        (r#"{"sub":"ada","exp":9223372036854775808}"#.to_owned(), "rejected: malformed"),
        (r#"{"sub":"ada","exp":1e18}"#.to_owned(), "ada"),
        (r#"{"sub":"ada","exp":-1e18}"#.to_owned(), "rejected: malformed"),
        (r#"{"sub":"ada","exp":1800000060,}"#.to_owned(), "rejected: malformed"),
        (r#"{"sub":"ada","exp":1800000060}{}"#.to_owned(), "rejected: malformed"),
        (r#"{"sub":"ada","exp":1800000060/**/}"#.to_owned(), "rejected: malformed"),
        (format!("\u{feff}{}", claims("")), "rejected: malformed"),
    ];
    for (claims, expected) in cases {
        assert_eq!(judge(&sign(HEADER, &claims)).await, expected, "{claims:.120}");
    }
}

#[tokio::test]
async fn signatures_of_curves_have_one_form() {
    let p256 = pair("p256");
    let jwt = || Jwt::builder().keys(p256.public.clone()).clock(clock).build().unwrap();
    let good = sign_by(&p256.private, Algorithm::ES256, r#"{"alg":"ES256"}"#, &claims(""));
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(outcome(&identify(&jwt(), &bearing(&good)).await), "ada");
    // Zeros fit every key where they are not refused (CVE-2022-21449); DER and short forms are not of RFC 7518.
    let signatures = [vec![0; 64], vec![0xff; 64], vec![0; 63], vec![0; 65], vec![], vec![0x30, 6, 2, 1, 0, 2, 1, 0]];
    for signature in signatures {
        let forged = format!("{message}.{}", encode(&signature));
        assert_eq!(outcome(&identify(&jwt(), &bearing(&forged)).await), "rejected: bad-signature", "{signature:?}");
    }
}

/// A signature and the modulus added have the same remainder, and would be a second text of one token (RFC 8017, section
/// 8.1.2, step 2).
#[tokio::test]
async fn signatures_of_rsa_have_one_form() {
    let rsa = pair("rsa");
    let set: Value = serde_json::from_str(JWKS).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(set["keys"][0]["n"].as_str().unwrap()).unwrap();
    for (ours, theirs) in rsa.algorithms.iter().filter(|(ours, _)| ours.as_str().ends_with("256")) {
        let jwt = || Jwt::builder().keys(rsa.public.clone()).algorithms([*ours]).clock(clock).build().unwrap();
        let header = json!({ "alg": ours.as_str() }).to_string();
        let signed =
            (0..1_000).map(|number| sign_by(&rsa.private, *theirs, &header, &claims(&format!(r#","x":{number}"#))));
        let with_larger = |token: String| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            let larger = sum(&URL_SAFE_NO_PAD.decode(signature).unwrap(), &modulus)?;
            Some((format!("{message}.{}", encode(&larger)), token))
        };
        let (larger, good) = signed.into_iter().find_map(with_larger).unwrap();
        assert_eq!(outcome(&identify(&jwt(), &bearing(&good)).await), "ada", "{ours}");
        assert_eq!(outcome(&identify(&jwt(), &bearing(&larger)).await), "rejected: bad-signature", "{ours}");
    }
}

/// The sum of two numbers of one length, if it has that length, too.
fn sum(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let (mut sum, mut carry) = (one.to_vec(), 0);
    for (digit, more) in sum.iter_mut().zip(other).rev() {
        let both = u16::from(*digit) + u16::from(*more) + carry;
        (*digit, carry) = (both.to_be_bytes()[1], both >> 8);
    }
    (carry == 0).then_some(sum)
}

/// RFC 7515, appendices A.4 and A.5 (RFC 7519, section 6.1); RFC 7516, appendix A.3; RFC 7797, section 4.2.
#[tokio::test]
async fn examples_of_other_ways_to_protect_a_message_are_refused() {
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let cases = [
        (format!("eyJhbGciOiJub25lIn0.{claims}."), "rejected: algorithm-not-allowed"),
        ("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn".to_owned(), "rejected: malformed"),
        ("eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ.AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ".to_owned(), "rejected: malformed"),
        ("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY".to_owned(), "rejected: malformed"),
        (sign(r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, &self::claims("")), "rejected: not-accepted"),
        (sign(r#"{"alg":"HS256","b64":false}"#, &self::claims("")), "rejected: not-accepted"),
        (sign(r#"{"alg":"HS256","b64":"false"}"#, &self::claims("")), "rejected: not-accepted"),
        (sign(r#"{"alg":"HS256","b64":null}"#, &self::claims("")), "rejected: not-accepted"),
        (sign(r#"{"alg":"HS256","b64":true}"#, &self::claims("")), "ada"),
        (sign(r#"{"alg":"HS256","cty":"JWT"}"#, &token(json!({}))), "rejected: malformed"),
        (r#"{"protected":"e30","payload":"e30","signature":"AA"}"#.to_owned(), "rejected: malformed"),
    ];
    for (token, expected) in cases {
        assert_eq!(judge(&token).await, expected, "{token:.100}");
    }
}

/// Anything that JSON can say, of moderate depth.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["editor", "a b", "x,y", "https://id", "billing", ""]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z.]{0,4}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

const NAMES: [&str; 12] =
    ["sub", "exp", "nbf", "iss", "aud", "roles", "scope", "groups", "cnf", "realm_access", "sid", "jti"];

#[test]
fn no_text_in_place_of_a_token_panics_or_is_accepted() {
    let everything = Jwt::builder().keys(Keys::jwks(JWKS)).build().unwrap();
    holds("invariant 6, tokens", 256, &"[A-Za-z0-9_.=-]{0,200}|\\PC{0,60}", |text| {
        let mut asked = 0;
        if let Ok(request) = http::Request::get("/").header("authorization", format!("Bearer {text}")).body(()) {
            let found = everything.authenticate(Head::from(&request));
            prop_assert!(matches!(found, Authentication::Ready(Identity::Rejected(_))), "{found:?}");
            asked += 1;
        }
        Ok(asked)
    });
}

#[test]
fn no_header_or_claim_that_is_signed_panics() {
    let header = prop::sample::select(vec!["typ", "kid", "crit", "jwk", "b64", "x5c"]);
    let header = prop::collection::vec((header, value()), 0..3);
    let changes = prop::collection::vec((prop::sample::select(NAMES.to_vec()), value()), 0..5);
    holds("invariant 6, headers and claims that are signed", 256, &(header, changes), |(header, changes)| {
        let mut all = json!({ "alg": "HS256" });
        extend(&mut all, header.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        let mut claims = json!({ "sub": "ada", "exp": NOW + 60 });
        extend(&mut claims, changes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        let token = sign(&all.to_string(), &claims.to_string());
        let cognito = ClaimMap::cognito().scopes_are(Scopes::Grant);
        let maps = [ClaimMap::keycloak("billing"), ClaimMap::entra(), ClaimMap::rfc9068(), cognito];
        let count = maps.len();
        for map in maps {
            let jwt = builder().claims(map).build().unwrap();
            let ask = || word(&jwt.authenticate(Head::from(&bearing(&token))));
            prop_assert_eq!(ask(), ask(), "what is remembered is what was found out");
        }
        Ok(count)
    });
}

fn word(found: &Authentication) -> String {
    match found {
        Authentication::Ready(identity) => outcome(identity),
        Authentication::Pending(_) => "pending".to_owned(),
    }
}
