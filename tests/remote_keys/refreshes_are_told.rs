//! One event a refresh.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

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

    provider.answer(Answer::text("no").status(500));
    let failed = next_told(&events).await;
    assert_eq!(failed.field("authz.keys.usable"), Some("2"), "still in force");

    provider.answer(Answer::text(json!({ "keys": [{ "kty": "\u{1b}[0m" }, jwk("a")] }).to_string()));
    let changed = next_told_as(&events, "authz.keys.refreshed").await;
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

#[tokio::test]
async fn keys_in_another_order_are_the_same_keys() {
    let events = Events::record();
    let provider = Provider::with(&["a", "b", "c"]).await;
    let _jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100)).await;
    events.take();
    for names in [["c", "a", "b"], ["b", "a", "c"]] {
        provider.publish(&names);
        let asked = provider.asked();
        until(async || provider.asked() > asked + 1).await;
    }
    let told = events.take();
    let names: Vec<_> = told.iter().map(|event| event.field("event.name").unwrap()).collect();
    assert!(names.len() > 2 && names.iter().all(|name| *name == "authz.keys.unchanged"), "{names:?}");
    provider.publish(&["a", "a", "b"]);
    assert_eq!(next_told(&events).await.field("event.name"), Some("authz.keys.refreshed"));
}

/// Panics at the first event of every level, and takes down the levels.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Vec<Level>>>);

impl<S: Subscriber> Layer<S> for Trap {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tower_authz" {
            let level = *event.metadata().level();
            let mut levels = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let is_first = !levels.contains(&level);
            levels.push(level);
            drop(levels);
            assert!(!is_first, "at {level}");
        }
    }
}

#[tokio::test]
async fn a_panic_is_told_as_an_error_and_ends_nothing() {
    let _events = Events::record();
    let trap = Trap::default();
    let _listening = tracing::subscriber::set_default(tracing_subscriber::registry().with(trap.clone()));
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100)).await;
    assert_eq!(judge(&jwt, &token(&issuer, "a")).await, GOOD);
    // Refreshes that change nothing panic next, and then those that fail.
    until(async || trap.0.lock().unwrap().contains(&Level::DEBUG)).await;
    provider.go_down();
    until(async || trap.0.lock().unwrap().contains(&Level::WARN)).await;
    provider.publish(&["b"]);
    provider.come_up().await;
    until(async || judge(&jwt, &token(&issuer, "b")).await == GOOD).await;
    let levels = trap.0.lock().unwrap().clone();
    assert_eq!(levels.iter().filter(|level| **level == Level::ERROR).count(), 3, "one a panic: {levels:?}");
}

/// The next event of this name.
async fn next_told_as(events: &Events, name: &str) -> Event {
    loop {
        let event = next_told(events).await;
        if event.field("event.name") == Some(name) {
            return event;
        }
    }
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
