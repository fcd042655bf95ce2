//! Why a policy does not load: every diagnostic, with the lines it speaks of.

use std::{error, fmt, io, sync::Arc};

use super::compiled::Compiled;
use crate::diagnostic::{Diagnostic, Severity, Span, locate, write_printable};

/// Why a policy does not load.
///
/// Its text lists every problem, each with its line, its place in the document and how to mend it.
///
/// ```
/// use tower_authz::{Policy, PolicyErrorKind};
///
/// let error = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /me": "admin" } }"#).unwrap_err();
/// assert_eq!(error.kind(), PolicyErrorKind::Invalid);
/// assert_eq!(error.diagnostics()[0].code, "unknown-name");
/// assert!(error.to_string().contains("no role or permission `admin` is declared"));
/// ```
#[derive(Clone)]
pub struct PolicyError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: PolicyErrorKind,
    source: Source,
    diagnostics: Vec<Diagnostic>,
    cause: Option<Arc<io::Error>>,
    /// What is left of the policy without what is wrong, for lints alone.
    remains: Option<Arc<Compiled>>,
}

/// What kind of thing went wrong with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// The file cannot be read, or its format is not known or not enabled.
    Unreadable,
    /// The text is not a document of its format.
    Syntax,
    /// The document does not say a policy.
    Invalid,
}

/// Where a document came from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What errors call it.
    pub(crate) name: Box<str>,
    /// None where the policy was built in code or could not be read.
    pub(crate) text: Option<Box<str>>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: Some(text.into()) }
    }

    pub(crate) fn without_text(name: &str) -> Self {
        Self { name: name.into(), text: None }
    }
}

impl PolicyError {
    pub(crate) fn unreadable(source: Source, found: Diagnostic, cause: Option<io::Error>) -> Self {
        let error = Self::new(PolicyErrorKind::Unreadable, source, vec![found]);
        Self(Box::new(Inner { cause: cause.map(Arc::new), ..*error.0 }))
    }

    pub(crate) fn syntax(source: Source, found: Vec<Diagnostic>) -> Self {
        Self::new(PolicyErrorKind::Syntax, source, found)
    }

    pub(crate) fn invalid(source: Source, found: Vec<Diagnostic>) -> Self {
        Self::new(PolicyErrorKind::Invalid, source, found)
    }

    fn new(kind: PolicyErrorKind, source: Source, mut diagnostics: Vec<Diagnostic>) -> Self {
        match &source.text {
            Some(text) => locate(&mut diagnostics, text),
            None => diagnostics.iter_mut().for_each(|found| found.span = None),
        }
        Self(Box::new(Inner { kind, source, diagnostics, cause: None, remains: None }))
    }

    pub(crate) fn remains(mut self, remains: Option<Arc<Compiled>>) -> Self {
        self.0.remains = remains;
        self
    }

    /// What is left of the policy without what is wrong. It is not the policy that was meant, so it is never enforced.
    pub(crate) fn get_remains(&self) -> Option<&Compiled> {
        self.0.remains.as_deref()
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> PolicyErrorKind {
        self.0.kind
    }

    /// Every problem, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// The path of the file, or what stands for it.
    pub fn source_name(&self) -> &str {
        &self.0.source.name
    }

    /// The text that was read; none where there was none.
    pub fn source_text(&self) -> Option<&str> {
        self.0.source.text.as_deref()
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { source, diagnostics, .. } = &*self.0;
        let problems = if diagnostics.len() == 1 { "problem" } else { "problems" };
        write!(f, "the policy {} does not load: {} {problems}", source.name, diagnostics.len())?;
        diagnostics.iter().try_for_each(|found| write_diagnostic(f, source, found))
    }
}

impl fmt::Debug for PolicyError {
    /// As readable as the text itself, since `main` and `unwrap` print this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for PolicyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

fn write_diagnostic(f: &mut fmt::Formatter<'_>, source: &Source, found: &Diagnostic) -> fmt::Result {
    let severity = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    write!(f, "\n\n{severity}[{}]: {}", found.code, found.message)?;
    if let (Some(line), Some(column)) = (found.line, found.column) {
        write!(f, "\n  --> {}:{line}:{column}", source.name)?;
        if let (Some(text), Some(span)) = (&source.text, &found.span) {
            write_excerpt(f, text, span, line, column)?;
        }
    }
    if !found.place.is_empty() {
        write!(f, "\n  at: {}", found.place)?;
    }
    if let Some(help) = &found.help {
        write!(f, "\n  help: {help}")?;
    }
    Ok(())
}

/// Characters that are shown before the fault, and from it on.
const BEFORE: usize = 60;
const AFTER: usize = 60;

/// The line of the fault with the fault underlined; of a long line only what is around it.
fn write_excerpt(f: &mut fmt::Formatter<'_>, text: &str, span: &Span, line: usize, column: usize) -> fmt::Result {
    let (head, tail) = text.split_at_checked(span.start).unwrap_or((text, ""));
    let lead = head.char_indices().rev().take(BEFORE.min(column - 1)).last().map_or(head.len(), |(index, _)| index);
    let before = head.get(lead..).unwrap_or_default();
    let window = tail.char_indices().nth(AFTER).and_then(|(end, _)| tail.get(..end)).unwrap_or(tail);
    let rest = window.lines().next().unwrap_or_default();
    let beyond = tail.get(rest.len()..).unwrap_or_default();
    let (cut_before, cut_after) = (column - 1 > BEFORE, !beyond.is_empty() && !beyond.starts_with(['\n', '\r']));
    let (fault, after) = rest.split_at_checked(span.len()).unwrap_or((rest, ""));
    let before = [if cut_before { "…" } else { "" }, &printable(before)].concat();
    let (fault, after) = (printable(fault), printable(after));
    let after = after + if cut_after { "…" } else { "" };
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let indent = " ".repeat(before.chars().count());
    let marks = "^".repeat(fault.chars().count().max(1));
    write!(f, "\n {gutter} |\n {number} | {before}{fault}{after}\n {gutter} | {indent}{marks}")
}

fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().map(|c| if c == '\t' { ' ' } else { c }) {
        // Writing to a string cannot fail.
        let _ = write_printable(&mut shown, c);
    }
    shown
}
