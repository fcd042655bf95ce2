//! Keys that providers publish: found, fetched, kept up to date, and kept when the provider is down.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../support/events.rs"]
#[allow(dead_code, reason = "every test uses a part of it")]
mod events;

mod bad_answers_change_nothing;
mod keys;
mod keys_are_found;
mod provider;
mod providers_may_be_down;
mod providers_prove_who_they_are;
mod refreshes_are_told;
mod rotations_are_noticed;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use keys::{identify, judge, token};
use provider::{Answer, Provider};
use tokio::{runtime::Handle, task::JoinSet};
use tower_authz::{
    Identity,
    authn::{Issuer, Jwt, RemoteKeys},
};

const GOOD: &str = "ada";
const MS: Duration = Duration::from_millis(1);

/// Keys that are fetched again soon after a failure, and otherwise only when a token asks.
fn quick(keys: RemoteKeys) -> RemoteKeys {
    let long = Duration::from_secs(600);
    keys.refresh_between(long, long).back_off(MS * 100, MS * 100).cool_down(MS * 300)
}

/// Trusts `provider`, which is asked at the address of its keys.
async fn remote(provider: &Provider, change: impl FnOnce(RemoteKeys) -> RemoteKeys) -> Jwt {
    let keys = change(quick(RemoteKeys::jwks(provider.jwks())));
    Jwt::remote(provider.issuer(), keys).audience("billing").build().await.unwrap()
}

/// Trusts `provider`, whose metadata say where its keys are.
async fn discover(provider: &Provider, change: impl FnOnce(RemoteKeys) -> RemoteKeys) -> Jwt {
    let keys = change(quick(RemoteKeys::discovered()));
    Jwt::remote(provider.issuer(), keys).audience("billing").build().await.unwrap()
}

/// How many of `tokens`, judged at the same time, come to what.
async fn judge_all(jwt: &Jwt, tokens: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut judging = JoinSet::new();
    for token in tokens {
        let jwt = jwt.clone();
        judging.spawn(async move { judge(&jwt, &token).await });
    }
    let mut counts = BTreeMap::new();
    for outcome in judging.join_all().await {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

/// Waits until something is so; fails the test if it never is.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(MS * 10).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
}
