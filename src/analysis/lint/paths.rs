//! Paths that are left out, look alike, or are never reached.

use std::collections::HashMap;

use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    catalogue::{PATHS_DIFFER_IN_CASE, UNCOVERED_PREFIX, UNREACHABLE_KEY},
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
    let shapes: Vec<_> = survey.keys.iter().map(|key| Shape::of(key.pattern)).collect();
    let strangers = Strangers::new(shapes.iter(), std::iter::empty());
    let mut spellings: HashMap<String, Vec<&Key<'_>>> = HashMap::new();
    for (key, shape) in survey.keys.iter().zip(&shapes) {
        let more = [
            uncovered_prefix(survey.policy, &strangers, key, shape),
            unreachable(survey.policy, &strangers, key, shape),
            other_spelling(&mut spellings, key),
        ];
        findings.extend(more.into_iter().flatten().map(|finding| finding.of_rule(key.rule.info.index)));
    }
}

fn uncovered_prefix(policy: &Compiled, strangers: &Strangers, key: &Key<'_>, shape: &Shape) -> Option<Finding> {
    shape.rest.as_ref().filter(|rest| rest.is_empty())?;
    let bare = Shape { rest: None, ..shape.clone() };
    let path = strangers.path(&bare, 0)?;
    let is_listed = |path: &str| policy.lookup.find(path.as_bytes(), EmptySegment::Matches).is_some();
    if is_listed(&path) || is_listed(&format!("{path}/")) {
        return None;
    }
    let slash = key.text.rfind('/')?;
    let with_slash = key.text.get(..=slash)?.split_once(' ')?.1;
    let without = with_slash.strip_suffix('/').filter(|prefix| !prefix.is_empty());
    let message = match without {
        Some(without) => {
            format!("{} matches neither {} nor {}", quoted(&key.text), quoted(without), quoted(with_slash))
        }
        None => format!("{} does not match {}", quoted(&key.text), quoted(with_slash)),
    };
    let methods = key.text.split_once(' ')?.0;
    let example = format!("{methods} {}", without.unwrap_or(with_slash));
    let help = format!("`{{*rest}}` is never empty: list {} as well, if the service has it", quoted(&example));
    Some(Finding::new(&UNCOVERED_PREFIX, &key.spot, message, help))
}

/// The paths of a key that differ from those of an earlier one only in letter case; each route is told once.
fn other_spelling<'k, 'p>(spellings: &mut HashMap<String, Vec<&'k Key<'p>>>, key: &'k Key<'p>) -> Option<Finding> {
    let known = spellings.entry(key.pattern.shape().to_lowercase()).or_default();
    if known.iter().any(|known| known.index == key.index) {
        return None;
    }
    known.push(key);
    let first = known.first().filter(|first| first.index != key.index)?;
    let message = format!("{} and {} differ only in letter case", quoted(&key.text), quoted(&first.text));
    let help = "paths are compared byte by byte: a service behind that ignores case serves both under either; \
                keep one spelling";
    Some(Finding::new(&PATHS_DIFFER_IN_CASE, &key.spot, message, help))
}

fn unreachable(policy: &Compiled, strangers: &Strangers, key: &Key<'_>, shape: &Shape) -> Option<Finding> {
    if !matches!(policy.unlisted, Unlisted::NotFound | Unlisted::Forbidden) {
        return None;
    }
    let path = strangers.path(shape, 1)?;
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
