//! Keys in force stay whatever the provider answers, and where there are none it gives nobody any.

use serde_json::json;

use super::*;
use crate::keys::{jwk, token_saying};

/// Answers that give no keys, and a part of what is told about each.
fn bad_answers(elsewhere: &Provider) -> Vec<(Answer, &'static str)> {
    let set = |keys: serde_json::Value| Answer::text(json!({ "keys": keys }).to_string());
    let good = Answer::keys(&["b"]);
    let twice = good.body.replacen('{', r#"{"keys":[],"#, 1);
    let secret = json!({ "kty": "oct", "kid": "b", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" });
    let mut private = jwk("b");
    let members = private.as_object_mut().unwrap();
    members.insert("d".to_owned(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into());
    vec![
        (good.clone().status(500), "status 500"),
        (good.clone().status(429), "status 429"),
        (good.clone().status(201), "status 201"),
        (good.clone().status(404), "nothing"),
        (good.clone().status(302).header("location", elsewhere.jwks()), "redirects to `http://127.0.0.1"),
        (good.clone().status(308).header("location", "/keys\u{fc}"), r"redirects to `/keys\xc3\xbc`"),
        (good.clone().status(301), "redirects to ``"),
        (good.clone().header("content-encoding", "gzip").status(206), "status 206"),
        (Answer::text(""), "not a JSON object"),
        (Answer::text("<html>"), "not a JSON object"),
        (Answer::text("[]"), "not a JSON object"),
        (Answer::text("{}"), "no list of `keys`"),
        (Answer::text(twice), "twice"),
        (Answer::text(good.body.trim_end_matches('}')), "not a JSON object"),
        (set(json!([])), "empty"),
        (set(json!({})), "no list of `keys`"),
        (set(json!([{}, 1])), "key 1: it is no object"),
        (set(json!([secret])), "secret"),
        (set(json!([private])), "secret"),
        (set(json!([{ "kty": "\n" }])), r"`\n`"),
        (Answer::text(format!("{}{}", good.body, " ".repeat(5_000))), "longer than 5000 bytes"),
        (Answer::text(" ".repeat(1_000)).endless(), "longer than 5000 bytes"),
        (Answer::text("").endless(), "no answer within 300ms"),
        (good.after(Duration::from_secs(600)), "no answer within 300ms"),
    ]
}

fn bounded(keys: RemoteKeys) -> RemoteKeys {
    keys.max_size(5_000).timeout(Duration::from_millis(300))
}

#[tokio::test]
async fn bad_answers_never_replace_good_keys() {
    let [provider, elsewhere] = [Provider::with(&["a"]).await, Provider::with(&["b"]).await];
    let issuer = provider.issuer();
    for (answer, text) in bad_answers(&elsewhere) {
        provider.publish(&["a"]);
        let jwt = remote(&provider, bounded).await;
        provider.answer(answer);
        let asked = provider.asked();
        assert_eq!(judge(&jwt, &token(&issuer, "b")).await, "unknown-key", "{text}");
        assert_eq!(judge(&jwt, &token(&issuer, "a")).await, GOOD, "{text}");
        assert!(provider.asked() > asked, "{text}");
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn bad_answers_give_nobody_any_keys_and_are_told_about() {
    let [provider, elsewhere] = [Provider::with(&["a"]).await, Provider::with(&["b"]).await];
    let issuer = provider.issuer();
    for (answer, text) in bad_answers(&elsewhere) {
        provider.answer(answer);
        let jwt = remote(&provider, bounded).await;
        let Identity::Unavailable(unavailable) = identify(&jwt, &token(&issuer, "b")).await else { panic!("{text}") };
        let detail = unavailable.get_detail().unwrap();
        assert!(detail.contains(text), "{detail}");
        assert!(detail.contains(&provider.jwks()) || text.contains("within"), "{detail}");
        assert!(unavailable.get_retry_after().unwrap() >= Duration::from_secs(1));
        provider.publish(&["a"]);
        until(async || judge(&jwt, &token(&issuer, "a")).await == GOOD).await;
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn one_unusable_key_does_not_spoil_the_set() {
    let provider = Provider::with(&[]).await;
    let unusable = [
        json!({ "kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "b", "x": "", "y": "" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "b", "use": "enc", "x": jwk("b")["x"] }),
        json!({ "kty": "oct", "kid": "b", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" }),
        json!("b"),
    ];
    let twice = jwk("b").to_string().replacen('{', r#"{"kid":"b","#, 1);
    let inside = r#"{ "kty": "OKP", "kid": "b", "oth": [{ "a": 1, "a": 2 }] }"#;
    for bad in unusable.iter().map(ToString::to_string).chain([twice, inside.to_owned()]) {
        provider.answer(Answer::text(format!(r#"{{ "keys": [{bad}, {}, {bad}] }}"#, jwk("a"))));
        let jwt = remote(&provider, |keys| keys).await;
        assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, GOOD, "{bad}");
        assert_eq!(judge(&jwt, &token_saying(&provider.issuer(), "a", Some("b"))).await, "unknown-key", "{bad}");
    }
}
