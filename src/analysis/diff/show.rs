//! A diff as text and as JSON.

#[cfg(feature = "serde")]
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{between::Diff, caller::DiffCaller, change::Change};

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no change in access");
        }
        for (title, changes) in [
            ("widened", self.widened()),
            ("narrowed", self.narrowed()),
            ("widened for limited or malformed tokens alone", self.limited_widened()),
            ("narrowed for limited or malformed tokens alone", self.limited_narrowed()),
        ] {
            if !changes.is_empty() {
                writeln!(f, "{title}:")?;
                changes.iter().try_for_each(|change| writeln!(f, "{change}"))?;
                writeln!(f)?;
            }
        }
        write!(f, "{} widened, {} narrowed", count(self.widened_cells()), count(self.narrowed_cells()))?;
        match self.limited_widened().iter().chain(self.limited_narrowed()).map(Change::cells).sum() {
            0 => Ok(()),
            cells => write!(f, ", {} changed for limited or malformed tokens alone", count(cells)),
        }
    }
}

fn count(cells: usize) -> String {
    format!("{cells} {}", if cells == 1 { "cell" } else { "cells" })
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.key())?;
        writeln!(f, "    was: {}", self.was())?;
        writeln!(f, "    now: {}", self.now())?;
        for caller in self.callers() {
            writeln!(f, "    for: {caller}")?;
        }
        if !self.is_complete() {
            writeln!(f, "    for: more, with other names")?;
        }
        let text = |key| self.witness().get(key).and_then(Value::as_str).unwrap_or_default();
        write!(f, "    witness: {} {}", text("method"), text("path"))?;
        let keys = [
            "subject",
            "roles",
            "permissions",
            "permission_limit",
            "malformed_sources",
            "claims",
            "client",
            "time",
            "checks",
        ];
        for (key, value) in keys.into_iter().filter_map(|key| Some((key, self.witness().get(key)?))) {
            match value {
                Value::Array(values) if values.is_empty() && key == "permission_limit" => write!(f, ", {key} none")?,
                Value::Array(values) if values.is_empty() => {}
                Value::String(text) => write!(f, ", {key} {text}")?,
                Value::Array(values) => {
                    let texts: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                    write!(f, ", {key} {}", texts.join(" and "))?;
                }
                other => write!(f, ", {key} {other}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for DiffCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("role", "roles", self.roles()), ("permission", "permissions", self.permissions())];
        let named = kinds.into_iter().filter(|(.., names)| !names.is_empty());
        let mut parts: Vec<_> = named
            .map(|(one, many, names)| format!("{} {}", if names.len() == 1 { one } else { many }, names.join(" and ")))
            .collect();
        match (self.is_authenticated(), parts.is_empty()) {
            (false, _) => parts.push("callers without credentials".to_owned()),
            (true, true) => parts.push("authenticated callers".to_owned()),
            (true, false) => {}
        }
        parts.extend(self.conditions().iter().cloned());
        f.write_str(&parts.join(", "))
    }
}

/// `widened` and `narrowed`, each a list of changes, `cells`, how many of each there are, and `limited` with what changes
/// for limited or malformed tokens alone.
#[cfg(feature = "serde")]
impl serde::Serialize for Diff {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let cells = BTreeMap::from([("widened", self.widened_cells()), ("narrowed", self.narrowed_cells())]);
        let limited = BTreeMap::from([("widened", self.limited_widened()), ("narrowed", self.limited_narrowed())]);
        let mut diff = serializer.serialize_struct("Diff", 4)?;
        diff.serialize_field("widened", self.widened())?;
        diff.serialize_field("narrowed", self.narrowed())?;
        diff.serialize_field("cells", &cells)?;
        diff.serialize_field("limited", &limited)?;
        diff.end()
    }
}
