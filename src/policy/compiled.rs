//! A policy as it is enforced: rules behind routes, names as bits, nothing left to parse.

use std::{
    ops::{ControlFlow, Deref},
    slice,
    sync::Arc,
    time::SystemTime,
};

use http::Method;
use ipnet::IpNet;
use serde_json::Value;

use super::{
    document::Node,
    error::Source,
    lookup::Lookup,
    part::Part,
    pattern::{self, Pattern},
    revision::Revision,
    shapes::Shapes,
};
use crate::{
    decision::{RuleInfo, StepUp},
    principal::Snapshot,
    role::{NameSet, NameTable, Words},
};

/// What paths get that no key matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unlisted {
    /// 404.
    #[default]
    NotFound,
    /// As a rule of `nobody`.
    Forbidden,
    /// As a rule of `authenticated`.
    Authenticated,
    /// As a rule of `public`.
    Public,
}

impl Unlisted {
    pub(crate) const ALL: [Self; 4] = [Self::NotFound, Self::Forbidden, Self::Authenticated, Self::Public];

    /// The word of the policy document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Authenticated => "authenticated",
            Self::Public => "public",
        }
    }
}

/// Everything that `decide` reads.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for alone")]
pub(crate) struct Compiled {
    pub(crate) realm: Option<Box<str>>,
    /// A hash of the content: equal documents, in whatever format, have equal revisions.
    pub(crate) revision: Revision,
    pub(crate) unlisted: Unlisted,
    pub(crate) names: NameTable,
    pub(crate) lookup: Lookup,
    pub(crate) shapes: Shapes,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Rule>,
    /// The names of the predicates that the application must register.
    pub(crate) checks: Vec<Box<str>>,
    pub(crate) uses_networks: bool,
    pub(crate) uses_time: bool,
    pub(crate) masks: bool,
    /// Whether a rule has candidate grants.
    pub(crate) has_candidates: bool,
    pub(crate) origin: Arc<Origin>,
}

/// What a policy was compiled from: findings about it are shown there.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) source: Source,
    pub(crate) document: Node,
}

impl Snapshot for Compiled {
    fn names(&self) -> &NameTable {
        &self.names
    }

    #[cfg(feature = "axum")]
    fn into_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync> {
        self
    }
}

impl Compiled {
    /// Whether nobody need be known to anything that the policy lists.
    pub(crate) fn is_all_public(&self) -> bool {
        self.unlisted != Unlisted::Authenticated && self.rules.iter().all(|rule| rule.allow.is_public())
    }

    /// The route whose key is `path`, parameter names aside.
    pub(crate) fn route_of(&self, path: &str) -> Option<usize> {
        let is_it = |route: &Route| pattern::shape(&route.pattern).eq(pattern::shape(path));
        self.shapes.candidates(path).find(|index| self.routes.get(*index).is_some_and(is_it))
    }

    /// The key that `pattern` is, parameter names aside.
    pub(crate) fn key_of(&self, pattern: &str) -> Option<&str> {
        Some(&self.routes.get(self.route_of(pattern)?)?.pattern)
    }
}

/// A path and the rules of its methods.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its place in [`Compiled::routes`].
    pub(crate) index: usize,
    /// The path as it was written, such as `/users/{id}`.
    pub(crate) pattern: Arc<str>,
    /// The same, read.
    pub(crate) key: Pattern,
    /// The names of its parameters, from left to right.
    pub(crate) params: Vec<Box<str>>,
    /// The rule of each listed method, by index into [`Compiled::rules`]; sorted by method name.
    pub(crate) methods: Vec<(Method, usize)>,
    /// The rule of `ANY`.
    pub(crate) any: Option<usize>,
    /// Whether one of the rules is masked.
    pub(crate) masked: bool,
}

/// What one method of a route needs.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) info: Arc<RuleInfo>,
    pub(crate) allow: Grants,
    /// Candidates that are evaluated and reported, never enforced.
    pub(crate) shadow: Option<Grants>,
    /// `deny_as` is `not_found`.
    pub(crate) masked: bool,
    pub(crate) encoded_slash: bool,
}

