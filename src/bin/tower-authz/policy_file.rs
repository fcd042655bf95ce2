//! The policy that a command is about.

use std::{fs, path::Path};

use tower_authz::Policy;

use crate::failure::Failure;

/// A policy, and the text it was read from.
pub(crate) struct PolicyFile {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) policy: Policy,
}

impl PolicyFile {
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let policy = Policy::from_file(path)?;
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        Ok(Self { name: path.display().to_string(), text, policy })
    }
}
