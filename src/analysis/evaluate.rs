//! Deciding a request that is only imagined.

use std::sync::Arc;

use http::StatusCode;

use super::probe::Probe;
use crate::{
    decision::{Denial, Mask, Reason},
    policy::{Decision, Policy, decide},
};

/// How a request would be judged.
#[derive(Clone, Debug)]
pub struct Verdict {
    denial: Option<Denial>,
    rule: Option<Arc<str>>,
    readings: Vec<String>,
}

/// Decides as the layer does, by the same code.
pub fn evaluate(policy: &Policy, probe: &Probe) -> Verdict {
    let compiled = policy.compiled();
    let selections = match probe.select(compiled) {
        Ok(selections) => selections,
        Err(rejected) => return Verdict { denial: Some(rejected.into()), rule: None, readings: Vec::new() },
    };
    let readings = selections.readings().map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect();
    match decide(compiled, &selections, probe.who(), || probe.circumstances()) {
        Decision::Deny(denial) => {
            let rule = denial.rule.as_ref().map(|rule| Arc::clone(&rule.name));
            Verdict { denial: Some(denial), rule, readings }
        }
        Decision::Allow(_) => {
            let rule = selections.first_rule().map(|rule| Arc::clone(&rule.info.name));
            Verdict { denial: None, rule, readings }
        }
    }
}

impl Verdict {
    /// Whether the request would be forwarded.
    pub fn is_allowed(&self) -> bool {
        self.denial.is_none()
    }

    /// Why it would not.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// The status that would be sent; none where the request is forwarded, since the application answers then.
    pub fn status(&self) -> Option<StatusCode> {
        self.denial.as_ref().map(Denial::status)
    }

    /// Why the request is denied.
    pub fn reason(&self) -> Option<Reason> {
        self.denial.as_ref().map(Denial::reason)
    }

    /// The name of the rule that decided, or its route key.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Whether the answer pretends that the path or the method does not exist.
    pub fn is_masked(&self) -> bool {
        self.denial.as_ref().is_some_and(|denial| denial.mask() != Mask::None)
    }

    /// The roles and permissions that the caller lacks.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.denial.iter().flat_map(Denial::missing)
    }

    /// Every way in which a service might read the path; none where the path is rejected.
    pub fn readings(&self) -> &[String] {
        &self.readings
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = to.serialize_struct("Verdict", 7)?;
        fields.serialize_field("decision", if self.is_allowed() { "allow" } else { "deny" })?;
        fields.serialize_field("status", &self.status().map(|status| status.as_u16()))?;
        fields.serialize_field("reason", &self.reason().map(Reason::as_str))?;
        fields.serialize_field("rule", &self.rule())?;
        fields.serialize_field("masked", &self.is_masked())?;
        fields.serialize_field("missing", &self.missing().collect::<Vec<_>>())?;
        fields.serialize_field("readings", &self.readings)?;
        fields.end()
    }
}
