//! What a rule needs, in words.

use std::{ops::ControlFlow, time::SystemTime};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    compiled::{ClaimTest, ClaimValue, Conditions, Grant},
    part::Part,
};
use crate::{
    decision::StepUp,
    role::{NameSet, NameTable},
};

/// Such as `viewer and editor; claim sub = {id} | admin`.
pub(crate) fn in_words(names: &NameTable, params: &[Box<str>], grants: &[Grant]) -> String {
    let words = Words { names, params };
    grants.iter().map(|grant| words.grant(grant)).collect::<Vec<_>>().join(" | ")
}

/// One part of a grant.
pub(crate) fn part_in_words(names: &NameTable, params: &[Box<str>], part: Part<'_>) -> String {
    Words { names, params }.part(part)
}

struct Words<'a> {
    names: &'a NameTable,
    params: &'a [Box<str>],
}

impl Words<'_> {
    fn grant(&self, grant: &Grant) -> String {
        match grant {
            Grant::Public => "public".to_owned(),
            Grant::Authenticated => "authenticated".to_owned(),
            Grant::Nobody => "nobody".to_owned(),
            Grant::Conditions(conditions) => self.conditions(conditions),
        }
    }

    fn conditions(&self, conditions: &Conditions) -> String {
        let mut parts = Vec::new();
        let _ = conditions.visit(|part| {
            parts.push(self.part(part));
            ControlFlow::Continue(())
        });
        parts.join("; ")
    }

    fn part(&self, part: Part<'_>) -> String {
        match part {
            Part::AllOf(names) => self.list(names, " and "),
            Part::AnyOf(names) if names.ids().len() == 1 => self.list(names, ""),
            Part::AnyOf(names) => format!("any of {}", self.list(names, ", ")),
            Part::NoneOf(names) => format!("none of {}", self.list(names, ", ")),
            Part::Claim(test) => self.claim(test),
            Part::From(time) => format!("from {}", in_rfc_3339(time)),
            Part::Until(time) => format!("until {}", in_rfc_3339(time)),
            Part::Networks(networks) => format!("network {}", join(networks.iter().map(ToString::to_string), " or ")),
            Part::StepUp(needed) => step_up(needed),
            Part::Check(check) => format!("check {check}"),
        }
    }

    fn list(&self, set: &NameSet, separator: &str) -> String {
        join(set.ids().iter().filter_map(|id| self.names.text(*id)).map(ToString::to_string), separator)
    }

    fn claim(&self, test: &ClaimTest) -> String {
        let values = test.any_of.iter().map(|value| match value {
            ClaimValue::Literal(Value::String(literal)) => literal.clone(),
            ClaimValue::Literal(other) => other.to_string(),
            ClaimValue::Parameter(index) => format!("{{{}}}", self.params.get(*index).map_or("", |name| &**name)),
        });
        format!("claim {} = {}", test.claim, join(values, " or "))
    }
}

fn join(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

pub(crate) fn in_rfc_3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}

fn step_up(needed: &StepUp) -> String {
    let acr = (!needed.acr.is_empty()).then(|| format!("acr {}", needed.acr.join(" or ")));
    let age = needed.max_age.map(|age| format!("authenticated at most {} seconds ago", age.as_secs()));
    join([acr, age].into_iter().flatten(), ", ")
}
