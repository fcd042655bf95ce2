//! By discovery or at a given address, from the issuer that was asked for and no other.

use serde_json::json;
use tower_authz::authn::{ClaimMap, Issuer, Jwt, JwtErrorKind, Keys};

use super::*;

#[tokio::test]
async fn keys_are_found_by_discovery_and_without() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let by_name = Jwt::discover(&issuer).audience("billing").build().await.unwrap();
    let by_address = remote(&provider, |keys| keys).await;
    assert_eq!(provider.asked(), 3, "two for discovery");
    for jwt in [by_name, by_address] {
        assert_eq!(judge(&jwt, &token(&issuer, "a")).await, GOOD);
        assert_eq!(judge(&jwt, &token("https://other.example", "a")).await, "wrong-issuer");
    }
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn metadata_that_are_not_those_of_the_issuer_give_no_keys() {
    let rows = [
        json!({ "issuer": "https://other.example" }),
        json!({ "issuer": null }),
        json!({ "issuer": 1 }),
        json!({ "jwks_uri": null }),
        json!({ "jwks_uri": "ftp://127.0.0.1/keys" }),
        json!({ "status": 500 }),
        json!({ "status": 302 }),
        json!({ "status": 204 }),
    ];
    let provider = Provider::with(&["a"]).await;
    for changes in rows {
        provider.metadata(changes.clone());
        let jwt = discover(&provider, |keys| keys).await;
        assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, "unavailable", "{changes}");
        assert_eq!(provider.asked_for_keys(), 0, "{changes}");
        provider.metadata(json!({}));
        until(async || judge(&jwt, &token(&provider.issuer(), "a")).await == GOOD).await;
        drop(jwt);
        provider.forget();
    }
}

#[tokio::test]
async fn metadata_of_authorization_servers_are_found_where_there_is_no_openid_connect() {
    let provider = Provider::with(&["a"]).await;
    provider.metadata(json!({ "status": 404 }));
    let jwt = discover(&provider, |keys| keys).await;
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, GOOD);
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn keys_that_move_are_found_again() {
    let [provider, other] = [Provider::with(&["a"]).await, Provider::with(&["b"]).await];
    let jwt = discover(&provider, |keys| keys).await;
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, GOOD);
    provider.metadata(json!({ "jwks_uri": other.jwks() }));
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "b")).await, GOOD);
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, "unknown-key");
}

#[tokio::test]
async fn several_issuers_have_their_own_keys_and_bad_days() {
    let [people, machines] = [Provider::with(&["a"]).await, Provider::with(&["b"]).await];
    let builder = Jwt::discover(people.issuer()).audience("billing").claims(ClaimMap::new());
    let jwt = builder
        .trust(Issuer::discover(machines.issuer()).audience("billing").claims(ClaimMap::new()))
        .build()
        .await
        .unwrap();
    let rows = [(&people, "a", GOOD), (&machines, "b", GOOD), (&people, "b", "unknown-key")];
    for (provider, key, expected) in rows {
        assert_eq!(judge(&jwt, &token(&provider.issuer(), key)).await, expected);
    }

    let down = Provider::down(&["c"]).await;
    let builder = Jwt::discover(people.issuer()).audience("billing").claims(ClaimMap::new());
    let jwt = builder
        .trust(Issuer::discover(down.issuer()).audience("billing").claims(ClaimMap::new()))
        .build()
        .await
        .unwrap();
    assert_eq!(judge(&jwt, &token(&down.issuer(), "c")).await, "unavailable");
    assert_eq!(judge(&jwt, &token(&people.issuer(), "a")).await, GOOD);
}

