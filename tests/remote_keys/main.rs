//! Keys that providers publish: found, fetched, kept up to date, and kept when the provider is down.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod keys;
mod keys_are_found;
mod provider;

use std::{future::Future, time::Duration};

use keys::{judge, token};
use provider::{Answer, Provider};
use tower_authz::authn::RemoteKeys;

const GOOD: &str = "ada";

/// Keys that are fetched as fast as tests like it.
fn quick(keys: RemoteKeys) -> RemoteKeys {
    let [short, long] = [Duration::from_millis(100), Duration::from_secs(600)];
    keys.refresh_between(long, long).back_off(short, short).cool_down(Duration::from_millis(300))
}

/// Waits until something is so; fails the test if it never is.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
}
