//! What is told about refreshes.

use std::time::Duration;

/// The longest text that is told: what a provider says may be long.
const MOST_TOLD: usize = 500;

/// How a refresh went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There are other keys than before.
    Changed { usable: usize, skipped: Vec<String> },
    /// The keys are those that were in force already.
    Unchanged { usable: usize, skipped: Vec<String> },
    /// The keys that were in force stay; there were so many.
    Failed { usable: usize, why: String },
}

/// Tells about a refresh of the keys of `issuer`, the next of which is due after `next`.
pub(super) fn refreshed(issuer: &str, outcome: &Outcome, next: Duration) {
    let next = next.as_secs_f64();
    match outcome {
        Outcome::Changed { usable, skipped } => tracing::info!(
            target: "tower_authz",
            {
                event.name = "authz.keys.refreshed",
                authz.issuer = issuer,
                authz.keys.usable = usable,
                authz.keys.skipped = skipped.len(),
                authz.keys.next_due_seconds = next,
                authz.detail = skipped.first().map(|why| brief(why)),
            },
            "keys refreshed"
        ),
        Outcome::Unchanged { usable, skipped } => tracing::debug!(
            target: "tower_authz",
            {
                event.name = "authz.keys.unchanged",
                authz.issuer = issuer,
                authz.keys.usable = usable,
                authz.keys.skipped = skipped.len(),
                authz.keys.next_due_seconds = next,
                authz.detail = skipped.first().map(|why| brief(why)),
            },
            "the provider has the keys that are in force already"
        ),
        Outcome::Failed { usable, why } => tracing::warn!(
            target: "tower_authz",
            {
                event.name = "authz.keys.not_refreshed",
                authz.issuer = issuer,
                authz.keys.usable = usable,
                authz.keys.next_due_seconds = next,
                authz.detail = why,
            },
            "the keys were not refreshed, and those in force stay"
        ),
    }
}

/// The beginning of a text, in which all of it stands that is of use.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(MOST_TOLD).collect()
}

/// Tells that the keys of `issuer` were too old, so that it has none now.
pub(super) fn withdrawn(issuer: &str) {
    tracing::error!(
        target: "tower_authz",
        { event.name = "authz.keys.withdrawn", authz.issuer = issuer },
        "the keys are too old, and count no longer"
    );
}

/// Tells that what keeps the keys of `issuer` up to date has panicked, and goes on.
pub(super) fn panicked(issuer: &str, why: &str) {
    tracing::error!(
        target: "tower_authz",
        { event.name = "authz.keys.panicked", authz.issuer = issuer, authz.detail = why },
        "keeping the keys up to date panicked, and goes on"
    );
}
