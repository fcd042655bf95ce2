//! The builder of a policy.

use super::{
    node::{list, member, member_unless_empty, node, object, text, texts},
    rule::Rule,
};
use crate::policy::{
    Policy, PolicyError, Unlisted,
    document::{Member, Node, Value},
    error::Source,
};

/// Builds a [`Policy`] in code.
///
/// ```
/// use tower_authz::Policy;
/// use tower_authz::policy::{Grant, Rule};
///
/// let policy = Policy::builder()
///     .realm("billing")
///     .role("viewer", |role| role.permission("invoice:read"))
///     .role("editor", |role| role.inherits("viewer").permission("invoice:write"))
///     .route("GET /health", Grant::public("load balancer probe"))
///     .route("GET /me", Grant::authenticated())
///     .route("GET /invoices", "viewer")
///     .route("DELETE /invoices/{id}", Rule::allow(["editor"]).message("Ask an editor.").masked())
///     .build()?;
/// # Ok::<(), tower_authz::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct PolicyBuilder {
    settings: Vec<Member>,
    roles: Vec<Member>,
    exclusive_roles: Vec<Node>,
    routes: Vec<Member>,
    silence: Vec<Member>,
}

impl Policy {
    /// Builds a policy in code, through the same compiler and checks as a document.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }
}

impl PolicyBuilder {
    /// What the service calls itself in challenges (RFC 9110, section 11.5).
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.set("realm", text(realm))
    }

    /// Declares a role.
    pub fn role(mut self, name: impl Into<String>, role: impl FnOnce(RoleBuilder) -> RoleBuilder) -> Self {
        self.roles.push(member(name, role(RoleBuilder::default()).into_node()));
        self
    }

    /// Declares that no caller may have two of these roles.
    pub fn exclusive_roles<I>(mut self, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.exclusive_roles.push(list(texts(roles)));
        self
    }

    /// Lists a route: a key such as `GET /users/{id}`, and who may call it.
    pub fn route(mut self, key: impl Into<String>, rule: impl Into<Rule>) -> Self {
        self.routes.push(member(key, rule.into().into_node()));
        self
    }

    /// What paths get that no key matches; [`Unlisted::NotFound`] where nothing is said.
    pub fn unlisted(self, unlisted: Unlisted) -> Self {
        self.set("unlisted", text(unlisted.as_str()))
    }

    /// Silences a lint; with the reason why.
    pub fn silence(mut self, lint: impl Into<String>, why: impl Into<String>) -> Self {
        self.silence.push(member(lint, text(why)));
        self
    }

    /// Compiles the policy.
    ///
    /// # Errors
    ///
    /// Every problem of the policy, at once.
    pub fn build(self) -> Result<Policy, PolicyError> {
        Policy::compile(Source::without_text("built in code"), self.into_node())
    }

    fn set(mut self, key: &str, value: Node) -> Self {
        self.settings.push(member(key, value));
        self
    }

    fn into_node(self) -> Node {
        let mut members = self.settings;
        members.push(member("version", node(Value::Number(1.into()))));
        members.extend((!self.roles.is_empty()).then(|| member("roles", object(self.roles))));
        members.extend(member_unless_empty("exclusive_roles", self.exclusive_roles));
        members.push(member("routes", object(self.routes)));
        members.extend((!self.silence.is_empty()).then(|| member("silence", object(self.silence))));
        object(members)
    }
}

/// Builds a role: what it inherits and which permissions it gives.
#[derive(Clone, Debug, Default)]
#[must_use = "a role does nothing until it is given back to the builder"]
pub struct RoleBuilder {
    inherits: Vec<Node>,
    permissions: Vec<Node>,
    description: Option<String>,
}

impl RoleBuilder {
    /// Everything that another role has.
    pub fn inherits(mut self, role: impl Into<String>) -> Self {
        self.inherits.push(text(role));
        self
    }

    /// A permission; this declares it.
    pub fn permission(mut self, name: impl Into<String>) -> Self {
        self.permissions.push(text(name));
        self
    }

    /// What the role is for, in words.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn into_node(self) -> Node {
        let mut members = Vec::new();
        members.extend(member_unless_empty("inherits", self.inherits));
        members.extend(member_unless_empty("permissions", self.permissions));
        members.extend(self.description.map(|description| member("description", text(description))));
        object(members)
    }
}
