//! An operation of an API, as its description has it.

use http::Method;

use crate::policy::{Compiled, CompiledRule, EmptySegment, Route};

/// An operation of an API: a method and a path whose parameters are in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Operation {
    method: Method,
    /// Where it may be found; the first is what it is called.
    paths: Vec<String>,
    pub(super) callers: Described,
}

/// Whom a description means an operation for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Described {
    /// It does not say.
    #[default]
    Unknown,
    /// Callers without credentials, too.
    Everyone,
    /// Callers who have all names of one of these lists.
    Callers(Vec<Vec<String>>),
}

impl Operation {
    /// An operation of which nothing else is known.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, paths: vec![path.into()], callers: Described::Unknown }
    }

    /// Another path at which a policy may list it, such as the one without the prefix that a proxy takes away.
    pub fn also_at(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Whether the description of the API says that the caller must be authenticated.
    pub fn needs_caller(self, needs_caller: bool) -> Self {
        let callers = if needs_caller { Described::Callers(vec![Vec::new()]) } else { Described::Everyone };
        Self { callers, ..self }
    }

    /// The scopes or roles that the description of the API asks for: all of one of the alternatives. Without
    /// alternatives the operation is for everybody.
    ///
    /// ```
    /// use http::Method;
    /// use std::time::SystemTime;
    /// use tower_authz::{Policy, analysis::{Linter, Operation}};
    ///
    /// let policy = Policy::from_json_str(r#"{
    ///     "version": 1,
    ///     "roles": { "viewer": { "permissions": ["invoice:read"] }, "auditor": {} },
    ///     "routes": { "GET /invoices": ["invoice:read", "auditor"] }
    /// }"#)?;
    /// let operation = Operation::new(Method::GET, "/invoices").needs_any_of([["invoice:read"]]);
    /// let found = Linter::at(SystemTime::now()).operations([operation]).find(&policy);
    /// assert!(found[0].message.ends_with("which the grant `auditor` of its rule does not ask for"));
    /// # Ok::<(), tower_authz::PolicyError>(())
    /// ```
    pub fn needs_any_of<A>(self, alternatives: impl IntoIterator<Item = A>) -> Self
    where
        A: IntoIterator,
        A::Item: Into<String>,
    {
        let alternatives: Vec<Vec<String>> =
            alternatives.into_iter().map(|names| names.into_iter().map(Into::into).collect()).collect();
        let callers = if alternatives.is_empty() { Described::Everyone } else { Described::Callers(alternatives) };
        Self { callers, ..self }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The rule of the operation; see [`Self::route`].
    pub(super) fn rule<'p>(&self, policy: &'p Compiled) -> Option<&'p CompiledRule> {
        policy.rules.get(self.route(policy)?.rule_of(&self.method)?)
    }

    /// The route of the operation: that of the very path where there is one, or else the one that a request selects.
    pub(super) fn route<'p>(&self, policy: &'p Compiled) -> Option<&'p Route> {
        let listed = self.paths.iter().find_map(|path| policy.route_of(path));
        let selected = |path: &String| policy.lookup.find(example(path).as_bytes(), EmptySegment::Matches);
        policy.routes.get(listed.or_else(|| self.paths.iter().find_map(selected))?)
    }

    pub(super) fn text(&self) -> String {
        format!("{} {}", self.method, self.paths.first().map_or("", String::as_str))
    }
}

/// The path of a request, with something in the place of each parameter that no key has as text.
fn example(path: &str) -> String {
    let mut example = String::new();
    let mut rest = path;
    while let Some((text, tail)) = rest.split_once('{') {
        example.push_str(text);
        example.push_str("~parameter~");
        rest = tail.split_once('}').map_or("", |(_, tail)| tail);
    }
    example.push_str(rest);
    example
}
