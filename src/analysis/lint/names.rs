//! Roles and permissions that nothing needs.

use std::collections::HashSet;

use super::{
    catalogue::{UNUSED_PERMISSION, UNUSED_ROLE},
    finding::Finding,
    survey::{Declared, Survey},
};
use crate::{
    diagnostic::quoted,
    policy::CompiledGrant,
    role::{NameId, NameSet},
};

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let names = &survey.policy.names;
    let needed = needed(survey);
    let is_mentioned = |declared: &Declared| survey.unread.iter().any(|text| is_near(text, &declared.name));
    for declared in survey.permissions.iter().filter(|declared| !is_mentioned(declared)) {
        if names.find(&declared.name).is_some_and(|id| !needed.contains(&id)) {
            let message = format!("no grant names the permission {}", quoted(&declared.name));
            let help = "take it out of `permissions`, or name it in a grant";
            findings.push(Finding::new(&UNUSED_PERMISSION, &declared.spot, message, help));
        }
    }
    let excluding: HashSet<_> = names.exclusive().iter().flat_map(NameSet::ids).copied().collect();
    for declared in survey.roles.iter().filter(|declared| !is_mentioned(declared)) {
        let is_unused =
            |id: NameId| !names.closure(id).any(|given| needed.contains(&given) || excluding.contains(&given));
        if names.find(&declared.name).is_some_and(is_unused) {
            let message = format!("no grant needs the role {} or anything that it gives", quoted(&declared.name));
            let help = "take it out of `roles`, or name it in a grant";
            findings.push(Finding::new(&UNUSED_ROLE, &declared.spot, message, help));
        }
    }
}

/// Whether a text of a rule that cannot be read may have meant a name.
fn is_near(text: &str, name: &str) -> bool {
    strsim::osa_distance(text, name) <= name.chars().count().max(3) / 3
}

/// The names that grants speak of, candidates included.
fn needed(survey: &Survey<'_>) -> HashSet<NameId> {
    let rules = survey.policy.rules.iter();
    let grants = rules.flat_map(|rule| rule.allow.iter().chain(rule.shadow.iter().flatten()));
    let conditions = grants.filter_map(CompiledGrant::conditions);
    let sets = conditions.flat_map(|conditions| [&conditions.all_of, &conditions.any_of, &conditions.none_of]);
    sets.flat_map(NameSet::ids).copied().collect()
}
