//! The `claims` of a grant.

use serde_json::Value as Json;

use super::At;
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    policy::{
        compiled::{ClaimTest, ClaimValue},
        document::Value,
        problems::Problems,
    },
};

/// The parameters of the key, where they are known.
type Params<'a> = Option<&'a [Box<str>]>;

const KINDS: &str = "a string, a number, a boolean or a list of them";

pub(super) fn read_claims(problems: &mut Problems, params: Params<'_>, at: &At<'_>) -> Option<Box<[ClaimTest]>> {
    let object = at.object(problems)?;
    if object.is_empty() {
        problems.empty(at, "name a claim and its value, or leave it out");
        return None;
    }
    let tests: Vec<_> = object.iter().map(|(claim, at)| claim_test(problems, params, claim, &at)).collect();
    tests.into_iter().collect()
}

fn claim_test(problems: &mut Problems, params: Params<'_>, claim: &str, at: &At<'_>) -> Option<ClaimTest> {
    if claim.trim().is_empty() {
        let found = Diagnostic::error(code::EMPTY_VALUE, "the name of a claim is empty");
        problems.key(at, found.help("write the name of a claim, such as `sub`".to_owned()));
    }
    let values: Vec<_> = match at.value() {
        Value::Array(_) => {
            let list = at.list(problems, "list at least one value")?;
            list.iter().map(|at| claim_value(problems, params, at)).collect()
        }
        _ => vec![claim_value(problems, params, at)],
    };
    let any_of = values.into_iter().collect::<Option<_>>()?;
    let unmet = format!("claim {} does not match", quoted(claim)).into();
    Some(ClaimTest { claim: claim.into(), any_of, unmet })
}

fn claim_value(problems: &mut Problems, params: Params<'_>, at: &At<'_>) -> Option<ClaimValue> {
    match at.value() {
        Value::Bool(value) => Some(ClaimValue::Literal(Json::Bool(*value))),
        Value::Number(value) => Some(ClaimValue::Literal(Json::Number(value.clone()))),
        Value::String(_) => {
            let text = at.text(problems, "a claim that is empty never matches: write a value")?;
            text_value(problems, params, at, text)
        }
        _ => {
            at.expected(problems, KINDS);
            None
        }
    }
}

fn text_value(problems: &mut Problems, params: Params<'_>, at: &At<'_>, text: &str) -> Option<ClaimValue> {
    if let Some(name) = parameter(text) {
        let params = params?;
        let index = params.iter().position(|param| **param == *name);
        if index.is_none() {
            unknown_parameter(problems, params, at, name);
        }
        return index.map(ClaimValue::Parameter);
    }
    let literal = unescape(text);
    if literal.is_none() {
        let found = Diagnostic::error(code::INVALID_CLAIM, format!("{} has a brace without its partner", quoted(text)));
        let help = "write `{name}` alone for a path parameter, and `{{` or `}}` for a brace that is meant as such";
        problems.value(at, found.help(help.to_owned()));
    }
    literal.map(|literal| ClaimValue::Literal(Json::String(literal)))
}

/// The name in a text that is nothing but `{name}`.
fn parameter(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

fn unescape(text: &str) -> Option<String> {
    let mut literal = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if matches!(c, '{' | '}') && chars.next() != Some(c) {
            return None;
        }
        literal.push(c);
    }
    Some(literal)
}

fn unknown_parameter(problems: &mut Problems, params: &[Box<str>], at: &At<'_>, name: &str) {
    let all: Vec<_> = params.iter().map(|param| format!("`{{{param}}}`")).collect();
    let help = if all.is_empty() {
        "the path of the key has no parameters; write `{{` and `}}` for braces".to_owned()
    } else {
        format!("the path of the key has {}", all.join(", "))
    };
    let message = format!("{} is not a parameter of the key", quoted(&format!("{{{name}}}")));
    problems.value(at, Diagnostic::error(code::UNKNOWN_PARAMETER, message).help(help));
}
