//! What is wrong with a document, as it is found.

use super::grammar::At;
use crate::diagnostic::{Diagnostic, Span, code, quoted};

/// A value of the document, remembered for later.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    span: Span,
    place: String,
}

impl Spot {
    pub(crate) fn of(at: &At<'_>) -> Self {
        Self { span: at.span(), place: at.place() }
    }
}

/// Collects every problem, so that all are reported at once.
#[derive(Debug)]
pub(crate) struct Problems {
    found: Vec<Diagnostic>,
    /// What may still be spent on nearest names: a document full of errors must not take minutes to refuse.
    effort: usize,
}

impl Default for Problems {
    fn default() -> Self {
        Self { found: Vec::new(), effort: 20_000_000 }
    }
}

impl Problems {
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Something is wrong with the value at `at`.
    pub(crate) fn value(&mut self, at: &At<'_>, found: Diagnostic) {
        self.found.push(found.span(at.span()).place(at.place()));
    }

    /// Something is wrong with the key at `at`.
    pub(crate) fn key(&mut self, at: &At<'_>, found: Diagnostic) {
        self.found.push(found.span(at.key_span()).place(at.place()));
    }

    /// Something is wrong with a value that was met before.
    pub(crate) fn spot(&mut self, spot: &Spot, found: Diagnostic) {
        self.found.push(found.span(spot.span.clone()).place(spot.place.clone()));
    }

    pub(crate) fn empty(&mut self, at: &At<'_>, help: &str) {
        let message = format!("{} is empty", at.label());
        self.value(at, Diagnostic::error(code::EMPTY_VALUE, message).help(help.to_owned()));
    }

    /// Help that names the nearest of the words that would have been right.
    pub(crate) fn nearest<'a>(&mut self, wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<String> {
        const LONGEST: usize = 64;
        if wrong.len() > LONGEST {
            return None;
        }
        let mut best: Option<(usize, &str)> = None;
        for word in right.into_iter().filter(|word| word.len() <= LONGEST) {
            self.effort = self.effort.checked_sub((wrong.len() + 1) * (word.len() + 1))?;
            let distance = distance(wrong, word);
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, word));
            }
        }
        let (distance, word) = best?;
        (distance <= wrong.chars().count().max(3) / 3).then(|| format!("did you mean {}?", quoted(word)))
    }
}

fn distance(wrong: &str, word: &str) -> usize {
    if wrong.eq_ignore_ascii_case(word) {
        return 0;
    }
    strsim::osa_distance(wrong, word)
}
