//! Rules of a policy that is built in code.

use super::{
    grant::Grant,
    node::{list, member, node, object, text},
};
use crate::policy::document::{Member, Node, Value};

/// What a route needs: grants, any of which suffices, and how a denial is answered.
///
/// ```
/// use tower_authz::policy::{Grant, Rule};
///
/// let rule = Rule::allow(["admin"]).message("Deleting users requires the 'admin' role.").name("delete-user");
/// let either = Rule::from([Grant::role("admin"), Grant::role("viewer").claim("sub", "{id}")]);
/// # let _ = (rule, either);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing until it is given to a route"]
pub struct Rule {
    allow: Vec<Grant>,
    options: Vec<Member>,
    silence: Vec<Member>,
}

impl Rule {
    /// Any of these grants suffices.
    pub fn allow<I>(grants: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Grant>,
    {
        let allow = grants.into_iter().map(Into::into).collect();
        Self { allow, options: Vec::new(), silence: Vec::new() }
    }

    /// The sentence that a denial shows the caller.
    pub fn message(self, message: impl Into<String>) -> Self {
        self.with("message", text(message))
    }

    /// To those who may not use any method of the route, answers as if it did not exist.
    pub fn masked(self) -> Self {
        self.with("deny_as", text("not_found"))
    }

    /// What events call the rule; unique in the policy.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with("name", text(name))
    }

    /// Candidates for `allow`: evaluated and reported where they differ, never enforced.
    pub fn shadow<I>(self, grants: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Grant>,
    {
        let grants = grants.into_iter().map(Into::into).collect();
        self.with("shadow", grant_list(grants))
    }

    /// Lets `%2F` in a parameter through, as in ids that hold slashes.
    pub fn encoded_slash(self) -> Self {
        self.with("encoded_slash", node(Value::Bool(true)))
    }

    /// Silences a lint for this rule; with the reason why.
    pub fn silence(mut self, lint: impl Into<String>, why: impl Into<String>) -> Self {
        self.silence.push(member(lint, text(why)));
        self
    }

    fn with(mut self, key: &str, value: Node) -> Self {
        self.options.push(member(key, value));
        self
    }

    pub(super) fn into_node(self) -> Node {
        let allow = grant_list(self.allow);
        if self.options.is_empty() && self.silence.is_empty() {
            return allow;
        }
        let mut members = self.options;
        members.push(member("allow", allow));
        members.extend((!self.silence.is_empty()).then(|| member("silence", object(self.silence))));
        object(members)
    }
}

/// One grant as it is, others as a list.
fn grant_list(grants: Vec<Grant>) -> Node {
    let mut nodes: Vec<_> = grants.into_iter().map(Grant::into_node).collect();
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            list(nodes)
        }
    }
}

impl<G: Into<Grant>> From<G> for Rule {
    fn from(grant: G) -> Self {
        Self::allow([grant])
    }
}

impl<G: Into<Grant>, const N: usize> From<[G; N]> for Rule {
    fn from(grants: [G; N]) -> Self {
        Self::allow(grants)
    }
}

impl<G: Into<Grant>> From<Vec<G>> for Rule {
    fn from(grants: Vec<G>) -> Self {
        Self::allow(grants)
    }
}
