//! Who is calling: the [`Principal`].

use std::{any::Any, fmt, sync::Arc, time::SystemTime};

use serde_json::{Map, Value};

use crate::role::{Claimed, Held, Memo, NameId, NameKind, NameTable, Remembered};

/// An authenticated caller: a subject, its roles and permissions, and the claims that were made about it.
///
/// Cloning is cheap. Roles and permissions that the policy does not declare are inert.
///
/// ```
/// use tower_authz::Principal;
///
/// let ada = Principal::new("ada").roles(["editor"]).permissions(["invoice:read"]).claim("plan", "pro");
/// assert_eq!(ada.subject(), "ada");
/// assert!(ada.has_role("editor"));
/// assert!(!ada.has_role("admin"));
/// ```
#[derive(Clone)]
pub struct Principal {
    identity: Arc<Inner>,
    snapshot: Option<Arc<dyn Snapshot>>,
}

#[derive(Debug)]
struct Inner {
    facts: Facts,
    memo: Memo,
}

#[derive(Clone, Debug, Default)]
struct Facts {
    subject: Box<str>,
    roles: Vec<Box<str>>,
    permissions: Vec<Box<str>>,
    permission_limit: Option<Vec<Box<str>>>,
    claims: Map<String, Value>,
    expires_at: Option<SystemTime>,
    malformed: Vec<Box<str>>,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self { facts: self.facts.clone(), memo: Memo::new() }
    }
}

impl Principal {
    /// A caller known as `subject` (the `sub` claim of RFC 7519, section 4.1.2), without roles or permissions.
    pub fn new(subject: impl Into<String>) -> Self {
        let facts = Facts { subject: subject.into().into(), ..Facts::default() };
        Self { identity: Arc::new(Inner { facts, memo: Memo::new() }), snapshot: None }
    }

    /// Adds roles.
    #[must_use]
    pub fn roles<I>(mut self, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.facts_mut().roles.extend(roles.into_iter().map(|role| role.as_ref().into()));
        self
    }

    /// Adds permissions (scopes) that are held beside those that the roles give.
    #[must_use]
    pub fn permissions<I>(mut self, permissions: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.facts_mut().permissions.extend(permissions.into_iter().map(|name| name.as_ref().into()));
        self
    }

    /// Limits the permissions that the roles give to those listed, as the scopes of a delegated token do. For `none_of`
    /// the others count as held all the same.
    #[must_use]
    pub fn limit_permissions<I>(mut self, permissions: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let limit = permissions.into_iter().map(|name| name.as_ref().into()).collect();
        self.facts_mut().permission_limit = Some(limit);
        self
    }