#[tokio::test]
async fn building_may_leave_the_waiting_to_the_first_tokens() {
    let provider = Provider::with(&["a"]).await;
    provider.answer(Answer::keys(&["a"]).after(Duration::from_millis(100)));
    let jwt = Jwt::builder().trust(Issuer::discover(provider.issuer()).audience("billing")).build().unwrap();
    assert_eq!(provider.asked(), 0);
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, GOOD);
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn a_token_in_a_file_is_shown_to_the_provider_and_read_anew() {
    let directory = std::env::temp_dir().join(format!("tower-authz-remote-keys-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("token");
    let provider = Provider::with(&["a"]).await;
    let jwt = remote(&provider, |keys| keys.token_file(&file)).await;
    assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, "unavailable", "there is no file");
    assert_eq!(provider.asked(), 0);
    for (text, key) in [("one\n", "a"), ("two", "b")] {
        // Nobody reads half of it.
        std::fs::write(directory.join("new"), text).unwrap();
        std::fs::rename(directory.join("new"), &file).unwrap();
        provider.publish(&[key]);
        until(async || judge(&jwt, &token(&provider.issuer(), key)).await == GOOD).await;
        assert_eq!(provider.last_header("authorization"), Some(format!("Bearer {}", text.trim())));
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn what_can_never_work_is_said_when_the_authenticator_is_built() {
    let rows = [
        (RemoteKeys::jwks("http://id.example/keys"), JwtErrorKind::UnusableAddress, "`http://id.example/keys`"),
        (RemoteKeys::jwks("id.example"), JwtErrorKind::UnusableAddress, "`id.example`"),
        (
            RemoteKeys::discovered().root_certificates("no PEM"),
            JwtErrorKind::UnusableCertificates,
            "no root certificate",
        ),
    ];
    for (keys, kind, text) in rows {
        let error = Jwt::remote("https://id.example", keys.clone()).build().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    for issuer in ["http://id.example", "id.example", "https://id.example?tenant=1", ""] {
        let error = Jwt::discover(issuer).build().await.unwrap_err();
        assert_eq!(error.kind(), JwtErrorKind::UnusableAddress, "{error}");
    }
    let unnamed = Jwt::builder().keys(RemoteKeys::jwks("https://id.example/keys")).build().unwrap_err();
    assert_eq!(unnamed.kind(), JwtErrorKind::AmbiguousIssuer);
    let twice = Jwt::discover("https://id.example").trust(Issuer::discover("https://id.example"));
    assert_eq!(twice.build().await.unwrap_err().kind(), JwtErrorKind::AmbiguousIssuer);
}

#[tokio::test]
async fn plain_http_beyond_this_machine_needs_the_word_of_the_operator() {
    let addresses: [fn() -> RemoteKeys; 2] = [|| RemoteKeys::jwks("http://192.0.2.1/keys"), RemoteKeys::discovered];
    for keys in addresses {
        let build = |keys| Jwt::builder().trust(Issuer::new("http://192.0.2.1").keys(keys)).build();
        assert_eq!(build(keys()).unwrap_err().kind(), JwtErrorKind::UnusableAddress);
        assert!(build(keys().allow_plain_http()).is_ok());
    }
}

#[test]
fn without_a_runtime_that_has_timers_only_keys_that_are_here_can_be_used() {
    let local = || Jwt::builder().trust(Issuer::new("https://id.example").keys(Keys::secret(&[7; 32])));
    let remote = || Jwt::builder().trust(Issuer::discover("https://id.example"));
    let check = |place: &str| {
        let error = remote().build().unwrap_err();
        assert_eq!(error.kind(), JwtErrorKind::NoRuntime, "{place}");
        assert!(local().build().is_ok(), "{place}");
    };
    check("outside of any runtime");
    let timeless = tokio::runtime::Builder::new_current_thread().build().unwrap();
    timeless.block_on(async { check("in a runtime without timers") });
}

#[test]
fn a_runtime_of_one_thread_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (jwt, token) = runtime.block_on(async {
        let provider = Provider::with(&["a"]).await;
        let jwt = discover(&provider, |keys| keys).await;
        let token = token(&provider.issuer(), "a");
        assert_eq!(judge(&jwt, &token).await, GOOD);
        assert_eq!(judge(&jwt, &self::token(&provider.issuer(), "b")).await, "unknown-key");
        (jwt, token)
    });
    drop(runtime);
    let another = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(another.block_on(judge(&jwt, &token)), GOOD, "the keys outlive the runtime that fetched them");
}
