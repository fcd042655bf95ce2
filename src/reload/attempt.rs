//! Loading the file once more.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    analysis::{Change, Diff},
    policy::{Policy, PolicyError, PolicyHandle},
};

/// Says why a policy must not replace the one in force.
pub(super) type Guard = dyn Fn(&Policy, &Policy) -> Result<(), String> + Send + Sync;

/// An attempt to replace the policy in force by what the file says now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reload {
    /// The policy that was in force before.
    pub previous: Policy,
    /// What came of the attempt.
    pub outcome: ReloadOutcome,
}

/// What came of an attempt to replace a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReloadOutcome {
    /// This policy is in force now, and that is what changed for whom.
    Replaced(Policy, Diff),
    /// The file says what is in force already.
    Unchanged,
    /// The file cannot be read, or does not say a policy. The one in force stays.
    Unusable(PolicyError),
    /// The file says this policy, and it was refused, for the reason that is told. The one in force stays.
    Refused(Policy, String),
}

impl Reload {
    /// Why the policy in force was not replaced, if it should have been.
    pub fn error(&self) -> Option<String> {
        match &self.outcome {
            ReloadOutcome::Replaced(..) | ReloadOutcome::Unchanged => None,
            ReloadOutcome::Unusable(error) => Some(error.to_string()),
            ReloadOutcome::Refused(_, why) => Some(why.clone()),
        }
    }

    /// The revision in force after the attempt.
    pub fn revision(&self) -> &str {
        match &self.outcome {
            ReloadOutcome::Replaced(policy, _) => policy.revision(),
            _ => self.previous.revision(),
        }
    }
}

/// Loads one file into one handle.
#[derive(Clone)]
pub(super) struct Loader {
    pub(super) path: PathBuf,
    pub(super) handle: PolicyHandle,
    pub(super) guards: Vec<Arc<Guard>>,
    pub(super) refuses_widening: bool,
    /// Held during an attempt, so that an older reading never replaces a newer one.
    pub(super) turn: Arc<std::sync::Mutex<()>>,
}

impl Loader {
    /// Replaces the policy in force, if the file says a good one, and reports how that went.
    pub(super) fn attempt(&self) -> Reload {
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let previous = self.handle.current();
        let outcome = self.outcome(&previous);
        let reload = Reload { previous, outcome };
        self.report(&reload);
        reload
    }

    fn outcome(&self, previous: &Policy) -> ReloadOutcome {
        let policy = match Policy::from_file(&self.path) {
            Ok(policy) => policy,
            Err(error) => {
                self.handle.note(Some(error.to_string()));
                return ReloadOutcome::Unusable(error);
            }
        };
        if policy.revision() == previous.revision() {
            self.handle.note(None);
            return ReloadOutcome::Unchanged;
        }
        let diff = Diff::between(previous, &policy);
        if let Some(why) = self.refusal(previous, &policy, &diff) {
            self.handle.note(Some(why.clone()));
            return ReloadOutcome::Refused(policy, why);
        }
        self.handle.replace(policy.clone());
        ReloadOutcome::Replaced(policy, diff)
    }

    fn refusal(&self, previous: &Policy, policy: &Policy, diff: &Diff) -> Option<String> {
        let widens = || {
            let mut changes = diff.widened().iter().chain(diff.limited_widened());
            let first = changes.next().filter(|_| self.refuses_widening)?;
            let cells: usize = first.cells() + changes.map(Change::cells).sum::<usize>();
            Some(format!("the policy widens access in {cells} places, the first of which is `{}`", first.key()))
        };
        let asked = |guard: &Arc<Guard>| catch_unwind(AssertUnwindSafe(|| guard(previous, policy)));
        let panicked = |_| Err("a guard panicked".to_owned());
        let guarded = || self.guards.iter().find_map(|guard| asked(guard).unwrap_or_else(panicked).err());
        self.handle.lack(policy).or_else(widens).or_else(guarded)
    }

    fn report(&self, reload: &Reload) {
        let (file, revision) = (self.path.display(), reload.revision());
        match (&reload.outcome, reload.error()) {
            (_, Some(error)) => tracing::error!(
                target: "tower_authz",
                {
                    event.name = "authz.policy.not_replaced",
                    authz.policy.revision = revision,
                    authz.policy.file = %file,
                    authz.detail = error,
                },
                "the policy was not replaced, and the one in force stays"
            ),
            (ReloadOutcome::Replaced(_, diff), None) => tracing::info!(
                target: "tower_authz",
                {
                    event.name = "authz.policy.replaced",
                    authz.policy.revision = revision,
                    authz.policy.previous = reload.previous.revision(),
                    authz.policy.widened = diff.widened_cells(),
                    authz.policy.narrowed = diff.narrowed_cells(),
                    authz.policy.file = %file,
                },
                "policy replaced"
            ),
            _ => tracing::debug!(
                target: "tower_authz",
                {
                    event.name = "authz.policy.unchanged",
                    authz.policy.revision = revision,
                    authz.policy.file = %file,
                },
                "the file says what is in force already"
            ),
        }
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("path", &self.path).field("handle", &self.handle).finish_non_exhaustive()
    }
}
