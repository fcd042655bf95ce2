//! Where in its document a policy says what.

use std::collections::HashSet;

use http::Method;

use crate::{
    analysis::access::{Index, Shape},
    diagnostic::Span,
    policy::{At, Compiled, CompiledGrant, CompiledRule, Pattern, Problems, Route, RouteKey, Verb, document::Value},
};

/// A place in the document.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) span: Span,
    pub(super) place: String,
}

impl Spot {
    fn value(at: &At<'_>) -> Self {
        Self { span: at.span(), place: at.place() }
    }

    fn key(at: &At<'_>) -> Self {
        Self { span: at.key_span(), place: at.place() }
    }
}

/// A role or permission where it is declared first.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) spot: Spot,
}

/// A route key.
#[derive(Debug)]
pub(super) struct Key<'p> {
    pub(super) text: String,
    pub(super) verb: Verb,
    pub(super) route: &'p Route,
    pub(super) index: usize,
    pub(super) pattern: &'p Pattern,
    pub(super) shape: Shape,
    pub(super) rule: &'p CompiledRule,
    pub(super) spot: Spot,
    pub(super) grants: Vec<GrantSpot<'p>>,
}

/// A grant of a rule.
#[derive(Debug)]
pub(super) struct GrantSpot<'p> {
    pub(super) grant: &'p CompiledGrant,
    pub(super) spot: Spot,
    /// For a public one, whether the document says why.
    pub(super) has_reason: bool,
}

/// Where a lint is silenced, for a rule or everywhere.
#[derive(Debug)]
pub(super) struct Silence {
    pub(super) code: String,
    pub(super) rule: Option<usize>,
    pub(super) spot: Spot,
}

/// A policy, with the places of what it says.
#[derive(Debug)]
pub(super) struct Survey<'p> {
    pub(super) policy: &'p Compiled,
    pub(super) keys: Vec<Key<'p>>,
    pub(super) roles: Vec<Declared>,
    pub(super) permissions: Vec<Declared>,
    pub(super) unlisted: Option<Spot>,
    pub(super) routes: Option<Spot>,
    pub(super) silences: Vec<Silence>,
    /// Whether rules with errors were left out.
    pub(super) is_partial: bool,
    /// The texts in the rules that were left out: names, maybe.
    pub(super) unread: Vec<String>,
    /// The keys by their shapes.
    index: Index,
    /// The rules of the keys.
    seen: HashSet<usize>,
}

impl<'p> Survey<'p> {
    /// A policy that does not load, without the rules that are at fault.
    pub(super) fn of_remains(policy: &'p Compiled) -> Self {
        Self { is_partial: true, ..Self::of(policy) }
    }

    pub(super) fn of(policy: &'p Compiled) -> Self {
        let mut survey = Self {
            policy,
            is_partial: false,
            unread: Vec::new(),
            index: Index::default(),
            seen: HashSet::new(),
            keys: Vec::new(),
            roles: Vec::new(),
            permissions: Vec::new(),
            unlisted: None,
            routes: None,
            silences: Vec::new(),
        };
        let root = At::root(&policy.origin.document);
        survey.unlisted = child(&root, "unlisted", Spot::value);
        survey.routes = child(&root, "routes", Spot::key);
        child(&root, "silence", |at| survey.add_silences(at, None));
        child(&root, "roles", |at| members(at, |name, at| survey.add_role(name, at)));
        child(&root, "routes", |at| members(at, |text, at| survey.add_key(text, at)));
        survey.index = Index::of(survey.keys.iter().map(|key| &key.shape));
        survey
    }

    /// The keys of other routes with paths that `key` has as well.
    pub(super) fn beside(&self, key: &Key<'_>) -> impl Iterator<Item = &Key<'p>> {
        let near = self.index.near(&key.shape).into_iter().filter_map(|place| self.keys.get(place));
        let index = key.index;
        near.filter(move |other| other.index != index)
    }

    fn add_role(&mut self, name: &str, at: &At<'_>) {
        self.roles.push(Declared { name: name.to_owned(), spot: Spot::key(at) });
        child(at, "permissions", |at| {
            let Value::Array(list) = at.value() else { return };
            for at in at.elements(list) {
                let Value::String(name) = at.value() else { continue };
                if !self.permissions.iter().any(|known| known.name == *name) {
                    self.permissions.push(Declared { name: name.clone(), spot: Spot::value(&at) });
                }
            }
        });
    }

    fn add_key(&mut self, text: &str, at: &At<'_>) {
        let Some(mut key) = self.key(text, at) else { return texts(at, &mut self.unread) };
        let rule = key.rule.info.index;
        let has_allow = child(at, "allow", |at| key.grants = grants(key.rule, at)).is_some();
        if !has_allow {
            key.grants = grants(key.rule, at);
        }
        child(at, "silence", |at| self.add_silences(at, Some(rule)));
        self.keys.push(key);
    }

    fn key(&mut self, text: &str, at: &At<'_>) -> Option<Key<'p>> {
        let policy = self.policy;
        let RouteKey { verb, pattern } = RouteKey::parse(text).ok()?;
        let index = policy.route_of(pattern.text())?;
        let route = policy.routes.get(index)?;
        let own = |method: &Method| route.methods.iter().find(|(other, _)| other == method).map(|(_, rule)| *rule);
        let rule = match &verb {
            Verb::Any => route.any,
            Verb::These(methods) => methods.first().and_then(own),
        };
        let rule = policy.rules.get(rule?)?;
        // Of two keys for one method, which is an error, the first counts.
        if !self.seen.insert(rule.info.index) {
            return None;
        }
        Some(Key {
            text: text.to_owned(),
            verb,
            route,
            index,
            pattern: &route.key,
            shape: Shape::of(&route.key),
            rule,
            spot: Spot::key(at),
            grants: Vec::new(),
        })
    }

    fn add_silences(&mut self, at: &At<'_>, rule: Option<usize>) {
        members(at, |code, at| self.silences.push(Silence { code: code.to_owned(), rule, spot: Spot::key(at) }));
    }
}

fn child<R>(at: &At<'_>, key: &str, read: impl FnOnce(&At<'_>) -> R) -> Option<R> {
    let Value::Object(_) = at.value() else { return None };
    at.object(&mut Problems::default())?.get(key).map(|at| read(&at))
}

fn members(at: &At<'_>, mut read: impl FnMut(&str, &At<'_>)) {
    if let Some(object) = at.object(&mut Problems::default()) {
        object.iter().for_each(|(key, at)| read(key, &at));
    }
}

/// Every text in a value.
fn texts(at: &At<'_>, found: &mut Vec<String>) {
    match at.value() {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => at.elements(list).iter().for_each(|at| texts(at, found)),
        Value::Object(_) => members(at, |_, at| texts(at, found)),
        _ => {}
    }
}

/// The grants of a rule, with their places: a list, or one alone.
fn grants<'p>(rule: &'p CompiledRule, at: &At<'_>) -> Vec<GrantSpot<'p>> {
    let spot = |at: &At<'_>| (Spot::value(at), !matches!(at.value(), Value::String(_)));
    let spots: Vec<_> = match at.value() {
        Value::Array(list) => at.elements(list).iter().map(spot).collect(),
        _ => vec![spot(at)],
    };
    rule.allow.iter().zip(spots).map(|(grant, (spot, has_reason))| GrantSpot { grant, spot, has_reason }).collect()
}
