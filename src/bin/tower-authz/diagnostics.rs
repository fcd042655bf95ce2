//! Findings as people read them, with the source line underlined, and as machines do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tower_authz::{Diagnostic, PolicyError, Severity};

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
        let annotation = AnnotationKind::Primary.span(span.clone());
        group = group.element(Snippet::source(text).path(name).annotation(annotation));
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
