//! What is remembered, and what happens when keys change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{
    Jwt, JwtAlgorithm, JwtBuilder, Keys, RevokedTokens, TokenCache, TokenFacts,
    backend::CRYPTO,
    key::Key,
    key_set::KeyStore,
    keys::{KeySource, Origin},
};
use crate::{
    authn::{Authentication, Authenticator, BoxFuture},
    clock::Clock,
    identity::Identity,
    target::Head,
};

const START: u64 = 1_800_000_000;
const GOOD: &str = "ada";

/// A clock that is set by hand.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for Watch {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START + self.0.load(Ordering::Relaxed))
    }
}

/// Keys that are replaced by hand, or when they are asked for.
#[derive(Default)]
struct Rotating {
    store: Arc<KeyStore>,
    next: Option<&'static str>,
    asked: AtomicUsize,
}

impl KeySource for Rotating {
    fn store(&self) -> &KeyStore {
        &self.store
    }

    fn refreshed(&self) -> Option<BoxFuture<()>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (store, next) = (Arc::clone(&self.store), self.next?);
        Some(Box::pin(async move {
            store.replace(vec![key(next)]);
        }))
    }
}

fn secret(id: &str) -> [u8; 32] {
    let mut secret = [7; 32];
    secret[..id.len()].copy_from_slice(id.as_bytes());
    secret
}

fn key(id: &str) -> Key {
    let jwk = json!({ "kty": "oct", "kid": id, "k": URL_SAFE_NO_PAD.encode(secret(id)) });
    Key::jwk(jwk.as_object().unwrap()).unwrap()
}

fn token(id: &str, changes: &Value) -> String {
    let mut claims = json!({ "sub": GOOD, "exp": START + 60, "sid": "session" });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let header = json!({ "alg": "HS256", "kid": id });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signer = (CRYPTO.signer_factory)(&Algorithm::HS256, &EncodingKey::from_secret(&secret(id))).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer.try_sign(message.as_bytes()).unwrap()))
}

fn builder(source: &Arc<Rotating>, watch: &Watch) -> JwtBuilder {
    let source: Arc<dyn KeySource> = Arc::clone(source) as _;
    let keys = Keys { origin: Origin::Here(Ok(source)), default_algorithms: &[JwtAlgorithm::Hs256] };
    Jwt::builder().keys(keys).clock(watch.clone())
}

fn holding(id: &str) -> Arc<Rotating> {
    Arc::new(Rotating { store: Arc::new(KeyStore::holding(vec![key(id)])), ..Rotating::default() })
}

