//! What the rules of one policy demand, as functions.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use http::Method;

use super::{
    facts::{ClaimText, Fact, Facts},
    function::Function,
};
use crate::{
    path::Tolerance,
    policy::{
        ClaimTest, ClaimValue, Compiled, CompiledGrant as Grant, CompiledRule as Rule, Conditions, Params, Selection,
        Unlisted, select,
    },
    role::{NameId, NameKind, NameSet},
    target::Target,
};

/// For whom something is open: for everyone, or for callers that are known and without conflicting roles, as far as
/// the function holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    pub(crate) public: bool,
    pub(crate) granted: Function,
}

impl Access {
    pub(crate) const PUBLIC: Self = Self { public: true, granted: Function::ALWAYS };
    pub(crate) const AUTHENTICATED: Self = Self { public: false, granted: Function::ALWAYS };
    pub(crate) const NOBODY: Self = Self { public: false, granted: Function::NEVER };
}

/// Which callers are thought of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Callers {
    /// All that there can be.
    All,
    /// Those whose token does not limit what their roles give, and whose claims have the right shape.
    Plain,
}

/// One policy, and what was found out about it.
#[derive(Debug)]
pub(crate) struct Side<'p> {
    pub(crate) policy: &'p Compiled,
    callers: Callers,
    held: HashMap<(NameId, Callers), Function>,
    conflicting: Function,
    rules: HashMap<usize, Access>,
}

impl<'p> Side<'p> {
    pub(crate) fn new(facts: &mut Facts, policy: &'p Compiled, callers: Callers) -> Self {
        facts.variable(Fact::Authenticated);
        for kind in [NameKind::Role, NameKind::Permission] {
            for (_, text, _) in policy.names.iter().filter(|(.., other)| *other == kind) {
                facts.variable(match kind {
                    NameKind::Role => Fact::Role(text.clone()),
                    NameKind::Permission => Fact::Permission(text.clone()),
                });
            }
        }
        let mut side =
            Self { policy, callers, held: HashMap::new(), conflicting: Function::NEVER, rules: HashMap::new() };
        side.conflicting = side.conflict(facts);
        side
    }

    /// For whom `method` of `path` is open: for those who satisfy everything that its readings select.
    pub(crate) fn access(&mut self, facts: &mut Facts, method: &Method, path: &str) -> Access {
        let Ok(selections) = select(self.policy, &Target::new(method, path), Tolerance::default()) else {
            return Access::NOBODY;
        };
        let mut all = Access::PUBLIC;
        for selection in selections.iter() {
            let one = match selection {
                Selection::Unlisted => unlisted(self.policy.unlisted),
                Selection::Listed { rule, .. } => match rule {
                    Some(rule) => self.rule(facts, rule, selections.params(selection)),
                    None => Access::NOBODY,
                },
            };
            all = both(facts, all, one);
        }
        all
    }

    /// For whom a rule is open where its route has `params`.
    pub(crate) fn rule(&mut self, facts: &mut Facts, rule: &Rule, params: Params<'_>) -> Access {
        let depends = rule.allow.iter().filter_map(Grant::conditions).any(has_parameters);
        if !depends && let Some(known) = self.rules.get(&rule.info.index) {
            return *known;
        }
        let param = |index| params.get(index).map(Cow::into_owned);
        let access = self.grants(facts, &rule.allow, &param);
        if !depends {
            self.rules.insert(rule.info.index, access);
        }
        access
    }

    pub(crate) fn grants(
        &mut self,
        facts: &mut Facts,
        grants: &[Grant],
        param: &impl Fn(usize) -> Option<String>,
    ) -> Access {
        let mut granted = Function::NEVER;
        for grant in grants {
            let one = match grant {
                Grant::Public => return Access::PUBLIC,
                Grant::Authenticated => Function::ALWAYS,
                Grant::Nobody => Function::NEVER,
                Grant::Conditions(conditions) => self.conditions(facts, conditions, param),
            };
            granted = facts.functions.or(granted, one);
        }
        Access { public: false, granted }
    }

    /// The requests for which something is open.
    pub(crate) fn open(&self, facts: &mut Facts, access: Access) -> Function {
        if access.public {
            return Function::ALWAYS;
        }
        let known = facts.holds(Fact::Authenticated);
        let allowed = facts.functions.without(known, self.conflicting);
        facts.functions.and(allowed, access.granted)
    }

    pub(crate) fn conflicting(&self) -> Function {
        self.conflicting
    }

    pub(crate) fn conditions(
        &mut self,
        facts: &mut Facts,
        conditions: &Conditions,
        param: &impl Fn(usize) -> Option<String>,
    ) -> Function {
        let mut all = self.names(facts, conditions);
        for test in &conditions.claims {
            let holds = claim(facts, test, param);
            all = facts.functions.and(all, holds);
        }
        let networks = conditions.networks.iter().map(|network| Fact::Network(*network));
        let others = [
            any(facts, networks),
            any(facts, conditions.from.map(Fact::Since)),
            not_since(facts, conditions),
            any(facts, conditions.step_up.iter().flat_map(|step_up| step_up.acr.iter().cloned().map(Fact::Class))),
            any(facts, conditions.step_up.iter().filter_map(|step_up| step_up.max_age.map(Fact::Fresh))),
            any(facts, conditions.check.clone().map(Fact::Check)),
        ];
        let others = facts.functions.all(others);
        facts.functions.and(all, others)
    }

