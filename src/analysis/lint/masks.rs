//! Masked routes that can be told from paths that do not exist.

use super::{
    catalogue::VISIBLE_MASK,
    finding::Finding,
    openness::Openness,
    survey::{Key, Survey},
};
use crate::{analysis::access::Function, diagnostic::quoted, policy::CompiledGrant};

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let mut openness = Openness::new(survey);
    for key in survey.keys.iter().filter(|key| key.rule.masked) {
        let found = public_sibling(survey, key).or_else(|| wildcard(survey, &mut openness, key));
        findings.extend(found.map(|finding| finding.of_rule(key.rule.info.index)));
    }
}

/// A route is visible to whoever may use one of its methods.
fn public_sibling(survey: &Survey<'_>, key: &Key<'_>) -> Option<Finding> {
    let is_public = |other: &&Key<'_>| {
        other.index == key.index && other.rule.allow.iter().any(|grant| matches!(grant, CompiledGrant::Public))
    };
    let public = survey.keys.iter().find(is_public)?;
    let message = format!("the mask of {} hides nothing: {} is public", quoted(&key.text), quoted(&public.text));
    let help = "give what is hidden a path of its own, or take `deny_as` out";
    Some(Finding::new(&VISIBLE_MASK, &key.spot, message, help))
}

/// Paths beside a masked route that a wildcard answers otherwise than as missing, to callers to whom it is not visible.
fn wildcard(survey: &Survey<'_>, openness: &mut Openness<'_>, key: &Key<'_>) -> Option<Finding> {
    let visible = open_methods(survey, openness, key, key)?;
    for wide in survey.beside(key).filter(|wide| wide.shape.contains(&key.shape)) {
        let open = open_methods(survey, openness, wide, key)?;
        if !wide.route.masked || !openness.facts.implies(open, visible) {
            let message =
                format!("the mask of {} can be told from the answers of {}", quoted(&key.text), quoted(&wide.text));
            let help = "whoever gets another answer beside it than 404 knows that it is there: mask the wildcard for \
                        the same callers, or move the route out from under it";
            return Some(Finding::new(&VISIBLE_MASK, &key.spot, message, help));
        }
    }
    None
}

/// For whom any method of the route of `of` is open on the paths of `on`.
fn open_methods(survey: &Survey<'_>, openness: &mut Openness<'_>, of: &Key<'_>, on: &Key<'_>) -> Option<Function> {
    let rules: Vec<_> = of.route.rules(survey.policy).collect();
    let open: Option<Vec<_>> = rules.into_iter().map(|rule| openness.rule(rule, of, on)).collect();
    Some(openness.facts.functions.any(open?))
}
