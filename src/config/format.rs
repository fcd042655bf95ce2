//! What the readers of all formats have in common.

use crate::{
    diagnostic::{Diagnostic, Span, code},
    policy::document::Node,
};

/// Reads a text to a document, or says where it is not of its format.
pub(super) type Reader = fn(&str) -> Result<Node, Vec<Diagnostic>>;

pub(super) fn syntax(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error(code::SYNTAX, message).span(span)
}
