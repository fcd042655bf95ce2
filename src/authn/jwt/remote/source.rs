//! Remote keys, as the verifier of tokens sees them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
    time::Instant,
};

use super::{
    provider::Provider,
    refresher::Refresher,
    schedule::{Asked, Schedule, Timing},
};
use crate::{
    authn::{
        BoxFuture,
        jwt::{key_set::KeyStore, keys::KeySource},
    },
    identity::Unavailable,
};

/// Remote keys. The task that refreshes them ends with this.
pub(super) struct RemoteSource {
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// What requests and the task share.
pub(super) struct Shared {
    pub(super) issuer: String,
    pub(super) store: KeyStore,
    /// Tells the task that a token has asked.
    pub(super) wake: Notify,
    /// Never held while anything is waited for.
    state: Mutex<State>,
    rounds: watch::Receiver<u64>,
}

pub(super) struct State {
    pub(super) schedule: Schedule,
    /// Why the last refresh failed, if it did.
    pub(super) problem: Option<String>,
}

/// A refresh that is waited for.
struct Round {
    rounds: watch::Receiver<u64>,
    asked: Asked,
    /// Of the keys that did not do.
    generation: u64,
}

impl RemoteSource {
    /// Begins to fetch the keys of `issuer` on `runtime`.
    pub(super) fn start(issuer: String, provider: Provider, timing: Timing, runtime: &Handle) -> Self {
        let (sender, rounds) = watch::channel(0);
        let schedule = Schedule::new(timing, Instant::now());
        let shared = Arc::new(Shared {
            issuer,
            store: KeyStore::default(),
            wake: Notify::new(),
            state: Mutex::new(State { schedule, problem: None }),
            rounds,
        });
        let refresher = Refresher { shared: Arc::clone(&shared), provider, rounds: sender };
        Self { shared, task: runtime.spawn(refresher.run()).abort_handle() }
    }
}

impl Drop for RemoteSource {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl KeySource for RemoteSource {
    fn store(&self) -> &KeyStore {
        &self.shared.store
    }

    fn refreshed(&self) -> Option<BoxFuture<()>> {
        let round = self.shared.ask()?;
        let shared = Arc::clone(&self.shared);
        Some(Box::pin(async move { shared.wait(round).await }))
    }

    fn unavailable(&self) -> Unavailable {
        let state = self.shared.state();
        let wait = state.schedule.next().saturating_duration_since(Instant::now());
        let detail = match &state.problem {
            None => "the keys of the issuer are not known yet".to_owned(),
            Some(problem) => format!("the keys of the issuer are not known yet: {problem}"),
        };
        Unavailable::new().retry_after(wait.max(Duration::from_secs(1))).detail(detail)
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a refresh. None where there is nothing to wait for.
    fn ask(&self) -> Option<Round> {
        let mut state = self.state();
        let next = state.schedule.next();
        let asked = state.schedule.ask(Instant::now());
        if state.schedule.next() != next {
            self.wake.notify_one();
        }
        if asked == Asked::Later {
            return None;
        }
        let mut rounds = self.rounds.clone();
        rounds.mark_unchanged();
        Some(Round { rounds, asked, generation: self.store.generation() })
    }

    /// Waits until there may be newer keys. A refresh that was under way may have missed a key that was published
    /// meanwhile; one more is made then, as far as that is allowed.
    async fn wait(&self, mut round: Round) {
        round.end().await;
        if round.asked == Asked::Runs
            && self.store.generation() == round.generation
            && let Some(mut next) = self.ask()
        {
            next.end().await;
        }
    }
}

impl Round {
    async fn end(&mut self) {
        // An error means that the task was ended together with its runtime: nothing will come.
        let _ = self.rounds.changed().await;
    }
}
