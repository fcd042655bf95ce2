//! New keys are found when a token names them, withdrawn ones go with the next refresh, and one refresh serves all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::keys::{jwk, nameless, token_saying, token_with_invented_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_under_load_gives_no_wrong_answer() {
    let provider = Provider::with(&["key 0"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 110, MS * 110).cool_down(MS * 100)).await;
    let (current, wrong, right) = (Arc::new(AtomicUsize::new(0)), Arc::default(), Arc::<AtomicUsize>::default());
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (jwt, issuer) = (jwt.clone(), issuer.clone());
            let (current, wrong, right) = (Arc::clone(&current), Arc::<AtomicUsize>::clone(&wrong), Arc::clone(&right));
            tokio::spawn(async move {
                loop {
                    let token = token(&issuer, &format!("key {}", current.load(Ordering::SeqCst)));
                    let count = if judge(&jwt, &token).await == GOOD { &right } else { &wrong };
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for rotation in 1..=12 {
        tokio::time::sleep(MS * 400).await;
        // What is asked for just now may be answered with the keys from before.
        provider.answer(Answer::keys(&[&format!("key {}", rotation - 1), &format!("key {rotation}")]).after(MS * 20));
        current.store(rotation, Ordering::SeqCst);
    }
    tokio::time::sleep(MS * 400).await;
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    let (wrong, right) = (wrong.load(Ordering::SeqCst), right.load(Ordering::SeqCst));
    println!("12 rotations: {right} right answers, {wrong} wrong ones, {} requests to the provider", provider.asked());
    assert_eq!(wrong, 0);
    assert!(right > 100 && provider.asked() < 100);
}

#[tokio::test]
async fn withdrawn_keys_go_with_the_next_refresh() {
    let provider = Provider::with(&["a", "b"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100)).await;
    let token = token(&issuer, "a");
    assert_eq!(judge(&jwt, &token).await, GOOD);
    provider.publish(&["b"]);
    until(async || judge(&jwt, &token).await == "unknown-key").await;
}

#[tokio::test]
async fn a_thousand_waiting_requests_make_one_refresh() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys).await;
    assert_eq!(provider.asked(), 1);
    provider.answer(Answer::keys(&["a", "b"]).after(MS * 100));
    assert_eq!(judge_all(&jwt, (0..1_000).map(|_| token(&issuer, "b"))).await, [(GOOD.to_owned(), 1_000)].into());
    assert_eq!(provider.asked(), 2);
    assert_eq!(provider.most_at_once(), 1);
}

#[tokio::test]
async fn a_thousand_requests_at_the_start_make_one_refresh() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    provider.answer(Answer::keys(&["a"]).after(MS * 100));
    let jwt = Jwt::builder().trust(Issuer::discover(&issuer).audience("billing")).build().unwrap();
    assert_eq!(judge_all(&jwt, (0..1_000).map(|_| token(&issuer, "a"))).await, [(GOOD.to_owned(), 1_000)].into());
    assert_eq!(provider.asked(), 2, "metadata and keys");
}

#[tokio::test]
async fn a_key_that_is_published_while_the_keys_are_fetched_is_found() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100)).await;
    provider.answer(Answer::keys(&["a"]).after(MS * 200));
    until(async || provider.asked() == 2).await;
    provider.publish(&["a", "b"]);
    assert_eq!(judge(&jwt, &token(&issuer, "b")).await, GOOD);
    assert_eq!(provider.asked(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_invented_keys_neither_loads_the_provider_nor_hides_a_rotation() {
    const COOL_DOWN: Duration = Duration::from_millis(500);
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = discover(&provider, |keys| keys.cool_down(COOL_DOWN)).await;
    let start = Instant::now();
    let flood: Vec<_> = (0..4)
        .map(|part| {
            let (jwt, issuer) = (jwt.clone(), issuer.clone());
            tokio::spawn(async move {
                for index in 0..25_000 {
                    let token = token_with_invented_key(&issuer, part * 25_000 + index);
                    assert_eq!(judge(&jwt, &token).await, "unknown-key");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();

    tokio::time::sleep(MS * 50).await;
    provider.publish(&["a", "b"]);
    let rotation = Instant::now();
    until(async || judge(&jwt, &token(&issuer, "b")).await == GOOD).await;
    let delay = rotation.elapsed();
    while flood.iter().any(|part| !part.is_finished()) {
        for key in ["a", "b"] {
            assert_eq!(judge(&jwt, &token(&issuer, key)).await, GOOD);
        }
        tokio::time::sleep(MS).await;
    }
    for part in flood {
        part.await.unwrap();
    }
    let (took, asked) = (start.elapsed(), provider.asked_for_keys());
    println!("100,000 invented keys in {took:?}: {asked} refreshes; a rotation meanwhile was noticed after {delay:?}");
    assert!(delay < COOL_DOWN * 3, "{delay:?}");
    assert!(asked as u128 <= 2 + took.as_millis() / COOL_DOWN.as_millis(), "{asked} in {took:?}");
    assert_eq!(provider.most_at_once(), 1);
}

#[tokio::test]
async fn tokens_in_the_cool_down_are_answered_at_once_and_remembered_at_its_end() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.cool_down(MS * 400)).await;
    assert_eq!(judge(&jwt, &token(&issuer, "b")).await, "unknown-key");
    assert_eq!(provider.asked(), 2);
    provider.publish(&["a", "b"]);
    let start = Instant::now();
    assert_eq!(judge(&jwt, &token(&issuer, "b")).await, "unknown-key");
    assert!(start.elapsed() < MS * 200);
    assert_eq!(provider.asked(), 2);
    until(async || provider.asked() == 3).await;
    assert!(start.elapsed() >= MS * 300);
    until(async || judge(&jwt, &token(&issuer, "b")).await == GOOD).await;
    assert_eq!(provider.asked(), 3);
}

/// Keys and tokens need no names (RFC 7515, section 4.1.4; RFC 7517, section 4.5), and then a signature that fits no key is
/// all that there is to see of a rotation.
#[tokio::test]
async fn a_rotation_is_noticed_where_keys_or_tokens_have_no_names() {
    type Key = fn(&str) -> serde_json::Value;
    let rows: [(Key, Option<&str>); 3] = [(nameless, None), (nameless, Some("b")), (jwk, None)];
    for (key, kid) in rows {
        let provider = Provider::with(&[]).await;
        let set = |name: &str| Answer::text(serde_json::json!({ "keys": [key(name)] }).to_string());
        provider.answer(set("a"));
        let issuer = provider.issuer();
        let jwt = remote(&provider, |keys| keys).await;
        assert_eq!(judge(&jwt, &token_saying(&issuer, "a", None)).await, GOOD, "{kid:?}");
        let asked = provider.asked();

        for number in 0..10 {
            let forged = token_saying(&issuer, &format!("mallory {number}"), kid);
            assert_eq!(judge(&jwt, &forged).await, "bad-signature", "{kid:?}");
        }
        assert_eq!(provider.asked(), asked + 1, "at most one in a cool-down, {kid:?}");
        until(async || provider.asked() > asked + 1).await;

        provider.answer(set("b"));
        let new = token_saying(&issuer, "b", kid);
        until(async || judge(&jwt, &new).await == GOOD).await;
        assert_eq!(judge(&jwt, &token_saying(&issuer, "a", None)).await, "bad-signature", "{kid:?}");
    }
}
