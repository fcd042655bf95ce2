//! What is wrong with a policy document, where, and how to mend it.

use std::{fmt, ops::Range};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The policy loads, and probably does not say what was meant.
    Warning,
    /// The policy does not load.
    Error,
}

/// Bytes of the source text.
pub type Span = Range<usize>;

/// One finding about a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The stable kebab-case name of the problem.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lowercase, without a final period, what the user wrote in backticks.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The place in the document, such as `routes."GET /me".allow[1]`.
    pub place: String,
    /// The bytes of the source text that are at fault; none where the policy was built in code.
    pub span: Option<Span>,
    /// The line of the first byte, from 1.
    pub line: Option<usize>,
    /// The column of the first character, from 1, counted in characters.
    pub column: Option<usize>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if !self.place.is_empty() {
            write!(f, "\n  at {}", self.place)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}
