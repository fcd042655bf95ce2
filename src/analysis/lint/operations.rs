//! A policy beside the operations of the API that it is for.

use std::collections::HashSet;

use http::Method;

use super::{
    catalogue::{CONTRADICTED_SECURITY, UNCOVERED_OPERATION, UNUSED_RULE},
    finding::Finding,
    operation::Operation,
    security::Security,
    survey::Survey,
};
use crate::{diagnostic::quoted, policy::CompiledRule};

/// What the policy and the operations say differently.
pub(super) fn find(survey: &Survey<'_>, operations: &[Operation], findings: &mut Vec<Finding>) {
    let mut security = Security::new(survey.policy);
    let mut used = HashSet::new();
    for operation in operations {
        let Some(rule) = operation.rule(survey.policy) else {
            findings.extend(uncovered(survey, operation));
            continue;
        };
        used.insert(rule.info.index);
        used.extend(rule_of_head(survey, operation));
        findings.extend(contradicted(survey, &mut security, operation, rule));
    }
    for key in survey.keys.iter().filter(|key| !used.contains(&key.rule.info.index)) {
        let message = format!("{} is the rule of no operation", quoted(&key.text));
        let help = "take it out, or describe the operation";
        findings.push(Finding::new(&UNUSED_RULE, &key.spot, message, help).of_rule(key.rule.info.index));
    }
}

/// What has `GET` has `HEAD`, whether or not it is described.
fn rule_of_head(survey: &Survey<'_>, operation: &Operation) -> Option<usize> {
    let route = operation.route(survey.policy).filter(|_| *operation.method() == Method::GET)?;
    route.rule_of(&Method::HEAD)
}

fn uncovered(survey: &Survey<'_>, operation: &Operation) -> Option<Finding> {
    // A rule that could not be read may be the one that covers it.
    if survey.is_partial && operation.route(survey.policy).is_some() {
        return None;
    }
    let message = format!("no rule covers the operation {}", quoted(&operation.text()));
    let help = format!("list {}: until then it is answered as not listed", quoted(&operation.text()));
    Some(Finding::new(&UNCOVERED_OPERATION, survey.routes.as_ref()?, message, help))
}

fn contradicted(
    survey: &Survey<'_>,
    security: &mut Security<'_>,
    operation: &Operation,
    rule: &CompiledRule,
) -> Option<Finding> {
    let key = survey.keys.iter().find(|key| key.rule.info.index == rule.info.index)?;
    let (message, help) = security.contradiction(operation, key)?;
    Some(Finding::new(&CONTRADICTED_SECURITY, &key.spot, message, help).of_rule(rule.info.index))
}
