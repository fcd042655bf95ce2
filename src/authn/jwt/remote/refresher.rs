//! The task that keeps the keys of one issuer up to date.

use std::sync::Arc;

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{
    event::{self, Outcome},
    provider::{Provider, Published},
    schedule::Step,
    source::Shared,
};

/// Runs refreshes when they are due, one at a time.
pub(super) struct Refresher {
    pub(super) shared: Arc<Shared>,
    pub(super) provider: Provider,
    /// Counts the refreshes that have ended.
    pub(super) rounds: watch::Sender<u64>,
}

impl Refresher {
    /// Never ends by itself: whoever holds the keys ends it.
    pub(super) async fn run(self) {
        loop {
            let step = self.shared.state().schedule.step(Instant::now());
            match step {
                Step::Refresh => self.refresh().await,
                Step::Withdraw => self.withdraw(),
                Step::Wait(until) => {
                    // Both mean that there may be something to do.
                    let _ = timeout_at(until, self.shared.wake.notified()).await;
                }
            }
        }
    }

    async fn refresh(&self) {
        self.shared.state().schedule.begin(Instant::now());
        let published = self.provider.publishes().await;
        let (outcome, next) = self.settle(published);
        event::refreshed(&self.shared.issuer, &outcome, next.saturating_duration_since(Instant::now()));
    }

    /// Puts keys in force, and then lets go whoever waits for them.
    fn settle(&self, published: Result<Published, String>) -> (Outcome, Instant) {
        let mut state = self.shared.state();
        let outcome = match published {
            Ok(Published { keys, fresh }) => {
                state.schedule.succeed(Instant::now(), fresh, fastrand::f64());
                state.problem = None;
                let (usable, skipped) = (keys.keys.len(), keys.problems);
                let changed = self.shared.store.replace(keys.keys);
                if changed { Outcome::Changed { usable, skipped } } else { Outcome::Unchanged { usable, skipped } }
            }
            Err(why) => {
                let why = event::brief(&why);
                state.schedule.fail(Instant::now(), fastrand::f64());
                state.problem = Some(why.clone());
                Outcome::Failed { usable: self.shared.store.len(), why }
            }
        };
        self.rounds.send_modify(|round| *round += 1);
        (outcome, state.schedule.next())
    }

    fn withdraw(&self) {
        let mut state = self.shared.state();
        state.schedule.withdraw();
        self.shared.store.clear();
        drop(state);
        event::withdrawn(&self.shared.issuer);
    }
}
