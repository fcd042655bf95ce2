use std::time::{Duration, SystemTime};

use http::Request;
use tower_authz::{
    Authenticator, Principal,
    authn::{ApiKeyErrorKind, ApiKeys, ApiKeysBuilder},
};

use super::{identify, outcome};

/// The SHA-256 of `abc` (FIPS 180-2, appendix B.1).
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn builder() -> ApiKeysBuilder {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    ApiKeys::in_header("X-Api-Key")
        .key(ABC, Principal::new("robot").roles(["importer"]))
        .key(ApiKeys::hash("next").to_uppercase(), Principal::new("robot").roles(["importer"]))
        .key(ApiKeys::hash("old"), Principal::new("robot").expires(noon))
        .key(ApiKeys::hash("new"), Principal::new("cron").expires(noon + Duration::from_secs(1)))
        .clock(move || noon)
}

#[tokio::test]
async fn each_key_says_who_is_calling() {
    assert_eq!(ApiKeys::hash("abc"), ABC);
    let keys = builder().build().unwrap();
    let cases: [(&[&[u8]], &str); 13] = [
        (&[], "anonymous"),
        (&[b"abc"], "robot"),
        (&[b"next"], "robot"),
        (&[b"new"], "cron"),
        (&[b"old"], "rejected: expired"),
        (&[b""], "rejected: unknown-key"),
        (&[b"abcd"], "rejected: unknown-key"),
        (&[b"ABC"], "rejected: unknown-key"),
        (&[b"abc,abc"], "rejected: unknown-key"),
        (&[b"\xff\xfe"], "rejected: unknown-key"),
        (&[ABC.as_bytes()], "rejected: unknown-key"),
        (&[b"abc", b"abc"], "rejected: ambiguous"),
        (&[b"abc", b"x"], "rejected: ambiguous"),
    ];
    for (values, expected) in cases {
        let request = values.iter().fold(Request::get("/"), |builder, value| builder.header("x-api-key", *value));
        assert_eq!(outcome(&identify(&keys, &request.body(()).unwrap()).await), expected, "{values:?}");
    }
    let elsewhere = Request::get("/?x-api-key=abc").header("authorization", "abc").body(()).unwrap();
    assert_eq!(outcome(&identify(&keys, &elsewhere).await), "anonymous");
    assert_eq!(keys.consumed_headers(), ["x-api-key"]);
    assert!(keys.challenges().is_empty());
}

#[test]
fn a_set_up_that_cannot_be_meant_is_refused() {
    use ApiKeyErrorKind::{InvalidHash, InvalidHeader, NoKeys, RepeatedKey};
    let robot = || Principal::new("robot");
    let keys = || ApiKeys::in_header("x-api-key");
    let cases = [
        (ApiKeys::in_header("x api key").key(ABC, robot()), InvalidHeader, "`x api key` is not a header name"),
        (ApiKeys::in_header("").key(ABC, robot()), InvalidHeader, "`` is not a header name"),
        (keys(), NoKeys, "no api key is listed"),
        (keys().key("secret-key", robot()), InvalidHash, "hash 0 of the api keys is not the SHA-256"),
        (keys().key(&ABC[1..], robot()), InvalidHash, "hash 0 of the api keys is not the SHA-256"),
        (keys().key(format!("{}+f", &ABC[2..]), robot()), InvalidHash, "hash 0 of the api keys is not the SHA-256"),
        (keys().key("é".repeat(32), robot()), InvalidHash, "hash 0 of the api keys is not the SHA-256"),
        (keys().key(ABC, robot()).key("x", robot()), InvalidHash, "hash 1 of the api keys is not the SHA-256"),
        (keys().key(ApiKeys::hash(""), robot()), InvalidHash, "hash 0 of the api keys is that of an empty text"),
        (keys().key(ABC, robot()).key(ABC.to_uppercase(), Principal::new("other")), RepeatedKey, "is listed twice"),
    ];
    for (builder, kind, text) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.to_string().contains("secret-key"), "what was given may be the key itself");
    }
}

#[test]
fn keys_are_not_in_debug_output() {
    for debug in [format!("{:?}", builder()), format!("{:?}", builder().build().unwrap())] {
        assert!(!debug.to_lowercase().contains("ba7816") && !debug.contains("186, 120"), "{debug}");
    }
}