async fn judge(jwt: &Jwt, token: &str) -> String {
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    match jwt.authenticate(Head::from(&request)).wait().await {
        Identity::Authenticated(principal) => principal.subject().to_owned(),
        Identity::Rejected(error) => error.kind().as_str().to_owned(),
        Identity::Unavailable(_) => "unavailable".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Whether the next request with `token` would be answered from memory.
fn is_remembered(jwt: &Jwt, token: &str, watch: &Watch) -> bool {
    jwt.inspector.recall(token.as_bytes(), watch.now()).is_some()
}

#[tokio::test]
async fn good_tokens_are_remembered_until_they_expire_and_no_longer() {
    for cache in [TokenCache::default(), TokenCache::new().digests()] {
        let (source, watch) = (holding("a"), Watch::default());
        let jwt = builder(&source, &watch).cache(cache).build().unwrap();
        let token = token("a", &json!({}));
        for (seconds, expected, remembered) in
            [(0, GOOD, true), (59, GOOD, true), (60, GOOD, false), (89, GOOD, false), (90, "expired", true)]
        {
            watch.set(seconds);
            assert_eq!(judge(&jwt, &token).await, expected, "after {seconds} s");
            assert_eq!(is_remembered(&jwt, &token, &watch), remembered, "after {seconds} s");
        }
    }
}

#[tokio::test]
async fn rejected_tokens_are_remembered_for_a_while_unless_they_may_become_good() {
    let (source, watch) = (holding("a"), Watch::default());
    let jwt = builder(&source, &watch).build().unwrap();
    let good = token("a", &json!({}));
    let forged = format!("{good}A");
    let cases = [
        (forged.as_str(), "bad-signature", true),
        (&good.replace("ey", "yy"), "malformed", true),
        (&token("a", &json!({ "aud": "x" })), "wrong-audience", true),
        (&token("a", &json!({ "exp": START - 60 })), "expired", true),
        (&token("a", &json!({ "nbf": START + 50 })), "not-yet-valid", false),
        (&token("b", &json!({})), "unknown-key", false),
        (&"x".repeat(17_000), "malformed", false),
    ];
    for (token, expected, remembered) in cases {
        for _ in 0..2 {
            assert_eq!(judge(&jwt, token).await, expected, "{token:.60}");
            assert_eq!(is_remembered(&jwt, token, &watch), remembered, "{expected}");
        }
    }
    watch.set(10);
    assert!(!is_remembered(&jwt, &forged, &watch));
    assert_eq!(judge(&jwt, &token("a", &json!({ "nbf": START + 30 }))).await, GOOD);
}

#[tokio::test]
async fn nothing_is_remembered_where_that_is_off() {
    let (source, watch) = (holding("a"), Watch::default());
    let good = token("a", &json!({}));
    let bad = format!("{good}A");
    let cases = [
        (TokenCache::off(), [false, false]),
        (TokenCache::new().capacity(0), [false, true]),
        (TokenCache::new().rejected_capacity(0), [true, false]),
        (TokenCache::new().rejected_for(Duration::ZERO), [true, false]),
    ];
    for (cache, remembered) in cases {
        let jwt = builder(&source, &watch).cache(cache).build().unwrap();
        for _ in 0..2 {
            assert_eq!(judge(&jwt, &good).await, GOOD);
            assert_eq!(judge(&jwt, &bad).await, "bad-signature");
        }
        assert_eq!([&good, &bad].map(|token| is_remembered(&jwt, token, &watch)), remembered, "{cache:?}");
    }
}

#[tokio::test]
async fn a_flood_of_bad_tokens_drives_out_no_good_one() {
    let (source, watch) = (holding("a"), Watch::default());
    let jwt = builder(&source, &watch).cache(TokenCache::new().capacity(10).rejected_capacity(10)).build().unwrap();
    let good = token("a", &json!({}));
    assert_eq!(judge(&jwt, &good).await, GOOD);
    for index in 0..1_000 {
        assert_ne!(judge(&jwt, &format!("{good}{index}")).await, GOOD);
    }
    assert!(is_remembered(&jwt, &good, &watch));
}

#[tokio::test]
async fn verifiers_share_no_memory_and_clones_do() {
    let (source, other, watch) = (holding("a"), holding("b"), Watch::default());
    let jwt = builder(&source, &watch).build().unwrap();
    let clone = jwt.clone();
    let stranger = builder(&other, &watch).build().unwrap();
    let token = token("a", &json!({}));
    assert_eq!(judge(&jwt, &token).await, GOOD);
    assert!(is_remembered(&clone, &token, &watch));
    assert!(!is_remembered(&stranger, &token, &watch));
    assert_eq!(judge(&stranger, &token).await, "unknown-key");
}

#[tokio::test]
async fn a_withdrawn_key_ends_what_was_remembered_at_once_and_the_same_keys_do_not() {
    let (source, watch) = (holding("a"), Watch::default());
    let jwt = builder(&source, &watch).build().unwrap();
    let (one, two) = (token("a", &json!({})), token("b", &json!({})));
    assert_eq!(judge(&jwt, &one).await, GOOD);
    assert_eq!(judge(&jwt, &two).await, "unknown-key");

    assert!(!source.store.replace(vec![key("a")]));
    assert!(is_remembered(&jwt, &one, &watch));

    assert!(source.store.replace(vec![key("a"), key("b")]));
    assert_eq!(judge(&jwt, &one).await, GOOD);
    assert_eq!(judge(&jwt, &two).await, GOOD);

    assert!(source.store.replace(vec![key("b")]));
    assert!(!is_remembered(&jwt, &one, &watch));
    assert_eq!(judge(&jwt, &one).await, "unknown-key");
    assert_eq!(judge(&jwt, &two).await, GOOD);
}

#[tokio::test]
async fn a_key_that_was_exchanged_under_its_name_makes_good_tokens_bad_and_bad_ones_good() {
    let exchanged = |secret_of: &str| {
        let jwk = json!({ "kty": "oct", "kid": "a", "k": URL_SAFE_NO_PAD.encode(secret(secret_of)) });
        Key::jwk(jwk.as_object().unwrap()).unwrap()
    };
    let (source, watch) = (holding("a"), Watch::default());
    let jwt = builder(&source, &watch).build().unwrap();
    let token = token("a", &json!({}));
    for (secret_of, expected) in [("a", GOOD), ("b", "bad-signature"), ("a", GOOD), ("b", "bad-signature")] {
        source.store.replace(vec![exchanged(secret_of)]);
        assert_eq!(judge(&jwt, &token).await, expected);
        assert!(is_remembered(&jwt, &token, &watch));
    }
}

#[tokio::test]
async fn without_any_keys_the_answer_is_unavailable_and_never_a_rejection() {
    let (source, watch) = (Arc::new(Rotating::default()), Watch::default());
    let jwt = builder(&source, &watch).build().unwrap();
    for token in [token("a", &json!({})), token("b", &json!({}))] {
        assert_eq!(judge(&jwt, &token).await, "unavailable");
        let Authentication::Ready(Identity::Unavailable(why)) = jwt.inspector.identify(token.as_bytes()) else {
            panic!("{token}")
        };
        assert_eq!(why.get_detail(), Some("the keys of the issuer are not known yet"));
        assert!(!is_remembered(&jwt, &token, &watch));
    }
    assert_eq!(judge(&jwt, "x.y.z").await, "malformed", "no key would make it good");
    source.store.replace(vec![key("a")]);
    assert_eq!(judge(&jwt, &token("a", &json!({}))).await, GOOD);
}

#[tokio::test]
async fn requests_wait_for_newer_keys_where_some_may_come() {
    for store in [Arc::default(), Arc::new(KeyStore::holding(vec![key("old")]))] {
        let source = Arc::new(Rotating { store, next: Some("new"), ..Rotating::default() });
        let jwt = builder(&source, &Watch::default()).build().unwrap();
        let new = token("new", &json!({}));
        let request = Request::get("/").header("authorization", format!("Bearer {new}")).body(()).unwrap();
        assert!(matches!(jwt.authenticate(Head::from(&request)), Authentication::Pending(_)));
        assert_eq!(judge(&jwt, &new).await, GOOD);
        assert_eq!(judge(&jwt, &token("other", &json!({}))).await, "unknown-key", "after waiting once");
        assert_eq!(source.asked.load(Ordering::Relaxed), 3);
        assert_eq!(judge(&jwt, &new).await, GOOD);
        assert_eq!(source.asked.load(Ordering::Relaxed), 3, "what is known is not asked for");
    }
}

#[tokio::test]
async fn revocation_is_asked_for_remembered_tokens_too() {
    type Revoke = fn(&RevokedTokens, SystemTime);
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(START + 30);
    let cases: [(&str, Revoke); 3] = [
        ("token", |list, until| list.revoke_id("7", until)),
        ("session", |list, until| list.revoke_session("session", until)),
        ("subject", |list, until| list.revoke_subject(GOOD, until)),
    ];
    for cache in [TokenCache::new(), TokenCache::off()] {
        for (name, revoke) in cases {
            let (source, watch) = (holding("a"), Watch::default());
            let list = RevokedTokens::with_clock(watch.clone());
            let jwt = builder(&source, &watch).cache(cache).revocation(list.clone()).build().unwrap();
            let token = token("a", &json!({ "jti": "7" }));
            assert_eq!(judge(&jwt, &token).await, GOOD, "{name}");
            assert_eq!((list.len(), list.is_empty()), (0, true), "{name}");
            revoke(&list, until);
            assert_eq!((list.len(), list.is_empty()), (1, false), "{name}");
            for _ in 0..2 {
                assert_eq!(judge(&jwt, &token).await, "revoked", "{name}");
            }
            watch.set(30);
            assert_eq!(judge(&jwt, &token).await, GOOD, "{name} after the time of the entry");
        }
    }
}

#[tokio::test]
async fn a_list_may_count_for_one_issuer_alone() {
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(START + 30);
    let said = json!({ "iss": "https://id.example", "jti": "7", "sid": "7" });
    for (issuer, expected) in [("https://id.example", "revoked"), ("https://id.example/", GOOD), ("", GOOD)] {
        let revoke: [fn(&RevokedTokens, SystemTime); 3] = [
            |list, until| list.revoke_id("7", until),
            |list, until| list.revoke_session("7", until),
            |list, until| list.revoke_subject(GOOD, until),
        ];
        for revoke in revoke {
            let list = RevokedTokens::with_clock(Watch::default()).of_issuer(issuer);
            revoke(&list, until);
            let jwt = builder(&holding("a"), &Watch::default()).revocation(list).build().unwrap();
            assert_eq!(judge(&jwt, &token("a", &said)).await, expected, "{issuer}");
            assert_eq!(judge(&jwt, &token("a", &json!({ "jti": "7", "sid": "7" }))).await, GOOD, "no issuer");
        }
    }
}

#[tokio::test]
async fn a_closure_revokes_by_what_the_token_says() {
    type Says = fn(&TokenFacts<'_>) -> bool;
    let rows: [(&str, Says, &str, &str); 5] = [
        ("its identifier", |token| token.id() == Some("7"), "jti", "7"),
        ("its session", |token| token.session() == Some("7"), "sid", "7"),
        ("its subject", |token| token.subject() == "7", "sub", "7"),
        ("its issuer", |token| token.issuer() == Some("7"), "iss", "7"),
        ("any other claim", |token| token.principal().get_claim("plan") == Some(&json!("7")), "plan", "7"),
    ];
    for (name, says, claim, value) in rows {
        let jwt = builder(&holding("a"), &Watch::default()).revocation(says).build().unwrap();
        assert_eq!(judge(&jwt, &token("a", &json!({ claim: value }))).await, "revoked", "{name}");
        let kept = token("a", &json!({ claim: "8" }));
        assert!([GOOD, "8"].contains(&&*judge(&jwt, &kept).await), "another value of {name}");
        let silent: Says = |token| (token.id(), token.issuer()) == (None, None);
        let jwt = builder(&holding("a"), &Watch::default()).revocation(silent).build().unwrap();
        assert_eq!(judge(&jwt, &token("a", &json!({}))).await, "revoked", "what a token does not say is nothing");
    }
}

/// Whoever was revoked is remembered as rejected, and not as good: the list that said so need not be asked again.
#[tokio::test]
async fn a_token_that_was_revoked_is_forgotten_as_a_good_one() {
    let (source, watch, revoked) = (holding("a"), Watch::default(), Arc::new(AtomicUsize::new(0)));
    let list = Arc::clone(&revoked);
    let says = move |_: &TokenFacts<'_>| list.load(Ordering::Relaxed) == 1;
    let jwt = builder(&source, &watch).revocation(says).build().unwrap();
    let token = token("a", &json!({}));
    for (seconds, on_the_list, expected) in [(0, 0, GOOD), (0, 1, "revoked"), (9, 0, "revoked"), (10, 0, GOOD)] {
        watch.set(seconds);
        revoked.store(on_the_list, Ordering::Relaxed);
        assert_eq!(judge(&jwt, &token).await, expected, "after {seconds} s");
    }
}

#[test]
fn the_list_of_revoked_tokens_forgets_what_has_expired() {
    let watch = Watch::default();
    let list = RevokedTokens::with_clock(watch.clone());
    for second in 0..10_000 {
        watch.set(second);
        list.revoke_id(second.to_string(), watch.now() + Duration::from_secs(10));
        assert!(list.len() <= 32, "{} after {second} s", list.len());
    }
    list.revoke_id("kept", watch.now() + Duration::from_secs(100));
    list.revoke_id("kept", watch.now() + Duration::from_secs(1));
    watch.set(10_050);
    let jwt = Jwt::hs256(&secret("a")).revocation(list).clock(watch.clone()).build().unwrap();
    let kept = token("a", &json!({ "jti": "kept", "exp": START + 20_000 }));
    let identity = jwt.inspector.identify(kept.as_bytes());
    let Authentication::Ready(Identity::Rejected(error)) = identity else { panic!("{identity:?}") };
    assert_eq!(error.kind().as_str(), "revoked", "the later of two times counts");
}

#[test]
fn a_list_of_revoked_tokens_goes_by_the_clock_of_the_system_where_none_is_given() {
    for list in [RevokedTokens::new(), RevokedTokens::default()] {
        list.revoke_id("7", SystemTime::UNIX_EPOCH);
        assert!(list.is_empty());
        list.revoke_id("7", SystemTime::now() + Duration::from_secs(60));
        assert_eq!(list.len(), 1);
    }
}

#[test]
fn what_has_expired_when_it_is_revoked_is_not_kept() {
    let watch = Watch::default();
    let list = RevokedTokens::with_clock(watch.clone());
    for (name, until, kept) in [("over", START - 1, 0), ("over just now", START, 0), ("not over", START + 1, 1)] {
        list.revoke_id("7", SystemTime::UNIX_EPOCH + Duration::from_secs(until));
        assert_eq!(list.len(), kept, "{name}");
    }
}
