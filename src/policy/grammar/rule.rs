//! Rules: a grant, a list of grants, or an object with `allow`.

use super::{At, GrantReader, Object};
use crate::{
    diagnostic::{Diagnostic, code, quoted},
    policy::{
        compiled::{Grant, Unlisted},
        document::Value,
        problems::Problems,
    },
};

/// A rule as it was read, before it has its place in the policy.
#[derive(Debug, Default)]
pub(crate) struct RuleDraft {
    pub(crate) allow: Box<[Grant]>,
    pub(crate) shadow: Option<Box<[Grant]>>,
    pub(crate) message: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) masked: bool,
    pub(crate) encoded_slash: bool,
}

pub(super) const RULE_KEYS: &[&str] = &["allow", "message", "deny_as", "shadow", "name", "encoded_slash", "silence"];

/// Reads the value of a route key.
pub(crate) fn read_rule(reader: &mut GrantReader<'_>, unlisted: Unlisted, at: &At<'_>) -> Option<RuleDraft> {
    if let Value::Object(members) = at.value()
        && members.iter().any(|member| RULE_KEYS.contains(&member.key.as_str()))
    {
        let object = at.object(reader.problems)?;
        return read_rule_object(reader, unlisted, &object);
    }
    Some(RuleDraft { allow: reader.grants(at)?, ..RuleDraft::default() })
}

fn read_rule_object(reader: &mut GrantReader<'_>, unlisted: Unlisted, object: &Object<'_>) -> Option<RuleDraft> {
    object.only_or(reader.problems, RULE_KEYS, |key| {
        super::grant::GRANT_KEYS.contains(&key).then(|| "put the parts of a grant inside `allow`".to_owned())
    });
    let allow = object.require(reader.problems, "allow", "say with `allow` who may call the route");
    let allow = allow.and_then(|at| reader.grants(&at));
    let shadow = object.get("shadow").and_then(|at| reader.grants(&at));
    let problems = &mut *reader.problems;
    let message =
        object.get("message").and_then(|at| at.text(problems, "write a sentence for the caller, or leave it out"));
    let name = object.get("name").and_then(|at| at.text(problems, "write a name, or leave it out"));
    let masked = object.get("deny_as").is_some_and(|at| read_deny_as(reader, unlisted, &at));
    let encoded_slash = object.get("encoded_slash").and_then(|at| at.boolean(reader.problems));
    if let Some(at) = object.get("silence") {
        check_silence(reader.problems, &at);
    }
    Some(RuleDraft {
        allow: allow?,
        shadow,
        message: message.map(Into::into),
        name: name.map(Into::into),
        masked,
        encoded_slash: encoded_slash.unwrap_or_default(),
    })
}

fn read_deny_as(reader: &mut GrantReader<'_>, unlisted: Unlisted, at: &At<'_>) -> bool {
    let masked = at.word(reader.problems, &[("not_found", ())]).is_some();
    if masked && unlisted != Unlisted::NotFound {
        let message = "the mask cannot hold, since paths that no key matches are not answered as not found";
        let help = "leave out `unlisted`, or leave out `deny_as`".to_owned();
        reader.problems.value(at, Diagnostic::error(code::CONFLICTING_UNLISTED, message).help(help));
    }
    masked
}

/// Lints are silenced by name, each with a reason; the linter reads them from the document.
pub(crate) fn check_silence(problems: &mut Problems, at: &At<'_>) {
    let Some(object) = at.object(problems) else { return };
    if object.is_empty() {
        problems.empty(at, "leave it out, or name a lint and the reason to silence it");
    }
    for (lint, at) in object.iter() {
        let help = format!("say why {} is silenced", quoted(lint));
        at.text(problems, &help);
    }
}
