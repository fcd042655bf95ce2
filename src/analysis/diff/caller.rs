//! Callers for whom something changes.

/// Callers for whom something changes: those with these names, as far as the conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DiffCaller {
    pub(super) authenticated: bool,
    pub(super) roles: Vec<String>,
    pub(super) permissions: Vec<String>,
    pub(super) conditions: Vec<String>,
}

impl DiffCaller {
    /// Whether the caller is known; nobody else has roles or permissions.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The roles that the caller claims. None of them can be left out.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The permissions that the caller claims beside what the roles give. None of them can be left out.
    pub fn permissions(&self) -> &[String] {
        &self.permissions
    }

    /// What must hold beside that, in words.
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }
}
