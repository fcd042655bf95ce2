//! What a guard demands: the same grants, judged by the same judge, with or without a policy.

use std::sync::{Arc, LazyLock};

use http::Method;

use super::{
    capture::Params,
    check::Checks,
    compiled::{Conditions, Grant, Grants, Route},
    decide::denial_of,
    judge::{Caller, Case, Circumstances, ClientAddress, Judge, Scrutiny},
};
use crate::{
    decision::Denial,
    principal::Principal,
    role::{Held, NameKind, NameSet, NameTable},
};

/// A name that a guard demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) kind: NameKind,
}

impl Name {
    fn is_held_by(&self, principal: &Principal) -> bool {
        match self.kind {
            NameKind::Role => principal.has_role(&self.text),
            NameKind::Permission => principal.has_permission(&self.text),
        }
    }
}

/// Names that must all be there, of which one must be there, and none of which may be there.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the words of the policy document")]
pub(crate) struct Terms {
    pub(crate) all_of: Vec<Name>,
    /// Absent when empty.
    pub(crate) any_of: Vec<Name>,
    pub(crate) none_of: Vec<Name>,
}

impl Terms {
    /// Both of two terms. There is one `any_of` in a grant, so a second is multiplied out.
    pub(crate) fn and(&self, other: &Self) -> Vec<Self> {
        if self.any_of.is_empty() || other.any_of.is_empty() {
            return vec![self.merged(other)];
        }
        let chosen = |name: &Name| {
            let all_of = other.all_of.iter().chain([name]).cloned().collect();
            self.merged(&Self { all_of, any_of: Vec::new(), none_of: other.none_of.clone() })
        };
        other.any_of.iter().map(chosen).collect()
    }

    fn merged(&self, other: &Self) -> Self {
        let joined = |a: &[Name], b: &[Name]| [a, b].concat();
        Self {
            all_of: joined(&self.all_of, &other.all_of),
            any_of: joined(&self.any_of, &other.any_of),
            none_of: joined(&self.none_of, &other.none_of),
        }
    }
}

/// A guard's terms, any of which suffice, as grants over a table of its own names.
#[derive(Debug)]
pub(crate) struct Requirement {
    table: NameTable,
    names: Vec<Name>,
    grants: Grants,
    required: Arc<str>,
}

impl Requirement {
    pub(crate) fn new(terms: &[Terms]) -> Self {
        let mut names: Vec<Name> = Vec::new();
        for name in terms.iter().flat_map(|terms| [&terms.all_of, &terms.any_of, &terms.none_of]).flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let table = NameTable::new(names.iter().map(|name| (Arc::clone(&name.text), name.kind)));
        let grants = Grants::new(terms.iter().map(|terms| grant(terms, &names, &table)).collect(), &table);
        Self { required: describe(terms).into(), table, names, grants }
    }

    /// What is demanded, in words.
    pub(crate) fn required(&self) -> &str {
        &self.required
    }

    /// Nothing if `principal` satisfies the guard: effectively, where it was let in by a policy.
    pub(crate) fn judge(&self, principal: Option<&Principal>) -> Option<Denial> {
        let Some(principal) = principal else { return self.try_all(None) };
        let held = &self.held_by(principal);
        let caller = Caller { principal, held, conflicting: principal.is_conflicting() };
        let is_plainly_held = !caller.conflicting && self.grants.are_plainly_held(held);
        if is_plainly_held { None } else { self.try_all(Some(&caller)) }
    }

    /// Nothing if `caller` satisfies the guard, which is not plain.
    #[inline(never)]
    fn try_all(&self, caller: Option<&Caller<'_>>) -> Option<Denial> {
        static NOWHERE: LazyLock<Route> = LazyLock::new(Route::nowhere);
        static CHECKS: LazyLock<Checks> = LazyLock::new(Checks::default);
        let circumstances =
            Circumstances { method: &Method::GET, client: ClientAddress::Unknown, now: None, checks: &CHECKS };
        let case = Case { route: &NOWHERE, params: Params::NONE };
        let judge = Judge { names: &self.table, circumstances: &circumstances, case };
        let standing = judge.standing(&self.grants, caller, Scrutiny::Full);
        let denial = denial_of(standing, &self.grants, &judge, caller)?;
        Some(denial.with(|rest| rest.required = Some(Arc::clone(&self.required))))
    }

    /// The names of the guard that `principal` has.
    fn held_by(&self, principal: &Principal) -> Held {
        let ids = self.table.iter().map(|(id, ..)| id);
        let held = ids.zip(&self.names).filter(|(_, name)| name.is_held_by(principal)).map(|(id, _)| id);
        Held::of(self.table.words(), held)
    }
}

fn grant(terms: &Terms, names: &[Name], table: &NameTable) -> Grant {
    let set = |wanted: &[Name]| {
        let ids = table.iter().map(|(id, ..)| id).zip(names);
        NameSet::new(ids.filter(|(_, name)| wanted.contains(name)).map(|(id, _)| id).collect::<Vec<_>>())
    };
    if terms.all_of.is_empty() && terms.any_of.is_empty() && terms.none_of.is_empty() {
        return Grant::Authenticated;
    }
    let (all_of, any_of, none_of) = (set(&terms.all_of), set(&terms.any_of), set(&terms.none_of));
    Grant::Conditions(Box::new(Conditions { all_of, any_of, none_of, ..Conditions::default() }))
}

/// The terms in words, as rules of a policy are described.
fn describe(terms: &[Terms]) -> String {
    let list =
        |names: &[Name], separator: &str| names.iter().map(|name| &*name.text).collect::<Vec<_>>().join(separator);
    let one = |terms: &Terms| {
        let parts = [
            (!terms.all_of.is_empty()).then(|| list(&terms.all_of, " and ")),
            (!terms.any_of.is_empty()).then(|| format!("any of {}", list(&terms.any_of, ", "))),
            (!terms.none_of.is_empty()).then(|| format!("none of {}", list(&terms.none_of, ", "))),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "authenticated".to_owned() } else { parts.join("; ") }
    };
    terms.iter().map(one).collect::<Vec<_>>().join(" | ")
}
