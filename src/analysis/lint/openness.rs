//! Keys that are open to others than one would think from their neighbours.

use http::Method;

use super::{
    catalogue::{GET_HEAD_DIFFER, OPEN_WILDCARD, UNCOVERED_PREFIX},
    finding::Finding,
    paths,
    survey::{Key, Survey},
};
use crate::{
    analysis::access::{Callers, Facts, Function, Side, Strangers},
    diagnostic::quoted,
    policy::{CompiledRule, EmptySegment, Params, Verb},
};

pub(super) fn find(survey: &Survey<'_>, findings: &mut Vec<Finding>) {
    let mut openness = Openness::new(survey);
    for key in &survey.keys {
        let found = [openness.head(key), openness.wildcard(survey, key), openness.prefix(survey, key)];
        findings.extend(found.into_iter().flatten().map(|finding| finding.of_rule(key.rule.info.index)));
    }
}

/// For whom rules are open, each on a path of a key.
pub(super) struct Openness<'p> {
    pub(super) facts: Facts,
    side: Side<'p>,
    strangers: Strangers,
}

impl<'p> Openness<'p> {
    pub(super) fn new(survey: &Survey<'p>) -> Self {
        let mut facts = Facts::default();
        let side = Side::new(&mut facts, survey.policy, Callers::Plain);
        let shapes = survey.keys.iter().map(|key| &key.shape);
        Self { facts, side, strangers: Strangers::new(shapes, std::iter::empty()) }
    }

    /// For whom `rule`, which is one of `of`, is open on the paths of `on`.
    pub(super) fn rule(&mut self, rule: &CompiledRule, of: &Key<'_>, on: &Key<'_>) -> Option<Function> {
        let path = self.strangers.path(&on.shape, 1)?;
        self.on_path(rule, of, &path)
    }

    fn on_path(&mut self, rule: &CompiledRule, of: &Key<'_>, path: &str) -> Option<Function> {
        of.pattern.captures(path.as_bytes(), EmptySegment::Matches)?;
        let params = Params::new(of.pattern, EmptySegment::Matches, path.as_bytes());
        let access = self.side.rule(&mut self.facts, rule, params);
        Some(self.side.open(&mut self.facts, access))
    }

    fn head(&mut self, key: &Key<'_>) -> Option<Finding> {
        let Verb::These(methods) = &key.verb else { return None };
        if !methods.contains(&Method::HEAD) || methods.contains(&Method::GET) {
            return None;
        }
        let get = self.side.policy.rules.get(key.route.rule_of(&Method::GET)?)?;
        let (head, get) = (self.rule(key.rule, key, key)?, self.rule(get, key, key)?);
        if head == get {
            return None;
        }
        let wider = self.facts.implies(get, head);
        let how = if wider { "more callers than" } else { "other callers than" };
        let message = format!("{} is open to {how} `GET` of the same path", quoted(&key.text));
        let help = "take `HEAD` out: a rule of `GET` covers it";
        Some(Finding::new(&GET_HEAD_DIFFER, &key.spot, message, help))
    }

    fn wildcard(&mut self, survey: &Survey<'p>, key: &Key<'_>) -> Option<Finding> {
        key.shape.rest.as_ref()?;
        let mut stricter = Vec::new();
        for inner in survey.beside(key).filter(|inner| key.shape.contains(&inner.shape)) {
            if shares_method(key, inner) && self.is_stricter(key, inner)? {
                stricter.push(&*inner.text);
            }
        }
        let (first, more) = stricter.split_first()?;
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let message = format!(
            "{} is open to callers who may not use {}{more}, which it contains",
            quoted(&key.text),
            quoted(first)
        );
        let help = "narrow it, or list each path: what is added to the service there later gets this rule";
        Some(Finding::new(&OPEN_WILDCARD, &key.spot, message, help))
    }

    /// Whether the path before the `{*rest}` of a key falls to a wider key that is more open.
    fn prefix(&mut self, survey: &Survey<'p>, key: &Key<'_>) -> Option<Finding> {
        let bare = paths::bare(key)?;
        let path = self.strangers.path(&bare, 0)?;
        let inside = self.rule(key.rule, key, key)?;
        let mut wider = None;
        for path in [path.clone(), format!("{path}/")] {
            let Some(index) = survey.policy.lookup.find(path.as_bytes(), EmptySegment::Matches) else { continue };
            for other in survey.keys.iter().filter(|other| other.index == index) {
                if other.shape == bare || other.shape.without_slash().as_ref() == Some(&bare) {
                    return None;
                }
                let open = self.on_path(other.rule, other, &path)?;
                if shares_method(other, key) && !self.facts.implies(open, inside) {
                    wider.get_or_insert(other);
                }
            }
        }
        let (message, example) = paths::left_out(key)?;
        let message = format!("{message}: there {} holds, which is open to other callers", quoted(&wider?.text));
        let help = format!("list {} with the same rule", quoted(&example));
        Some(Finding::new(&UNCOVERED_PREFIX, &key.spot, message, help))
    }

    fn is_stricter(&mut self, wide: &Key<'_>, inner: &Key<'_>) -> Option<bool> {
        let outside = self.rule(wide.rule, wide, inner)?;
        let inside = self.rule(inner.rule, inner, inner)?;
        Some(!self.facts.implies(outside, inside))
    }
}

/// Whether the rule of `wide` would apply to a method of `inner` if that were not there.
fn shares_method(wide: &Key<'_>, inner: &Key<'_>) -> bool {
    let applies = |method: &Method| wide.route.rule_of(method) == Some(wide.rule.info.index);
    match &inner.verb {
        Verb::Any => true,
        Verb::These(methods) => methods.iter().any(applies),
    }
}
