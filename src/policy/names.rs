//! What a role or permission may be called.

use crate::diagnostic::{Diagnostic, code, quoted};

/// Grants that are words of the grammar.
pub(crate) const KEYWORDS: &[&str] = &["public", "authenticated", "nobody"];

pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// What is wrong with the name of a role or permission.
pub(crate) fn name_problem(name: &str) -> Option<Diagnostic> {
    if is_keyword(name) {
        let message = format!("{} is a keyword and cannot be declared", quoted(name));
        return Some(Diagnostic::error(code::RESERVED_NAME, message).help("choose another name".to_owned()));
    }
    let refuse = |message| {
        let help = "write a name without spaces and control characters, such as `invoice:read`".to_owned();
        Some(Diagnostic::error(code::INVALID_NAME, message).help(help))
    };
    if name.is_empty() {
        return refuse("a name is empty".to_owned());
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse(format!("the name {} has a space or a control character", quoted(name)));
    }
    None
}
