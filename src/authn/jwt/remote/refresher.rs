//! The task that keeps the keys of one issuer up to date.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{
    event::{self, Outcome},
    provider::{Failure, Provider, Published},
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
            if let Err(panic) = unwound(self.step()).await {
                self.recover(&*panic);
            }
        }
    }

    async fn step(&self) {
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

    async fn refresh(&self) {
        self.shared.state().schedule.begin(Instant::now());
        let published = self.provider.publishes().await;
        let (outcome, next) = self.settle(published);
        event::refreshed(&self.shared.issuer, &outcome, next.saturating_duration_since(Instant::now()));
    }

    /// Puts keys in force, and then lets go whoever waits for them.
    fn settle(&self, published: Result<Published, Failure>) -> (Outcome, Instant) {
        let mut state = self.shared.state();
        let outcome = match published {
            Ok(Published { keys, fresh }) => {
                state.schedule.succeed(Instant::now(), fresh, fastrand::f64());
                state.problem = None;
                let (usable, skipped) = (keys.keys.len(), keys.problems);
                let changed = self.shared.store.replace(keys.keys);
                if changed { Outcome::Changed { usable, skipped } } else { Outcome::Unchanged { usable, skipped } }
            }
            Err(Failure { why, retry_after }) => {
                let why = event::brief(&why);
                state.schedule.fail(Instant::now(), retry_after, fastrand::f64());
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

    /// Goes on after a panic. A refresh that did not come to its end has failed.
    fn recover(&self, panic: &(dyn Any + Send)) {
        let why = event::brief(message(panic));
        let mut state = self.shared.state();
        if state.schedule.is_running() {
            state.schedule.fail(Instant::now(), None, fastrand::f64());
            state.problem = Some("the refresh panicked".to_owned());
        }
        drop(state);
        self.rounds.send_modify(|round| *round += 1);
        // Whoever listens to events may be the one that panics.
        let _ = catch_unwind(AssertUnwindSafe(|| event::panicked(&self.shared.issuer, &why)));
    }
}

/// Runs a future to its end, or to its panic.
async fn unwound<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why")
}
