//! One event a refresh.

use serde_json::json;
use tracing::Level;

use super::*;
use crate::{
    events::{Event, Events},
    keys::jwk,
};

#[tokio::test]
async fn every_refresh_is_told_with_outcome_number_of_keys_and_next_due() {
    let events = Events::record();
    let provider = Provider::with(&["a", "b"]).await;
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 200, MS * 200)).await;
    let told = events.take();
    let [first] = &told[..] else { panic!("{told:#?}") };
    assert_eq!((first.level, first.field("event.name")), (Level::INFO, Some("authz.keys.refreshed")));
    assert_eq!(first.field("authz.issuer"), Some(&*provider.issuer()));
    assert_eq!((first.field("authz.keys.usable"), first.field("authz.keys.skipped")), (Some("2"), Some("0")));
    assert_eq!(first.field("authz.detail"), None);
    let next: f64 = first.field("authz.keys.next_due_seconds").unwrap().parse().unwrap();
    assert!((0.1..=0.2).contains(&next), "{next}");

    provider.answer(Answer::text(json!({ "keys": [{ "kty": "\u{1b}[0m" }, jwk("a")] }).to_string()));
    let changed = next_told(&events).await;
    assert_eq!((changed.level, changed.field("event.name")), (Level::INFO, Some("authz.keys.refreshed")));
    assert_eq!((changed.field("authz.keys.usable"), changed.field("authz.keys.skipped")), (Some("1"), Some("1")));
    assert_eq!(changed.field("authz.detail"), Some(r"key 0: its type `\u{1b}[0m` is not supported"));

    let endless = json!({ "kty": "\n".repeat(10_000) });
    provider.answer(Answer::text(json!({ "keys": vec![endless; 5] }).to_string()));
    let failed = next_told(&events).await;
    let detail = failed.field("authz.detail").unwrap();
    assert!(detail.len() == 500 && detail.contains(r"\n\n"), "{detail}");

    provider.answer(Answer::text("no").status(500));
    let failed = next_told(&events).await;
    assert_eq!((failed.level, failed.field("event.name")), (Level::WARN, Some("authz.keys.not_refreshed")));
    assert_eq!(failed.field("authz.keys.usable"), Some("1"), "still in force");
    assert!(failed.field("authz.detail").unwrap().contains("status 500"));

    provider.publish(&["a"]);
    until(async || {
        events
            .take()
            .iter()
            .any(|event| (event.level, event.field("event.name")) == (Level::DEBUG, Some("authz.keys.unchanged")))
    })
    .await;
    drop(jwt);
}

#[tokio::test]
async fn keys_that_are_withdrawn_are_told_as_an_error() {
    let events = Events::record();
    let provider = Provider::with(&["a"]).await;
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100).max_stale(MS * 300)).await;
    provider.go_down();
    until(async || judge(&jwt, &token(&provider.issuer(), "a")).await == "unavailable").await;
    let errors: Vec<_> = events.take().into_iter().filter(|event| event.level == Level::ERROR).collect();
    let [withdrawn] = &errors[..] else { panic!("{errors:#?}") };
    assert_eq!(withdrawn.field("event.name"), Some("authz.keys.withdrawn"));
    assert_eq!(withdrawn.field("authz.issuer"), Some(&*provider.issuer()));
}

/// The next event that tells of another outcome than that nothing has changed.
async fn next_told(events: &Events) -> Event {
    let mut told = Vec::new();
    until(async || {
        told.extend(events.take());
        told.iter().any(|event| event.level < Level::DEBUG)
    })
    .await;
    told.into_iter().find(|event| event.level < Level::DEBUG).unwrap()
}
