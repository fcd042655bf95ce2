//! What the description of an operation says about its callers, beside what the rule says.

use std::collections::HashSet;

use super::{
    operation::{Described, Operation},
    survey::Key,
};
use crate::{
    analysis::access::{Callers, Fact, Facts, Function, Side},
    diagnostic::quoted,
    policy::{Compiled, CompiledGrant, Conditions, in_words},
    role::{NameId, NameKind, NameSet},
};

/// Scopes that ask for an identity and its claims, and are no permissions (`OpenID` Connect Core, sections 5.4 and 11).
const OF_IDENTITY: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Compares rules with descriptions.
pub(super) struct Security<'p> {
    policy: &'p Compiled,
    facts: Facts,
    side: Side<'p>,
}

/// The message and the help of a finding.
type Contradiction = (String, String);

impl<'p> Security<'p> {
    pub(super) fn new(policy: &'p Compiled) -> Self {
        let mut facts = Facts::default();
        let side = Side::new(&mut facts, policy, Callers::Plain);
        Self { policy, facts, side }
    }

    /// What the rule of a key and the description of its operation say differently.
    pub(super) fn contradiction(&mut self, operation: &Operation, key: &Key<'_>) -> Option<Contradiction> {
        let is_public = key.rule.allow.iter().any(|grant| matches!(grant, CompiledGrant::Public));
        let text = operation.text();
        match &operation.callers {
            Described::Unknown => None,
            Described::Everyone => (!is_public).then(|| {
                let message =
                    format!("the operation {} is described as one for everybody, and is not public", quoted(&text));
                (message, "make it public with a reason, or describe its `security`".to_owned())
            }),
            Described::Callers(_) if is_public => {
                let told = "is described as one for authenticated callers, and is public";
                let message = format!("the operation {} {told}", quoted(&text));
                Some((message, "say in the rule who may call it, or describe it with `security: []`".to_owned()))
            }
            Described::Callers(alternatives) => {
                let alternatives: Vec<_> = alternatives.iter().map(|names| self.that_count(names)).collect();
                let wider = self.wider(&text, &alternatives, key);
                wider.or_else(|| narrower(self.policy, &text, &alternatives, key))
            }
        }
    }

    /// The names that say what a caller may do.
    fn that_count<'n>(&self, names: &'n [String]) -> Vec<&'n str> {
        let names = names.iter().map(String::as_str);
        names.filter(|name| !OF_IDENTITY.contains(name) || self.policy.names.find(name).is_some()).collect()
    }

    /// A grant that lets callers in without the names that the description asks for.
    fn wider(&mut self, text: &str, alternatives: &[Vec<&str>], key: &Key<'_>) -> Option<Contradiction> {
        let described = self.described(alternatives);
        let grant = key.rule.allow.iter().find(|grant| !self.asks_for(grant, key, described))?;
        let words = in_words(&self.policy.names, &key.route.params, std::slice::from_ref(grant));
        let message = format!(
            "the operation {} is described as one that needs {}, which the grant {} of its rule does not ask for",
            quoted(text),
            in_alternatives(alternatives),
            quoted(&words)
        );
        let is_strange = |name: &&&str| self.policy.names.find(name).is_none();
        let help = match alternatives.iter().flatten().find(is_strange) {
            Some(name) => {
                format!(
                    "the policy declares no {}: name the permission and the scope alike, or silence this",
                    quoted(name)
                )
            }
            None => "name it in the grant, or describe what the rule asks for".to_owned(),
        };
        Some((message, help))
    }

    fn described(&mut self, alternatives: &[Vec<&str>]) -> Function {
        let mut any = Function::NEVER;
        for names in alternatives {
            let held: Vec<_> = names.iter().map(|name| self.held(name)).collect();
            let all = self.facts.functions.all(held);
            any = self.facts.functions.or(any, all);
        }
        any
    }

    fn held(&mut self, name: &str) -> Function {
        match self.policy.names.find(name) {
            Some(id) => self.side.held(&mut self.facts, id),
            None => self.facts.holds(Fact::Permission(name.into())),
        }
    }

    fn asks_for(&mut self, grant: &CompiledGrant, key: &Key<'_>, described: Function) -> bool {
        let text = |index| Some(format!("{{{}}}", key.route.params.get(index)?));
        let access = self.side.grants(&mut self.facts, std::slice::from_ref(grant), &text);
        let open = self.side.open(&mut self.facts, access);
        self.facts.implies(open, described)
    }
}

