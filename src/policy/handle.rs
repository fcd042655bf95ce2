//! The policy that is in force: one atomic snapshot that can be replaced while requests are served.

use std::sync::Arc;

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
#[derive(Clone, Debug)]
pub struct PolicyHandle(Arc<ArcSwap<Compiled>>);

impl PolicyHandle {
    /// A handle that holds `policy`.
    #[expect(clippy::needless_pass_by_value, reason = "a handle takes the policy over")]
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(ArcSwap::new(Arc::clone(policy.compiled()))))
    }

    /// The policy in force.
    pub fn current(&self) -> Policy {
        Policy::from_compiled(self.0.load_full())
    }

    /// Puts `policy` in force. Requests that are under way keep the one they began with.
    #[expect(clippy::needless_pass_by_value, reason = "a handle takes the policy over")]
    pub fn replace(&self, policy: Policy) {
        self.0.store(Arc::clone(policy.compiled()));
    }

    pub(crate) fn load_full(&self) -> Arc<Compiled> {
        self.0.load_full()
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
