//! Grants that nobody can hold, and grants that change nothing.

use std::time::SystemTime;

use super::{
    catalogue::{EXPIRED_GRANT, REDUNDANT_GRANT, UNSATISFIABLE_GRANT},
    finding::Finding,
    survey::{GrantSpot, Key, Survey},
};
use crate::{
    analysis::access::{Callers, Fact, Facts, Function, Side},
    diagnostic::quoted,
    policy::{Compiled, CompiledGrant, Conditions, in_rfc_3339, in_words},
    role::NameId,
};

pub(super) fn find(survey: &Survey<'_>, now: SystemTime, findings: &mut Vec<Finding>) {
    let mut facts = Facts::default();
    let side = Side::new(&mut facts, survey.policy, Callers::Plain);
    let mut trial = Trial { policy: survey.policy, facts, side, now };
    for key in &survey.keys {
        let found = trial.key(key);
        findings.extend(found.into_iter().map(|finding| finding.of_rule(key.rule.info.index)));
    }
}

struct Trial<'p> {
    policy: &'p Compiled,
    facts: Facts,
    side: Side<'p>,
    now: SystemTime,
}

impl Trial<'_> {
    fn key(&mut self, key: &Key<'_>) -> Vec<Finding> {
        let open: Vec<_> = key.grants.iter().map(|grant| self.open(key, grant.grant)).collect();
        let mut found = Vec::new();
        for (index, (grant, holds)) in key.grants.iter().zip(&open).enumerate() {
            let useless = self.unsatisfiable(grant, *holds).or_else(|| self.expired(grant));
            found.extend(useless.or_else(|| self.redundant(key, &open, index)));
        }
        found
    }

    /// For whom a grant is open. A parameter has a text of its own.
    fn open(&mut self, key: &Key<'_>, grant: &CompiledGrant) -> Function {
        let text = |index| Some(format!("{{{}}}", key.route.params.get(index)?));
        let access = self.side.grants(&mut self.facts, std::slice::from_ref(grant), &text);
        self.side.open(&mut self.facts, access)
    }

    fn unsatisfiable(&mut self, grant: &GrantSpot<'_>, holds: Function) -> Option<Finding> {
        let conditions = grant.grant.conditions()?;
        if !self.facts.is_impossible(holds) {
            return None;
        }
        let why = self.contradiction(conditions);
        let help = "take the grant out, or one of the parts that contradict each other";
        Some(Finding::new(&UNSATISFIABLE_GRANT, &grant.spot, format!("nobody can hold this grant: {why}"), help))
    }

    /// Which parts of a grant that nobody can hold contradict each other.
    fn contradiction(&mut self, conditions: &Conditions) -> String {
        let names = &self.policy.names;
        let text = |id: NameId| quoted(names.text(id).map_or("", |text| text)).to_string();
        let forbidden = conditions.none_of.ids();
        for wanted in conditions.all_of.ids() {
            if let Some(given) = forbidden.iter().find(|given| names.includes(*wanted, **given)) {
                return if wanted == given {
                    format!("it demands {} and forbids it", text(*wanted))
                } else {
                    format!("whoever has {} has {}, which it forbids", text(*wanted), text(*given))
                };
            }
        }
        let given = |set: &&NameId| conditions.all_of.ids().iter().any(|wanted| names.includes(*wanted, **set));
        for set in names.exclusive() {
            let mut both = set.ids().iter().filter(given);
            if let Some((one, other)) = both.next().zip(both.next()) {
                return format!("it demands {} and {}, which exclude each other", text(*one), text(*other));
            }
        }
        if conditions.from.zip(conditions.until).is_some_and(|(from, until)| from >= until) {
            return "its time is over before it begins".to_owned();
        }
        let names = self.side.names(&mut self.facts, conditions);
        let known = self.facts.holds(Fact::Authenticated);
        let allowed = self.facts.functions.without(known, self.side.conflicting());
        if self.facts.functions.and(names, allowed) == Function::NEVER {
            "no caller can have the names that it demands without those that it may not have".to_owned()
        } else {
            "its conditions cannot hold together".to_owned()
        }
    }

    fn expired(&self, grant: &GrantSpot<'_>) -> Option<Finding> {
        let until = grant.grant.conditions()?.until.filter(|until| *until <= self.now)?;
        let message = format!("the time of this grant was over at {}", in_rfc_3339(until));
        Some(Finding::new(&EXPIRED_GRANT, &grant.spot, message, "take the grant out, or change `until`"))
    }

    /// Whether whoever holds the grant at `index` holds another; of two that are the same the later one is told.
    fn redundant(&mut self, key: &Key<'_>, open: &[Function], index: usize) -> Option<Finding> {
        let (grant, holds) = (key.grants.get(index)?, *open.get(index)?);
        let others = open.iter().enumerate().filter(|(other, _)| *other != index);
        for (other, more) in others {
            let is_expired = key.grants.get(other).is_some_and(|other| self.expired(other).is_some());
            let is_same = holds == *more;
            if is_expired || (is_same && other > index) || !self.facts.implies(holds, *more) {
                continue;
            }
            let other = key.grants.get(other)?.grant;
            let words = in_words(&self.policy.names, &key.route.params, std::slice::from_ref(other));
            let message = match (grant.grant, other) {
                (CompiledGrant::Nobody, _) => "`nobody` beside other grants changes nothing".to_owned(),
                _ => format!("whoever holds this grant holds {} as well", quoted(&words)),
            };
            let help = "take the grant out; if it was meant to narrow the other, put both into one grant";
            return Some(Finding::new(&REDUNDANT_GRANT, &grant.spot, message, help));
        }
        None
    }
}
