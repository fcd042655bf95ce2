//! Cases: requests, and what is expected of the policy.

use std::{path::Path, time::SystemTime};

use serde::Deserialize;
use serde_json::Value;
use tower_authz::analysis::{Probe, Verdict};

use crate::{
    data,
    failure::Failure,
    request::{MEMBERS, RequestLine},
};

/// A request, and what is expected of the policy.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) probe: Probe,
    expect: Expectation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: Option<String>,
    #[serde(default)]
    request: Value,
    expect: Value,
}

/// What is expected; what is absent may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expectation {
    decision: Option<Decision>,
    status: Option<u16>,
    reason: Option<String>,
    rule: Option<String>,
    masked: Option<bool>,
    missing: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    Deny,
}

/// Reads a file of cases: a list of them, or an object with such a list as `cases`.
pub(crate) fn read(path: &Path) -> Result<Vec<Case>, Failure> {
    let mut document = data::read(path)?;
    if let Some(cases) = document.get_mut("cases") {
        document = cases.take();
    }
    let Value::Array(drafts) = document else {
        return Err(Failure::file(path, "there is no list of cases: write one as `cases`"));
    };
    if drafts.is_empty() {
        return Err(Failure::file(path, "the list of cases is empty"));
    }
    let now = SystemTime::now();
    let case = |(index, draft): (usize, Value)| {
        let name = draft.get("name").and_then(Value::as_str).map_or_else(String::new, |name| format!(" `{name}`"));
        Case::new(index, draft, now).map_err(|why| Failure::file(path, format!("case {}{name}: {why}", index + 1)))
    };
    drafts.into_iter().enumerate().map(case).collect()
}

impl Case {
    fn new(index: usize, draft: Value, now: SystemTime) -> Result<Self, String> {
        let draft: Draft = serde_json::from_value(draft).map_err(|error| error.to_string())?;
        if let Some(unknown) =
            draft.request.as_object().and_then(|request| request.keys().find(|key| !MEMBERS.contains(&key.as_str())))
        {
            return Err(format!("a request has no `{unknown}`; it has {}", MEMBERS.join(", ")));
        }
        let request: RequestLine = serde_json::from_value(draft.request).map_err(|error| error.to_string())?;
        Ok(Self {
            name: draft.name.unwrap_or_else(|| format!("case {}", index + 1)),
            probe: request.into_probe(now)?,
            expect: Expectation::new(draft.expect)?,
        })
    }

    /// What `verdict` is that was not expected.
    pub(crate) fn differences(&self, verdict: &Verdict) -> Vec<String> {
        let Expectation { decision, status, reason, rule, masked, missing } = &self.expect;
        let decided = if verdict.is_allowed() { Decision::Allow } else { Decision::Deny };
        let found = [
            difference("decision", decision.map(Decision::as_str), Some(decided.as_str())),
            difference("status", *status, verdict.status().map(|status| status.as_u16())),
            difference("reason", reason.as_deref(), verdict.reason().map(tower_authz::Reason::as_str)),
            difference("rule", rule.as_deref(), verdict.rule()),
            difference("masked", *masked, Some(verdict.is_masked())),
            difference("missing", missing.as_ref().map(sorted), Some(sorted(verdict.missing()))),
        ];
        found.into_iter().flatten().collect()
    }
}

impl Decision {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Expectation {
    /// A decision, a status, or an object with several expectations.
    fn new(value: Value) -> Result<Self, String> {
        let expect = match value {
            Value::String(_) => {
                let decision = serde_json::from_value(value).map_err(|_| "expect `allow` or `deny`".to_owned())?;
                Self { decision: Some(decision), ..Self::default() }
            }
            Value::Number(_) => {
                let status = serde_json::from_value(value).map_err(|error| error.to_string())?;
                Self { status: Some(status), ..Self::default() }
            }
            _ => serde_json::from_value(value).map_err(|error| format!("expect: {error}"))?,
        };
        let Self { decision, status, reason, rule, masked, missing } = &expect;
        let is_empty = decision.is_none() && status.is_none() && reason.is_none() && rule.is_none();
        if is_empty && masked.is_none() && missing.is_none() {
            return Err("nothing is expected".to_owned());
        }
        Ok(expect)
    }
}

fn difference<T: PartialEq + std::fmt::Display>(what: &str, expected: Option<T>, found: Option<T>) -> Option<String> {
    let expected = expected?;
    match found {
        Some(found) if found == expected => None,
        Some(found) => Some(format!("expected {what} {expected}, found {found}")),
        None => Some(format!("expected {what} {expected}, found none")),
    }
}

fn sorted<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    names.sort();
    format!("[{}]", names.join(", "))
}
