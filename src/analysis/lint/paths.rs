//! Paths that are left out, look alike, or are never reached.

use std::collections::HashMap;

use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    catalogue::{CONFUSABLE_NAMES, PATHS_DIFFER_IN_CASE, UNCOVERED_PREFIX, UNREACHABLE_KEY},
    confusable::folded,
    finding::Finding,
    survey::{Key, Survey},
};
use crate::{
    analysis::access::{Shape, Strangers},
    diagnostic::quoted,
    path::{Tolerance, same_but_trailing_slashes},
    policy::{Compiled, EmptySegment, Selection, Selections, Unlisted, Verb, select},
    target::Target,
};

/// What no client sends as it is in a path (RFC 3986, section 3.3); what is encoded already stays.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let strangers = Strangers::new(survey.keys.iter().map(|key| &key.shape), std::iter::empty());
    let mut spellings = Spellings::default();
    for key in &survey.keys {
        let more = [
            uncovered_prefix(survey, &strangers, key),
            unreachable(survey.policy, &strangers, key),
            spellings.other(key),
        ];
        findings.extend(more.into_iter().flatten().map(|finding| finding.of_rule(key.rule.info.index)));
    }
}

fn uncovered_prefix(survey: &Survey<'_>, strangers: &Strangers, key: &Key<'_>) -> Option<Finding> {
    let path = strangers.path(&bare(key)?, 0)?;
    let is_listed = |path: &str| survey.policy.lookup.find(path.as_bytes(), EmptySegment::Matches).is_some();
    if is_listed(&path) || is_listed(&format!("{path}/")) {
        return None;
    }
    let (message, example) = left_out(key)?;
    let rest = key.text.rsplit('/').next()?;
    let help = format!("{} is never empty: list {} as well, if the service has it", quoted(rest), quoted(&example));
    Some(Finding::new(&UNCOVERED_PREFIX, &key.spot, message, help))
}

/// The path before the `{*rest}` of a key, if there is nothing between the slash and that.
pub(super) fn bare(key: &Key<'_>) -> Option<Shape> {
    key.shape.rest.as_ref().filter(|rest| rest.is_empty())?;
    Some(Shape { rest: None, ..key.shape.clone() })
}

/// Which paths a key with `{*rest}` leaves out, and the key that would list them.
pub(super) fn left_out(key: &Key<'_>) -> Option<(String, String)> {
    let slash = key.text.rfind('/')?;
    let (methods, with_slash) = key.text.get(..=slash)?.split_once(' ')?;
    let without = with_slash.strip_suffix('/').filter(|prefix| !prefix.is_empty());
    let message = match without {
        Some(without) => {
            format!("{} matches neither {} nor {}", quoted(&key.text), quoted(without), quoted(with_slash))
        }
        None => format!("{} does not match {}", quoted(&key.text), quoted(with_slash)),
    };
    Some((message, format!("{methods} {}", without.unwrap_or(with_slash))))
}

/// How the beginnings of paths are spelled, by what a reader takes them for; each with the key that has it first.
#[derive(Default)]
struct Spellings<'k, 'p>(HashMap<String, Vec<(String, &'k Key<'p>)>>);

impl<'k, 'p> Spellings<'k, 'p> {
    /// A beginning of the path of a key that an earlier key spells otherwise; each spelling is told once.
    fn other(&mut self, key: &'k Key<'p>) -> Option<Finding> {
        let shape = key.pattern.shape();
        let ends = shape.match_indices('/').map(|(index, _)| index).skip(1).chain([shape.len()]);
        let mut found = None;
        for beginning in ends.filter_map(|end| shape.get(..end)) {
            let known = self.0.entry(folded(beginning)).or_default();
            if known.iter().any(|(spelling, _)| spelling == beginning) {
                continue;
            }
            if let Some((spelling, first)) = known.first().filter(|_| found.is_none()) {
                found = Some(other_spelling(key, beginning, first, spelling));
            }
            known.push((beginning.to_owned(), key));
        }
        found
    }
}

fn other_spelling(key: &Key<'_>, beginning: &str, first: &Key<'_>, spelling: &str) -> Finding {
    let keys = format!("{} and {}", quoted(&key.text), quoted(&first.text));
    if beginning.to_lowercase() != spelling.to_lowercase() {
        let message = format!("{keys} look alike and begin differently");
        let help =
            format!("letters of another alphabet are in {} or {}: type it anew", quoted(beginning), quoted(spelling));
        return Finding::new(&CONFUSABLE_NAMES, &key.spot, message, help);
    }
    let message = if folded(&key.pattern.shape()) == folded(&first.pattern.shape()) {
        format!("{keys} differ only in letter case")
    } else {
        format!("{keys} begin alike but for letter case: {} and {}", quoted(beginning), quoted(spelling))
    };
    let help = "paths are compared byte by byte: a service behind that ignores case serves both under either; \
                keep one spelling";
    Finding::new(&PATHS_DIFFER_IN_CASE, &key.spot, message, help)
}

fn unreachable(policy: &Compiled, strangers: &Strangers, key: &Key<'_>) -> Option<Finding> {
    if !matches!(policy.unlisted, Unlisted::NotFound | Unlisted::Forbidden) {
        return None;
    }
    let path = strangers.path(&key.shape, 1)?;
    let path = utf8_percent_encode(&path, ENCODED).to_string();
    let method = match &key.verb {
        Verb::Any => Method::GET,
        Verb::These(methods) => methods.first()?.clone(),
    };
    let why = match select(policy, &Target::new(&method, &path), Tolerance::default()) {
        Err(rejected) => format!("of {} {rejected}", quoted(&path)),
        Ok(selections) if selections.iter().any(|selection| matches!(selection, Selection::Unlisted)) => {
            let reading = unlisted_reading(policy, &selections)?;
            format!("{} is also read as {}, which no key matches", quoted(&path), quoted(&reading))
        }
        Ok(_) => return None,
    };
    let message = format!("{} is never reached: {why}", quoted(&key.text));
    let help = "write a parameter such as `{name}` in its place, or list the other reading under the same rule";
    Some(Finding::new(&UNREACHABLE_KEY, &key.spot, message, help))
}

fn unlisted_reading(policy: &Compiled, selections: &Selections<'_>) -> Option<String> {
    let (listed, unlisted): (Vec<_>, Vec<_>) = selections
        .readings()
        .map(|(_, text)| text)
        .partition(|text| policy.lookup.find(text, EmptySegment::Matches).is_some());
    let is_alone = |text: &&&[u8]| !listed.iter().any(|listed| same_but_trailing_slashes(listed, text));
    unlisted.iter().find(is_alone).map(|text| String::from_utf8_lossy(text).into_owned())
}
