//! Findings as people read them, with the source line underlined, and as machines do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tower_authz::{Diagnostic, PolicyError, Severity, Span};

pub(crate) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();

/// The problems of a policy that does not load.
pub(crate) fn of_error(error: &PolicyError) -> String {
    render(error.source_name(), error.source_text().unwrap_or_default(), error.diagnostics())
}

/// Findings one below the other, each with its line.
pub(crate) fn render(name: &str, text: &str, found: &[Diagnostic]) -> String {
    let renderer = Renderer::styled();
    found.iter().map(|found| renderer.render(&[group(name, text, found)])).collect::<Vec<_>>().join("\n\n")
}

fn group<'a>(name: &'a str, text: &'a str, found: &'a Diagnostic) -> Group<'a> {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        _ => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&found.message).id(found.code));
    if let Some(span) = &found.span {
        let (lines, start) = lines_of(text, span);
        let annotation = AnnotationKind::Primary.span(span.start - start..span.end - start);
        let snippet = Snippet::source(lines).line_start(found.line.unwrap_or(1)).path(name);
        group = group.element(snippet.annotation(annotation));
    } else if !found.place.is_empty() {
        group = group.element(Level::NOTE.message(format!("at {}", found.place)));
    } else {
        group = group.element(Level::NOTE.message(format!("in {name}")));
    }
    match &found.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The lines of a span, and where they start: the renderer reads all that it is given, for every finding.
fn lines_of<'a>(text: &'a str, span: &Span) -> (&'a str, usize) {
    let before = text.get(..span.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let behind = text.get(span.end..).unwrap_or_default();
    let end = span.end + behind.find('\n').unwrap_or(behind.len());
    (text.get(start..end).unwrap_or_default(), start)
}

/// Findings for machines.
pub(crate) fn to_json(found: &[Diagnostic]) -> Value {
    let one = |found: &Diagnostic| {
        json!({
            "code": found.code,
            "severity": severity(found.severity),
            "message": found.message,
            "help": found.help,
            "place": found.place,
            "line": found.line,
            "column": found.column,
            "span": found.span.as_ref().map(|span| [span.start, span.end]),
        })
    };
    found.iter().map(one).collect()
}

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "note",
    }
}