/// What a caller lacks who has what the description asks for. Where it names no role, it says nothing about roles.
fn narrower(policy: &Compiled, text: &str, alternatives: &[Vec<&str>], key: &Key<'_>) -> Option<Contradiction> {
    if key.rule.allow.iter().all(|grant| matches!(grant, CompiledGrant::Nobody)) {
        let message = format!(
            "the operation {} is described as one for authenticated callers, and nobody may call it",
            quoted(text)
        );
        return Some((
            message,
            "say in the rule who may call it, or take the operation out of the description".to_owned(),
        ));
    }
    for names in alternatives.iter().filter(|names| !names.is_empty()) {
        let given = Given::of(policy, names);
        let lacking: Option<Vec<_>> = key.rule.allow.iter().map(|grant| given.lacks(grant)).collect();
        let Some(least) = lacking.and_then(|lacking| lacking.into_iter().flatten().min_by_key(Vec::len)) else {
            continue;
        };
        let lacking: Vec<_> =
            least.iter().filter_map(|id| policy.names.text(*id)).map(|name| quoted(name).to_string()).collect();
        let message = format!(
            "the operation {} is described as one for which {} suffices, and its rule asks for {} as well",
            quoted(text),
            in_alternatives(std::slice::from_ref(names)),
            lacking.join(" and ")
        );
        return Some((message, "describe what the rule asks for, or change the rule".to_owned()));
    }
    None
}

/// What a caller has who has what a description asks for.
struct Given<'p> {
    policy: &'p Compiled,
    names: HashSet<NameId>,
    tells_roles: bool,
}

impl<'p> Given<'p> {
    fn of(policy: &'p Compiled, names: &[&str]) -> Self {
        let ids: Vec<_> = names.iter().filter_map(|name| policy.names.find(name)).collect();
        let tells_roles = ids.iter().any(|id| policy.names.kind(*id) == Some(NameKind::Role));
        Self { policy, names: ids.into_iter().flat_map(|id| policy.names.closure(id)).collect(), tells_roles }
    }

    fn has(&self, id: NameId) -> bool {
        let is_untold = || !self.tells_roles && self.policy.names.kind(id) == Some(NameKind::Role);
        self.names.contains(&id) || is_untold()
    }

    /// The names that a grant asks for and the caller does not have. Nothing if it may hold the grant; the inner one is
    /// nothing for a grant that nobody holds.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether the grant is out of reach, the inner what is missing"
    )]
    fn lacks(&self, grant: &CompiledGrant) -> Option<Option<Vec<NameId>>> {
        match grant {
            CompiledGrant::Public | CompiledGrant::Authenticated => None,
            CompiledGrant::Nobody => Some(None),
            CompiledGrant::Conditions(conditions) => {
                let lacking = self.lacking(conditions);
                if lacking.is_empty() { None } else { Some(Some(lacking)) }
            }
        }
    }

    fn lacking(&self, conditions: &Conditions) -> Vec<NameId> {
        let lacks = |set: &NameSet| -> Vec<_> { set.ids().iter().copied().filter(|id| !self.has(*id)).collect() };
        let has_any = conditions.any_of.ids().iter().any(|id| self.has(*id));
        let any_of = if has_any { Vec::new() } else { lacks(&conditions.any_of).into_iter().take(1).collect() };
        lacks(&conditions.all_of).into_iter().chain(any_of).collect()
    }
}

/// Such as "`a` and `b`, or `c`".
fn in_alternatives(alternatives: &[Vec<&str>]) -> String {
    let all = |names: &Vec<&str>| names.iter().map(|name| quoted(name).to_string()).collect::<Vec<_>>().join(" and ");
    alternatives.iter().map(all).collect::<Vec<_>>().join(", or ")
}