/// The ways to satisfy a rule, any of which suffices; never empty.
#[derive(Debug)]
pub(crate) struct Grants {
    list: Box<[Grant]>,
    public: bool,
    nobody: bool,
}

impl Grants {
    /// Whether one may lack nothing but a stronger authentication.
    pub(crate) fn ask_to_step_up(&self) -> bool {
        self.list.iter().filter_map(Grant::conditions).any(|grant| grant.step_up.is_some())
    }

    /// Grants over `names`.
    pub(crate) fn new(mut list: Box<[Grant]>, names: &NameTable) -> Self {
        for grant in &mut list {
            if let Grant::Conditions(conditions) = grant {
                let wanted = [&conditions.all_of, &conditions.any_of].into_iter().flat_map(NameSet::ids);
                conditions.wanted = wanted.filter_map(|id| names.text(*id).cloned()).collect();
                conditions.only_names = conditions.are_only_names();
            }
        }
        let public = list.iter().any(|grant| matches!(grant, Grant::Public));
        let nobody = list.iter().all(|grant| matches!(grant, Grant::Nobody));
        Self { list, public, nobody }
    }

    /// Whether a known caller who has `held` has one that asks for nothing else: what most requests come to.
    #[inline]
    pub(crate) fn are_plainly_held(&self, held: &impl Words) -> bool {
        self.list.iter().any(|grant| match grant {
            Grant::Public | Grant::Authenticated => true,
            Grant::Nobody => false,
            Grant::Conditions(conditions) => conditions.only_names && conditions.names_in(held),
        })
    }

    /// Whether one is `public`.
    pub(crate) fn is_public(&self) -> bool {
        self.public
    }

    /// Whether all are `nobody`.
    pub(crate) fn is_nobody(&self) -> bool {
        self.nobody
    }
}

impl Deref for Grants {
    type Target = [Grant];

    fn deref(&self) -> &[Grant] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Grants {
    type Item = &'a Grant;
    type IntoIter = slice::Iter<'a, Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

/// One way to satisfy a rule.
#[derive(Debug)]
pub(crate) enum Grant {
    Public,
    Authenticated,
    Nobody,
    /// Everything in it must hold, and the caller must be authenticated.
    Conditions(Box<Conditions>),
}

impl Grant {
    pub(crate) fn conditions(&self) -> Option<&Conditions> {
        match self {
            Self::Conditions(conditions) => Some(conditions),
            _ => None,
        }
    }
}

/// The parts of an object grant; the name of a role or permission alone is one with just `all_of`.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) all_of: NameSet,
    /// Absent when empty.
    pub(crate) any_of: NameSet,
    pub(crate) none_of: NameSet,
    /// The texts of `all_of` and `any_of`: what those lack who have none of it.
    pub(crate) wanted: Arc<[Arc<str>]>,
    /// Whether there is nothing but `all_of` and `any_of`.
    pub(crate) only_names: bool,
    pub(crate) claims: Box<[ClaimTest]>,
    /// Any of them; absent when empty.
    pub(crate) networks: Box<[IpNet]>,
    pub(crate) from: Option<SystemTime>,
    pub(crate) until: Option<SystemTime>,
    pub(crate) step_up: Option<Arc<StepUp>>,
    pub(crate) check: Option<Box<str>>,
}

impl Conditions {
    fn are_only_names(&self) -> bool {
        let beyond =
            |part: Part<'_>| if part.is_of_names() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        self.visit(beyond).is_continue()
    }

    #[inline]
    fn names_in(&self, held: &impl Words) -> bool {
        self.all_of.all_in(held) && (self.any_of.is_empty() || self.any_of.any_in(held))
    }
}

/// A claim must equal one of the values, or contain it where the claim is an array.
#[derive(Debug)]
pub(crate) struct ClaimTest {
    pub(crate) claim: Box<str>,
    pub(crate) any_of: Box<[ClaimValue]>,
    /// What the operator is told where it does not hold.
    pub(crate) unmet: Arc<str>,
}

/// What a claim is compared with.
#[derive(Debug, PartialEq)]
pub(crate) enum ClaimValue {
    /// A string, a number or a boolean.
    Literal(Value),
    /// The parameter at this place among [`Route::params`].
    Parameter(usize),
}
