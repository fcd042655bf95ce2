//! Grants of a policy that is built in code.

use std::time::Duration;

use serde_json::Value as Json;

use super::node::{json, list, member, member_unless_empty, node, object, text, texts};
use crate::policy::document::{Member, Node, Value};

/// One way to satisfy a rule. Everything that is said of it must hold.
///
/// ```
/// use tower_authz::policy::Grant;
///
/// let own = Grant::role("viewer").claim("sub", "{id}");
/// let inside = Grant::any_of(["viewer", "auditor"]).network("10.0.0.0/8").until("2027-01-01T00:00:00Z");
/// # let _ = (own, inside);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a grant does nothing until it is given to a rule"]
pub struct Grant {
    base: Base,
    claims: Vec<Member>,
    networks: Vec<Node>,
    step_up: Vec<Member>,
    others: Vec<Member>,
}

#[derive(Clone, Debug)]
enum Base {
    Public(String),
    Authenticated,
    Name(String),
    AllOf(Vec<Node>),
    AnyOf(Vec<Node>),
}

impl Grant {
    fn new(base: Base) -> Self {
        Self { base, claims: Vec::new(), networks: Vec::new(), step_up: Vec::new(), others: Vec::new() }
    }

    /// Everyone, without credentials; with the reason why.
    pub fn public(why: impl Into<String>) -> Self {
        Self::new(Base::Public(why.into()))
    }

    /// Every authenticated caller.
    pub fn authenticated() -> Self {
        Self::new(Base::Authenticated)
    }

    /// No one.
    pub fn nobody() -> Self {
        Self::new(Base::Name("nobody".to_owned()))
    }

    /// Callers who have a role, one that the policy declares.
    pub fn role(name: impl Into<String>) -> Self {
        Self::new(Base::Name(name.into()))
    }

    /// Callers who have a permission, one that a role of the policy gives.
    pub fn permission(name: impl Into<String>) -> Self {
        Self::new(Base::Name(name.into()))
    }

    /// Callers who have all of these roles and permissions.
    pub fn all_of<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::new(Base::AllOf(texts(names)))
    }

    /// Callers who have one or more of these roles and permissions.
    pub fn any_of<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::new(Base::AnyOf(texts(names)))
    }

    /// And who have one or more of these roles and permissions, too.
    pub fn and_any_of<I>(self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.with("any_of", list(texts(names)))
    }

    /// And who have none of these roles and permissions.
    pub fn none_of<I>(self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.with("none_of", list(texts(names)))
    }

    /// And of whom a claim equals the value, one of several values, or the path parameter `"{name}"`.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.claims.push(member(name, json(value.into())));
        self
    }

    /// And whose address is in this network, or in another that is named so.
    pub fn network(mut self, network: impl Into<String>) -> Self {
        self.networks.push(text(network));
        self
    }

    /// And from this time on, such as `2027-01-01T00:00:00Z` (RFC 3339).
    pub fn not_before(self, time: impl Into<String>) -> Self {
        self.with("from", text(time))
    }

    /// And before this time, such as `2027-01-01T00:00:00Z` (RFC 3339).
    pub fn until(self, time: impl Into<String>) -> Self {
        self.with("until", text(time))
    }

    /// And who authenticated in one of these ways (RFC 9470, `acr_values`).
    pub fn step_up_acr<I>(mut self, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.step_up.push(member("acr", list(texts(values))));
        self
    }

    /// And whose authentication is no older than this, in whole seconds (RFC 9470, `max_age`).
    pub fn step_up_max_age(mut self, age: Duration) -> Self {
        self.step_up.push(member("max_age_seconds", node(Value::Number(age.as_secs().into()))));
        self
    }

    /// And of whom the predicate holds that the application registers by this name.
    pub fn check(self, name: impl Into<String>) -> Self {
        self.with("check", text(name))
    }

    fn with(mut self, key: &str, value: Node) -> Self {
        self.others.push(member(key, value));
        self
    }

    pub(super) fn into_node(self) -> Node {
        let Self { base, claims, networks, step_up, others } = self;
        let mut members = others;
        members.extend((!claims.is_empty()).then(|| member("claims", object(claims))));
        members.extend(member_unless_empty("networks", networks));
        members.extend((!step_up.is_empty()).then(|| member("step_up", object(step_up))));
        match base {
            Base::Authenticated if members.is_empty() => return text("authenticated"),
            Base::Name(name) if members.is_empty() => return text(name),
            Base::Authenticated => {}
            Base::Public(why) => members.push(member("public", text(why))),
            Base::Name(name) => members.push(member("all_of", list(texts([name])))),
            Base::AllOf(names) => members.push(member("all_of", list(names))),
            Base::AnyOf(names) => members.push(member("any_of", list(names))),
        }
        object(members)
    }
}

impl From<&str> for Grant {
    /// A keyword, or the name of a role or permission, as in a document.
    fn from(name: &str) -> Self {
        Self::new(Base::Name(name.to_owned()))
    }
}

impl From<String> for Grant {
    /// A keyword, or the name of a role or permission, as in a document.
    fn from(name: String) -> Self {
        Self::new(Base::Name(name))
    }
}
