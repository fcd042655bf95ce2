//! A policy beside the operations of the API that it is for.

use std::collections::HashSet;

use http::Method;

use super::{
    catalogue::{CONTRADICTED_SECURITY, UNCOVERED_OPERATION, UNUSED_RULE},
    finding::Finding,
    survey::Survey,
};
use crate::{
    diagnostic::quoted,
    policy::{Compiled, CompiledGrant, CompiledRule, EmptySegment},
};

/// An operation of an API: a method and a path whose parameters are in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Operation {
    method: Method,
    path: String,
    needs_caller: Option<bool>,
}

impl Operation {
    /// An operation of which nothing else is known.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), needs_caller: None }
    }

    /// Whether the description of the API says that the caller must be authenticated.
    pub fn needs_caller(self, needs_caller: bool) -> Self {
        Self { needs_caller: Some(needs_caller), ..self }
    }

    /// The rule of the operation: that of its very path, or else the one that a request to it would select.
    fn rule<'p>(&self, policy: &'p Compiled) -> Option<&'p CompiledRule> {
        let selected = || policy.lookup.find(self.example().as_bytes(), EmptySegment::Matches).map(|hit| hit.route);
        let route = policy.routes.get(policy.lookup.route_of(&self.path).or_else(selected)?)?;
        policy.rules.get(route.rule_of(&self.method)?)
    }

    /// The path of a request, with something in the place of each parameter that no key has as text.
    fn example(&self) -> String {
        let mut example = String::new();
        let mut rest = self.path.as_str();
        while let Some((text, tail)) = rest.split_once('{') {
            example.push_str(text);
            example.push_str("~parameter~");
            rest = tail.split_once('}').map_or("", |(_, tail)| tail);
        }
        example.push_str(rest);
        example
    }

    fn text(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the policy and the operations say differently.
pub(super) fn find(survey: &Survey<'_>, operations: &[Operation], findings: &mut Vec<Finding>) {
    let mut used = HashSet::new();
    for operation in operations {
        let Some(rule) = operation.rule(survey.policy) else {
            findings.extend(uncovered(survey, operation));
            continue;
        };
        used.insert(rule.info.index);
        findings.extend(contradicted(survey, operation, rule));
    }
    for key in survey.keys.iter().filter(|key| !used.contains(&key.rule.info.index)) {
        let message = format!("{} is the rule of no operation", quoted(&key.text));
        let help = "take it out, or describe the operation";
        findings.push(Finding::new(&UNUSED_RULE, &key.spot, message, help).of_rule(key.rule.info.index));
    }
}

fn uncovered(survey: &Survey<'_>, operation: &Operation) -> Option<Finding> {
    let message = format!("no rule covers the operation {}", quoted(&operation.text()));
    let help = format!("list {}: until then it is answered as not listed", quoted(&operation.text()));
    Some(Finding::new(&UNCOVERED_OPERATION, survey.routes.as_ref()?, message, help))
}

fn contradicted(survey: &Survey<'_>, operation: &Operation, rule: &CompiledRule) -> Option<Finding> {
    let is_public = rule.allow.iter().any(|grant| matches!(grant, CompiledGrant::Public));
    let (message, help) = match operation.needs_caller? {
        true if is_public => (
            format!(
                "the operation {} is described as one for authenticated callers, and is public",
                quoted(&operation.text())
            ),
            "say in the rule who may call it, or describe it with `security: []`",
        ),
        false if !is_public => (
            format!("the operation {} is described as one for everybody, and is not public", quoted(&operation.text())),
            "make it public with a reason, or describe its `security`",
        ),
        _ => return None,
    };
    let key = survey.keys.iter().find(|key| key.rule.info.index == rule.info.index)?;
    Some(Finding::new(&CONTRADICTED_SECURITY, &key.spot, message, help).of_rule(rule.info.index))
}
