//! What is wrong with a policy document, where, and how to mend it.

use std::{
    fmt::{self, Write as _},
    ops::Range,
};

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

impl Diagnostic {
    /// Every code that a policy document can be refused with.
    pub fn codes() -> &'static [&'static str] {
        code::ALL
    }

    pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    pub(crate) fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            help: None,
            place: String::new(),
            span: None,
            line: None,
            column: None,
        }
    }

    #[must_use]
    pub(crate) fn help(self, help: impl Into<Option<String>>) -> Self {
        Self { help: help.into(), ..self }
    }

    #[must_use]
    pub(crate) fn span(self, span: Span) -> Self {
        Self { span: Some(span), ..self }
    }

    #[must_use]
    pub(crate) fn place(self, place: String) -> Self {
        Self { place, ..self }
    }
}

/// Puts findings in the order of the text, and gives each its line and column.
pub(crate) fn locate(diagnostics: &mut [Diagnostic], text: &str) {
    diagnostics.sort_by_key(|found| found.span.as_ref().map(|span| (span.start, span.end)));
    let (mut offset, mut line, mut column) = (0, 1, 1);
    for found in diagnostics {
        let Some(span) = &mut found.span else { continue };
        *span = on_characters(text, span);
        for c in text.get(offset..span.start).unwrap_or_default().chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        offset = span.start;
        (found.line, found.column) = (Some(line), Some(column));
    }
}

fn on_characters(text: &str, span: &Span) -> Span {
    let floor = |index: usize| (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index));
    let start = floor(span.start).unwrap_or(0);
    start..floor(span.end).unwrap_or(0).max(start)
}

/// User input as messages show it: in backticks, shortened, and without characters that do not print.
pub(crate) fn quoted(text: &str) -> impl fmt::Display {
    Quoted(text, '`')
}

/// User input as places show it.
pub(crate) fn quoted_key(text: &str) -> impl fmt::Display {
    Quoted(text, '"')
}

struct Quoted<'a>(&'a str, char);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        f.write_char(self.1)?;
        for c in self.0.chars().take(LONGEST) {
            write_printable(f, c)?;
        }
        if self.0.chars().nth(LONGEST).is_some() {
            f.write_char('…')?;
        }
        f.write_char(self.1)
    }
}

/// Writes a character; one that would not print, or would move the cursor, as an escape.
pub(crate) fn write_printable(f: &mut impl fmt::Write, c: char) -> fmt::Result {
    match c {
        '"' | '\'' | '\\' => f.write_char(c),
        _ => write!(f, "{}", c.escape_debug()),
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal;)*) => {
        /// The names of what a policy document can be refused for.
        pub(crate) mod code {
            $(pub(crate) const $name: &str = $text;)*
            pub(crate) const ALL: &[&str] = &[$($name),*];
        }
    };
}

codes! {
    AMBIGUOUS_NAME = "ambiguous-name";
    CONFLICTING_PARAMETERS = "conflicting-parameters";
    CONFLICTING_UNLISTED = "conflicting-unlisted";
    DISABLED_FORMAT = "disabled-format";
    DUPLICATE_KEY = "duplicate-key";
    DUPLICATE_ROUTE = "duplicate-route";
    DUPLICATE_RULE_NAME = "duplicate-rule-name";
    EMPTY_DOCUMENT = "empty-document";
    EMPTY_VALUE = "empty-value";
    EXCLUSIVE_INHERITANCE = "exclusive-inheritance";
    EXCLUSIVE_SET = "exclusive-set";
    INHERITANCE_CYCLE = "inheritance-cycle";
    INVALID_ACR = "invalid-acr";
    INVALID_CLAIM = "invalid-claim";
    INVALID_METHOD = "invalid-method";
    INVALID_NAME = "invalid-name";
    INVALID_NETWORK = "invalid-network";
    INVALID_PATH = "invalid-path";
    INVALID_ROUTE_KEY = "invalid-route-key";
    INVALID_TIME = "invalid-time";
    MISPLACED_KEYWORD = "misplaced-keyword";
    MISSING_KEY = "missing-key";
    NOT_A_ROLE = "not-a-role";
    PUBLIC_NOT_ALONE = "public-not-alone";
    RESERVED_NAME = "reserved-name";
    SYNTAX = "syntax";
    TOO_MANY_NAMES = "too-many-names";
    UNKNOWN_FORMAT = "unknown-format";
    UNKNOWN_KEY = "unknown-key";
    UNKNOWN_NAME = "unknown-name";
    UNKNOWN_PARAMETER = "unknown-parameter";
    UNKNOWN_VALUE = "unknown-value";
    UNQUOTED_BRACES = "unquoted-braces";
    UNREADABLE_FILE = "unreadable-file";
    UNREACHABLE_PATH = "unreachable-path";
    UNSUPPORTED_VERSION = "unsupported-version";
    UNSUPPORTED_YAML = "unsupported-yaml";
    WRONG_TYPE = "wrong-type";
}
