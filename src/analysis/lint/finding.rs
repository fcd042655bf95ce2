//! A finding before it is known whether it is silenced.

use super::{catalogue::Lint, survey::Spot};
use crate::diagnostic::{Diagnostic, Severity};

/// What a lint has found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) lint: &'static Lint,
    pub(super) severity: Severity,
    /// The rule that is at fault, if it is one.
    pub(super) rule: Option<usize>,
    message: String,
    help: String,
    spot: Spot,
}

impl Finding {
    pub(super) fn new(lint: &'static Lint, spot: &Spot, message: String, help: impl Into<String>) -> Self {
        Self { lint, severity: lint.severity, rule: None, message, help: help.into(), spot: spot.clone() }
    }

    pub(super) fn of_rule(self, rule: usize) -> Self {
        Self { rule: Some(rule), ..self }
    }

    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(super) fn into_diagnostic(self, severity: Severity) -> Diagnostic {
        Diagnostic::new(severity, self.lint.code, self.message)
            .help(self.help)
            .span(self.spot.span)
            .place(self.spot.place)
    }
}
