//! What a handler may ask about the caller it serves.

use std::sync::Arc;

use crate::{
    decision::{Denial, Reason},
    policy::{Compiled, Policy},
    principal::Principal,
};

/// An authenticated caller, and the policy that let it in.
///
/// As an extractor it answers 401 where nobody is known, and 500 where no identity layer ran.
///
/// ```
/// use axum::{Json, extract::Path};
/// use tower_authz::{Access, Denial};
///
/// async fn show(access: Access, Path(id): Path<u64>) -> Result<Json<u64>, Denial> {
///     access.require("invoice:read")?;
///     if owner_of(id).await != access.principal().subject() {
///         return Err(Denial::forbidden().masked());
///     }
///     Ok(Json(id))
/// }
/// # async fn owner_of(_: u64) -> String { String::new() }
/// # let _: axum::Router = axum::Router::new().route("/invoices/{id}", axum::routing::get(show));
/// ```
#[derive(Clone, Debug)]
pub struct Access {
    principal: Principal,
}

impl Access {
    pub(super) fn new(principal: Principal) -> Self {
        Self { principal }
    }

    /// Who is calling.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The policy by which the caller was let in; none behind [`Identify`](crate::Identify) alone.
    pub fn policy(&self) -> Option<Policy> {
        let snapshot = Arc::clone(self.principal.snapshot()?).into_any();
        snapshot.downcast::<Compiled>().ok().map(Policy::from_compiled)
    }

    /// Whether the caller effectively has the role or permission `name`, whichever the policy declares. Without a
    /// policy a name with a colon is a permission, and any other a role.
    pub fn has(&self, name: &str) -> bool {
        match self.is_role(name) {
            Some(true) => self.principal.has_role(name),
            Some(false) => self.principal.has_permission(name),
            None => false,
        }
    }

    /// Demands the role or permission `name`.
    ///
    /// # Errors
    ///
    /// A [`Denial`] to return: 403, and nothing that tells the caller what is missing.
    pub fn require(&self, name: &str) -> Result<(), Denial> {
        if self.has(name) { Ok(()) } else { Err(self.lacking(name)) }
    }

    fn lacking(&self, name: &str) -> Denial {
        let name: Arc<str> = name.into();
        let denial = |reason| {
            let missing = Some([Arc::clone(&name)].into());
            let denial = Denial { missing, ..Denial::new(reason) };
            denial.with(|rest| rest.required = Some(Arc::clone(&name)))
        };
        match self.is_role(&name) {
            Some(true) => denial(Reason::InsufficientRole),
            Some(false) => denial(Reason::InsufficientPermission),
            None => denial(Reason::InsufficientPermission)
                .detail("the handler demands a name that the policy does not declare"),
        }
    }

    /// Whether `name` is a role or a permission: a role of the token must not pass for a permission, nor a scope that
    /// the client has asked for pass for a role. Nothing if the policy does not declare it.
    fn is_role(&self, name: &str) -> Option<bool> {
        match self.principal.snapshot() {
            Some(snapshot) => snapshot.names().is_role(name),
            None => Some(!name.contains(':')),
        }
    }
}