    /// The names that a grant demands or forbids.
    pub(crate) fn names(&mut self, facts: &mut Facts, conditions: &Conditions) -> Function {
        let all_of = self.each(facts, &conditions.all_of, self.callers);
        let any_of = self.each(facts, &conditions.any_of, self.callers);
        // What a token leaves out counts as had.
        let none_of = self.each(facts, &conditions.none_of, Callers::Plain);
        let functions = &mut facts.functions;
        let all = functions.all(all_of);
        let any = if any_of.is_empty() { Function::ALWAYS } else { functions.any(any_of) };
        let mut none = functions.any(none_of);
        let wanted = functions.and(all, any);
        if !conditions.none_of.is_empty() && self.callers == Callers::All {
            let unknown = facts.holds(Fact::Malformed);
            none = facts.functions.or(none, unknown);
        }
        facts.functions.without(wanted, none)
    }

    fn each(&mut self, facts: &mut Facts, names: &NameSet, callers: Callers) -> Vec<Function> {
        names.ids().iter().map(|id| self.held_by(facts, *id, callers)).collect()
    }

    /// That the caller effectively has a name.
    pub(crate) fn held(&mut self, facts: &mut Facts, id: NameId) -> Function {
        self.held_by(facts, id, self.callers)
    }

    fn held_by(&mut self, facts: &mut Facts, id: NameId, callers: Callers) -> Function {
        if let Some(known) = self.held.get(&(id, callers)) {
            return *known;
        }
        let names = &self.policy.names;
        let roles = names.iter().filter(|(role, _, kind)| *kind == NameKind::Role && names.includes(*role, id));
        let mut ways: Vec<_> = roles.map(|(_, text, _)| facts.variable(Fact::Role(text.clone()))).collect();
        ways.sort_unstable();
        let ways: Vec<_> = ways.into_iter().rev().map(|variable| facts.functions.variable(variable)).collect();
        let mut held = facts.functions.any(ways);
        if let Some(name) = names.text(id).filter(|_| names.kind(id) == Some(NameKind::Permission)) {
            held = permission(facts, name, held, callers);
        }
        self.held.insert((id, callers), held);
        held
    }

    /// That the caller has two roles that exclude each other.
    fn conflict(&mut self, facts: &mut Facts) -> Function {
        let mut conflict = Function::NEVER;
        for set in self.policy.names.exclusive() {
            let mut one = Function::NEVER;
            for held in self.each(facts, set, self.callers) {
                let two = facts.functions.and(one, held);
                conflict = facts.functions.or(conflict, two);
                one = facts.functions.or(one, held);
            }
        }
        conflict
    }
}

/// That the caller has a permission: by itself, or by its roles as far as its token does not withhold it.
fn permission(facts: &mut Facts, name: &Arc<str>, by_roles: Function, callers: Callers) -> Function {
    let mut given = by_roles;
    if callers == Callers::All {
        let withheld = facts.holds(Fact::Withheld(Arc::clone(name)));
        given = facts.functions.without(given, withheld);
    }
    let direct = facts.holds(Fact::Permission(Arc::clone(name)));
    facts.functions.or(direct, given)
}

/// What a path that no key matches gets.
fn unlisted(unlisted: Unlisted) -> Access {
    match unlisted {
        Unlisted::NotFound | Unlisted::Forbidden => Access::NOBODY,
        Unlisted::Authenticated => Access::AUTHENTICATED,
        Unlisted::Public => Access::PUBLIC,
    }
}

fn both(facts: &mut Facts, a: Access, b: Access) -> Access {
    match (a.public, b.public) {
        (true, _) => b,
        (_, true) => a,
        _ => Access { public: false, granted: facts.functions.and(a.granted, b.granted) },
    }
}

/// That one of the facts holds; always where there are none to choose from.
fn any(facts: &mut Facts, choices: impl IntoIterator<Item = Fact>) -> Function {
    let choices: Vec<_> = choices.into_iter().map(|fact| facts.holds(fact)).collect();
    if choices.is_empty() { Function::ALWAYS } else { facts.functions.any(choices) }
}

fn not_since(facts: &mut Facts, conditions: &Conditions) -> Function {
    let Some(until) = conditions.until else { return Function::ALWAYS };
    let over = facts.holds(Fact::Since(until));
    facts.functions.not(over)
}

fn has_parameters(conditions: &Conditions) -> bool {
    let is_parameter = |value: &ClaimValue| matches!(value, ClaimValue::Parameter(_));
    conditions.claims.iter().flat_map(|test| &test.any_of).any(is_parameter)
}

/// That a claim has one of its values. A parameter is the text that it has in the path.
fn claim(facts: &mut Facts, wanted: &ClaimTest, param: &impl Fn(usize) -> Option<String>) -> Function {
    let mut values = Vec::new();
    for value in &wanted.any_of {
        match value {
            ClaimValue::Literal(value) => values.extend(ClaimText::of(value)),
            ClaimValue::Parameter(index) => {
                let text = param(*index).filter(|text| !text.is_empty());
                values.extend(text.as_deref().and_then(ClaimText::integer));
                values.extend(text.map(|text| ClaimText::Text(text.into())));
            }
        }
    }
    let ways: Vec<_> = values.into_iter().map(|value| facts.holds(Fact::Claim(wanted.claim.clone(), value))).collect();
    facts.functions.any(ways)
}
