//! The policy that is in force: one atomic snapshot that can be replaced while requests are served.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::SystemTime,
};

use arc_swap::ArcSwap;

use super::{compiled::Compiled, policy::Policy};

/// A place that holds the policy in force. Clones share it.
///
/// Every request reads it once, so that one snapshot serves the whole request.
///
/// ```
/// use tower_authz::{Policy, PolicyHandle};
///
/// let first = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "public" } }"#)?;
/// let second = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "authenticated" } }"#)?;
/// let handle = PolicyHandle::new(first);
/// handle.replace(second.clone());
/// assert_eq!(handle.current().revision(), second.revision());
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone)]
pub struct PolicyHandle(Arc<Place>);

struct Place {
    policy: ArcSwap<Compiled>,
    /// What is told about the policy; no request looks at it.
    record: Mutex<Record>,
}

struct Record {
    loaded_at: SystemTime,
    last_error: Option<String>,
    users: Vec<Weak<dyn PolicyUser>>,
}

/// What enforces the policy of a handle, and cannot enforce every policy.
pub(crate) trait PolicyUser: Send + Sync {
    /// What a policy needs that is not there, in words.
    fn lack(&self, policy: &Compiled) -> Option<String>;
}

/// What a [`PolicyHandle`] holds, and how that came about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// The revision of the policy in force.
    pub revision: String,
    /// Since when it is in force.
    pub loaded_at: SystemTime,
    /// Why the latest attempt to replace it failed; none if it did not fail.
    pub last_error: Option<String>,
}

impl PolicyHandle {
    /// A handle that holds `policy`.
    #[expect(clippy::needless_pass_by_value, reason = "a handle takes the policy over")]
    pub fn new(policy: Policy) -> Self {
        let record = Record { loaded_at: SystemTime::now(), last_error: None, users: Vec::new() };
        let policy = ArcSwap::new(Arc::clone(policy.compiled()));
        Self(Arc::new(Place { policy, record: Mutex::new(record) }))
    }

    /// The policy in force.
    pub fn current(&self) -> Policy {
        Policy::from_compiled(self.0.policy.load_full())
    }

    /// Puts `policy` in force. Requests that are under way keep the one they began with.
    ///
    /// What the layer lacks for it (a predicate, the client address) is not held; see [`PolicyHandle::lack`].
    ///
    /// The realm in challenges stays that of the policy with which a layer was built.
    #[expect(clippy::needless_pass_by_value, reason = "a handle takes the policy over")]
    pub fn replace(&self, policy: Policy) {
        let mut record = self.record();
        self.0.policy.store(Arc::clone(policy.compiled()));
        record.loaded_at = SystemTime::now();
        record.last_error = None;
    }

    /// What `policy` needs that a layer which enforces the policy of this handle was not given, in words.
    pub fn lack(&self, policy: &Policy) -> Option<String> {
        let users = self.record().users.clone();
        users.iter().filter_map(Weak::upgrade).find_map(|user| user.lack(policy.compiled()))
    }

    /// The revision in force, since when, and why the latest attempt to replace it failed.
    pub fn status(&self) -> PolicyStatus {
        let record = self.record();
        PolicyStatus {
            revision: self.0.policy.load().revision.to_string(),
            loaded_at: record.loaded_at,
            last_error: record.last_error.clone(),
        }
    }

    pub(crate) fn load_full(&self) -> Arc<Compiled> {
        self.0.policy.load_full()
    }

    /// Notes how an attempt came out that left the policy in force.
    #[cfg(feature = "watch")]
    pub(crate) fn note(&self, error: Option<String>) {
        self.record().last_error = error;
    }

    /// Notes who enforces the policy of this handle.
    pub(crate) fn add_user(&self, user: Weak<dyn PolicyUser>) {
        let mut record = self.record();
        record.users.retain(|user| user.strong_count() > 0);
        record.users.push(user);
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PolicyHandle").field(&self.current()).finish()
    }
}

impl From<Policy> for PolicyHandle {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}

impl From<&PolicyHandle> for PolicyHandle {
    fn from(handle: &PolicyHandle) -> Self {
        handle.clone()
    }
}
