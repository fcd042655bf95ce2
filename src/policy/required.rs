//! What a rule needs, in words.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::Value;

use super::compiled::{ClaimTest, ClaimValue, Conditions, Grant};
use crate::{
    decision::StepUp,
    role::{NameSet, NameTable},
};

/// Such as `viewer and editor; claim sub = {id} | admin`.
pub(crate) fn in_words(names: &NameTable, params: &[Box<str>], grants: &[Grant]) -> String {
    let words = Words { names, params };
    grants.iter().map(|grant| words.grant(grant)).collect::<Vec<_>>().join(" | ")
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
        let mut part = |is_there: bool, text: &dyn Fn() -> String| {
            if is_there {
                parts.push(text());
            }
        };
        let Conditions { all_of, any_of, none_of, claims, networks, .. } = conditions;
        part(!all_of.is_empty(), &|| self.list(all_of, " and "));
        part(any_of.ids().len() == 1, &|| self.list(any_of, ""));
        part(any_of.ids().len() > 1, &|| format!("any of {}", self.list(any_of, ", ")));
        part(!none_of.is_empty(), &|| format!("none of {}", self.list(none_of, ", ")));
        for test in claims {
            part(true, &|| self.claim(test));
        }
        part(!networks.is_empty(), &|| format!("network {}", join(networks.iter().map(ToString::to_string), " or ")));
        let times = [("from", conditions.from), ("until", conditions.until)];
        for (word, time) in times.into_iter().filter_map(|(word, time)| Some((word, time?))) {
            part(true, &|| format!("{word} {}", in_rfc_3339(time)));
        }
        if let Some(needed) = &conditions.step_up {
            part(true, &|| step_up(needed));
        }
        if let Some(check) = &conditions.check {
            part(true, &|| format!("check {check}"));
        }
        parts.join("; ")
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

fn in_rfc_3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}

fn step_up(needed: &StepUp) -> String {
    let acr = (!needed.acr.is_empty()).then(|| format!("acr {}", needed.acr.join(" or ")));
    let age = needed.max_age.map(|age| format!("authenticated at most {} seconds ago", age.as_secs()));
    join([acr, age].into_iter().flatten(), ", ")
}