    /// Sets one claim.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.facts_mut().claims.insert(name.into(), value.into());
        self
    }

    /// Sets all claims.
    #[must_use]
    pub fn claims(mut self, claims: Map<String, Value>) -> Self {
        self.facts_mut().claims = claims;
        self
    }

    /// Sets the time from which the credentials are no longer good.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.facts_mut().expires_at = Some(at);
        self
    }

    /// Records that a source of roles or permissions had the wrong shape. From then on no grant with `none_of` is
    /// held, since what the source would have said is unknown.
    #[must_use]
    pub fn malformed_source(mut self, source: impl Into<String>) -> Self {
        self.facts_mut().malformed.push(source.into().into());
        self
    }

    /// Who this is.
    pub fn subject(&self) -> &str {
        &self.identity.facts.subject
    }

    /// Who says so: the claim `iss` (RFC 7519, section 4.1.1), where there is one. A subject is unique for its issuer only.
    ///
    /// ```
    /// use tower_authz::Principal;
    ///
    /// let ada = Principal::new("ada").claim("iss", "https://id.example");
    /// assert_eq!(ada.issuer(), Some("https://id.example"));
    /// ```
    pub fn issuer(&self) -> Option<&str> {
        self.get_claim("iss").and_then(Value::as_str)
    }

    /// The roles as they were claimed, without inheritance.
    pub fn role_names(&self) -> impl Iterator<Item = &str> {
        self.identity.facts.roles.iter().map(AsRef::as_ref)
    }

    /// The permissions as they were claimed, without those that roles give.
    pub fn permission_names(&self) -> impl Iterator<Item = &str> {
        self.identity.facts.permissions.iter().map(AsRef::as_ref)
    }

    /// The scopes that limit what the roles give, if any were set.
    pub fn permission_limit(&self) -> Option<impl Iterator<Item = &str>> {
        let limit = self.identity.facts.permission_limit.as_ref()?;
        Some(limit.iter().map(AsRef::as_ref))
    }

    /// The value of a claim. `sub` is the subject where no claim of that name was set.
    pub fn get_claim(&self, name: &str) -> Option<&Value> {
        self.identity.facts.claims.get(name)
    }

    /// All claims.
    pub fn all_claims(&self) -> &Map<String, Value> {
        &self.identity.facts.claims
    }

    /// The time from which the credentials are no longer good, if they said so. Long streams can close then.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.identity.facts.expires_at
    }

    /// The sources of roles or permissions that had the wrong shape.
    pub fn malformed_sources(&self) -> impl Iterator<Item = &str> {
        self.identity.facts.malformed.iter().map(AsRef::as_ref)
    }

    /// Whether the caller has `role`: effectively (with inheritance) behind a layer with a policy, literally
    /// where there is none.
    pub fn has_role(&self, role: &str) -> bool {
        match &self.snapshot {
            Some(snapshot) => self.effectively(snapshot.names(), role, NameKind::Role),
            None => self.role_names().any(|name| name == role),
        }
    }

    /// Whether the caller has `permission`: effectively (as roles give it) behind a layer with a policy,
    /// literally where there is none.
    pub fn has_permission(&self, permission: &str) -> bool {
        match &self.snapshot {
            Some(snapshot) => self.effectively(snapshot.names(), permission, NameKind::Permission),
            None => self.permission_names().any(|name| name == permission),
        }
    }

    fn effectively(&self, names: &NameTable, text: &str, kind: NameKind) -> bool {
        let declared = |id: &NameId| names.kind(*id) == Some(kind);
        names.find(text).filter(declared).is_some_and(|id| names.resolve(self).contains(id))
    }

    /// Whether the caller has two roles that exclude each other under the policy by which it was let in.
    pub(crate) fn is_conflicting(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| {
            let names = snapshot.names();
            names.conflicting(&names.resolve(self))
        })
    }

    /// Whether two handles are of the very same identity.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }

    pub(crate) fn snapshot(&self) -> Option<&Arc<dyn Snapshot>> {
        self.snapshot.as_ref()
    }

    /// Binds the handle to the policy snapshot under which it was let in; to none where there is no policy, whatever
    /// the handle was bound to before.
    pub(crate) fn bind(&mut self, snapshot: Option<Arc<dyn Snapshot>>) {
        self.snapshot = snapshot;
    }

    /// Copies what is behind a shared handle, so that no other holder sees the change.
    fn facts_mut(&mut self) -> &mut Facts {
        let inner = Arc::make_mut(&mut self.identity);
        inner.memo = Memo::new();
        &mut inner.facts
    }
}

impl fmt::Debug for Principal {
    /// Prints no claims: they may hold what does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.subject())
            .field("roles", &self.identity.facts.roles)
            .field("permissions", &self.identity.facts.permissions)
            .finish_non_exhaustive()
    }
}

impl NameTable {
    /// What `principal` effectively has: the closure of its roles, and its permissions as far as they are declared.
    pub(crate) fn resolve(&self, principal: &Principal) -> Held {
        let mut held = Held::empty(self.words());
        self.resolve_into(principal, &mut held);
        held
    }

    /// What `look` sees of what `principal` effectively has; nothing if that has not been resolved before.
    #[inline]
    pub(crate) fn recall_of<T>(&self, principal: &Principal, look: impl FnOnce(Remembered<'_>) -> T) -> Option<T> {
        self.recall(&principal.identity.memo, look)
    }

    /// The same, into an empty set: sets are large.
    pub(crate) fn resolve_into(&self, principal: &Principal, held: &mut Held) {
        let Inner { facts, memo } = &*principal.identity;
        let claimed = Claimed {
            roles: &facts.roles,
            permissions: &facts.permissions,
            permission_limit: facts.permission_limit.as_deref(),
        };
        self.resolve_claimed(claimed, memo, held);
    }
}

/// The policy under which a request was let in, as far as the vocabulary needs to know it.
pub(crate) trait Snapshot: Any + fmt::Debug + Send + Sync {
    fn names(&self) -> &NameTable;
    #[cfg(feature = "axum")]
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}
