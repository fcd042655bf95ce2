//! The [`Policy`]: a handle to what was compiled.

use std::{fmt, sync::Arc};

use super::{
    compile::compile,
    compiled::Compiled,
    document::Node,
    error::{PolicyError, Source},
};

/// Who may call which route: a compiled policy. Cloning is cheap.
///
/// ```
/// use tower_authz::Policy;
///
/// let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /health": "public" } }"#)?;
/// assert_eq!(policy.revision().len(), 16);
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    compiled: Arc<Compiled>,
}

impl Policy {
    /// A hash of what the policy says: equal documents have equal revisions, in whatever format and order.
    pub fn revision(&self) -> &str {
        &self.compiled.revision
    }

    pub(crate) fn from_compiled(compiled: Arc<Compiled>) -> Self {
        Self { compiled }
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    pub(crate) fn compile(source: Source, document: &Node) -> Result<Self, PolicyError> {
        match compile(document) {
            Ok(compiled) => Ok(Self { compiled: Arc::new(compiled) }),
            Err(found) => Err(PolicyError::invalid(source, found)),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("revision", &self.revision())
            .field("routes", &self.compiled.routes.len())
            .field("rules", &self.compiled.rules.len())
            .finish_non_exhaustive()
    }
}
