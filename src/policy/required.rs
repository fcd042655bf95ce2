//! What a rule needs, in words.

use std::{
    fmt::{self, Display, Write},
    ops::ControlFlow,
    time::SystemTime,
};

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
    Words::written(names, params, |words| words.each(grants, " | ", Words::grant))
}

/// One part of a grant.
pub(crate) fn part_in_words(names: &NameTable, params: &[Box<str>], part: Part<'_>) -> String {
    Words::written(names, params, |words| words.part(part))
}

struct Words<'a> {
    names: &'a NameTable,
    params: &'a [Box<str>],
    text: String,
}

impl<'a> Words<'a> {
    fn written(names: &'a NameTable, params: &'a [Box<str>], write: impl FnOnce(&mut Self) -> fmt::Result) -> String {
        let mut words = Self { names, params, text: String::new() };
        // Writing to a text cannot fail.
        let _ = write(&mut words);
        words.text
    }

    fn each<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &str,
        mut write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(separator);
            }
            write(self, item)?;
        }
        Ok(())
    }

    fn all<T: Display>(&mut self, before: &str, items: impl IntoIterator<Item = T>, separator: &str) -> fmt::Result {
        self.text.push_str(before);
        self.each(items, separator, |words, item| write!(words.text, "{item}"))
    }

    fn grant(&mut self, grant: &Grant) -> fmt::Result {
        match grant {
            Grant::Public => self.text.write_str("public"),
            Grant::Authenticated => self.text.write_str("authenticated"),
            Grant::Nobody => self.text.write_str("nobody"),
            Grant::Conditions(conditions) => self.conditions(conditions),
        }
    }

    fn conditions(&mut self, conditions: &Conditions) -> fmt::Result {
        let (mut written, start) = (Ok(()), self.text.len());
        let _ = conditions.visit(|part| {
            let separator = if self.text.len() == start { "" } else { "; " };
            self.text.push_str(separator);
            written = self.part(part);
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        written
    }

    fn part(&mut self, part: Part<'_>) -> fmt::Result {
        match part {
            Part::AllOf(names) => self.list("", names, " and "),
            Part::AnyOf(names) if names.ids().len() == 1 => self.list("", names, ""),
            Part::AnyOf(names) => self.list("any of ", names, ", "),
            Part::NoneOf(names) => self.list("none of ", names, ", "),
            Part::Claim(test) => self.claim(test),
            Part::From(time) => write!(self.text, "from {}", in_rfc_3339(time)),
            Part::Until(time) => write!(self.text, "until {}", in_rfc_3339(time)),
            Part::Networks(networks) => self.all("network ", networks, " or "),
            Part::StepUp(needed) => self.step_up(needed),
            Part::Check(check) => write!(self.text, "check {check}"),
        }
    }

    fn list(&mut self, before: &str, set: &NameSet, separator: &str) -> fmt::Result {
        let names = self.names;
        self.all(before, set.ids().iter().filter_map(|id| names.text(*id)), separator)
    }

    fn claim(&mut self, test: &ClaimTest) -> fmt::Result {
        write!(self.text, "claim {} = ", test.claim)?;
        self.each(&test.any_of, " or ", |words, value| match value {
            ClaimValue::Literal(Value::String(literal)) => words.text.write_str(literal),
            ClaimValue::Literal(other) => write!(words.text, "{other}"),
            ClaimValue::Parameter(index) => {
                write!(words.text, "{{{}}}", words.params.get(*index).map_or("", |name| &**name))
            }
        })
    }

    fn step_up(&mut self, needed: &StepUp) -> fmt::Result {
        if !needed.acr.is_empty() {
            self.all("acr ", &needed.acr, " or ")?;
        }
        let Some(age) = needed.max_age else { return Ok(()) };
        let comma = if needed.acr.is_empty() { "" } else { ", " };
        write!(self.text, "{comma}authenticated at most {} seconds ago", age.as_secs())
    }
}

pub(crate) fn in_rfc_3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}
