//! The [`Policy`]: a handle to what was compiled.

use std::{fmt, sync::Arc};

use super::{
    compile::compile,
    compiled::{Compiled, Origin},
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

    /// The path of the file that was read, or what stands for it.
    pub fn source_name(&self) -> &str {
        &self.compiled.origin.source.name
    }

    /// The text that was read; none where the policy was built in code.
    pub fn source_text(&self) -> Option<&str> {
        self.compiled.origin.source.text.as_deref()
    }

    /// The realm of challenges, where the policy names one.
    pub fn realm(&self) -> Option<&str> {
        self.compiled.realm.as_deref()
    }

    pub(crate) fn from_compiled(compiled: Arc<Compiled>) -> Self {
        Self { compiled }
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    pub(crate) fn compile(source: Source, document: Node) -> Result<Self, PolicyError> {
        let origin = Arc::new(Origin { source, document });
        match compile(&origin) {
            Ok(compiled) => Ok(Self { compiled: Arc::new(compiled) }),
            Err(refusal) => Err(PolicyError::invalid(origin.source.clone(), refusal.found).remains(refusal.remains)),
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
