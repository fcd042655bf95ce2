//! Routes as they are gathered from the keys of a document, until each rule has its place.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use http::Method;

use super::{
    compiled::{Grants, Route, Rule},
    grammar::{At, RouteKey, RuleDraft, Verb},
    lookup::Lookup,
    pattern::Pattern,
    problems::Problems,
    required,
};
use crate::{
    decision::RuleInfo,
    diagnostic::{Diagnostic, code, quoted},
    role::NameTable,
};

/// The routes of a document, in its order.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    shapes: HashMap<String, usize>,
    drafts: Vec<RouteDraft>,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct RouteDraft {
    pattern: Pattern,
    /// The key that first spoke of this path.
    first: usize,
    any: Option<usize>,
    methods: HashMap<Method, usize>,
}

#[derive(Debug)]
struct Key {
    text: Box<str>,
    pattern: Arc<str>,
    params: Vec<Box<str>>,
    rule: Option<RuleDraft>,
}

impl Routes {
    /// Adds a key and its rule, which is absent where it has problems of its own.
    pub(crate) fn add(
        &mut self,
        problems: &mut Problems,
        at: &At<'_>,
        text: &str,
        key: RouteKey,
        rule: Option<RuleDraft>,
    ) {
        let index = self.keys.len();
        let params = key.pattern.params().map(Into::into).collect();
        self.keys.push(Key { text: text.into(), pattern: Arc::clone(key.pattern.text()), params, rule });
        let Some(route) = self.route(problems, at, index, key.pattern) else { return };
        let slots: Vec<_> = match key.verb {
            Verb::Any => vec![("ANY".to_owned(), route.any.replace(index))],
            Verb::These(methods) => methods
                .into_iter()
                .map(|method| (method.to_string(), claim(&mut route.methods, method, index)))
                .collect(),
        };
        for (method, taken) in slots {
            if let Some(other) = taken {
                self.report_duplicate(problems, at, &method, index, other);
            }
        }
    }

    /// The route of a path; nothing if it is known with other parameter names.
    fn route(&mut self, problems: &mut Problems, at: &At<'_>, key: usize, pattern: Pattern) -> Option<&mut RouteDraft> {
        let next = self.drafts.len();
        let index = *self.shapes.entry(pattern.shape()).or_insert(next);
        if index == next {
            self.drafts.push(RouteDraft { pattern, first: key, any: None, methods: HashMap::new() });
        } else if let Some(known) = self.drafts.get(index).filter(|known| !known.pattern.params().eq(pattern.params()))
        {
            let first = self.keys.get(known.first).map_or("", |key| &*key.text);
            let message =
                format!("{} is the path of {} with other parameter names", quoted(pattern.text()), quoted(first));
            let help = format!("write the path as {}", quoted(known.pattern.text()));
            problems.key(at, Diagnostic::error(code::CONFLICTING_PARAMETERS, message).help(help));
            return None;
        }
        self.drafts.get_mut(index)
    }

    fn report_duplicate(&self, problems: &mut Problems, at: &At<'_>, method: &str, index: usize, other: usize) {
        let Some(key) = self.keys.get(other) else { return };
        let message = if index == other {
            format!("the key names the method {} twice", quoted(method))
        } else {
            let route = format!("{method} {}", key.pattern);
            format!("{} is listed already by the key {}", quoted(&route), quoted(&key.text))
        };
        let help = "keep one of them".to_owned();
        problems.key(at, Diagnostic::error(code::DUPLICATE_ROUTE, message).help(help));
    }

    /// Routes and rules in an order that does not depend on the document's, and the lookup of the routes.
    pub(crate) fn finish(self, names: &NameTable) -> (Lookup, Vec<Route>, Vec<Rule>) {
        let mut place = vec![None; self.keys.len()];
        let mut order: Vec<(usize, Key)> =
            self.keys.into_iter().enumerate().filter(|(_, key)| key.rule.is_some()).collect();
        order.sort_by(|(_, a), (_, b)| (&a.pattern, &a.text).cmp(&(&b.pattern, &b.text)));
        for (new, (old, _)) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old) {
                *slot = Some(new);
            }
        }
        let rules = order.into_iter().map(|(_, key)| key).enumerate();
        let rules: Vec<_> = rules.filter_map(|(index, key)| key.finish(names, index)).collect();
        let mut drafts = self.drafts;
        drafts.sort_by(|a, b| a.pattern.text().cmp(b.pattern.text()));
        let mut lookup = Lookup::default();
        for (index, draft) in drafts.iter().enumerate() {
            lookup.insert(&draft.pattern, index);
        }
        let routes = drafts.into_iter().map(|draft| draft.finish(&place, &rules)).collect();
        (lookup, routes, rules)
    }
}

/// Enters a method; gives the key that had it before.
fn claim(methods: &mut HashMap<Method, usize>, method: Method, key: usize) -> Option<usize> {
    match methods.entry(method) {
        Entry::Occupied(taken) => Some(*taken.get()),
        Entry::Vacant(free) => {
            free.insert(key);
            None
        }
    }
}

impl RouteDraft {
    /// Keys whose rules are at fault have no place.
    fn finish(self, place: &[Option<usize>], rules: &[Rule]) -> Route {
        let place = |key: usize| place.get(key).copied().flatten();
        let mut methods: Vec<_> =
            self.methods.into_iter().filter_map(|(method, key)| Some((method, place(key)?))).collect();
        methods.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        let any = self.any.and_then(place);
        let used: BTreeSet<_> = methods.iter().map(|(_, rule)| *rule).chain(any).collect();
        Route {
            pattern: Arc::clone(self.pattern.text()),
            params: self.pattern.params().map(Into::into).collect(),
            masked: used.iter().any(|rule| rules.get(*rule).is_some_and(|rule| rule.masked)),
            methods,
            any,
        }
    }
}

impl Key {
    fn finish(self, names: &NameTable, index: usize) -> Option<Rule> {
        let draft = self.rule?;
        let info = RuleInfo {
            index,
            name: draft.name.unwrap_or(self.text).into(),
            pattern: self.pattern,
            required: required::in_words(names, &self.params, &draft.allow).into(),
            message: draft.message.map(Into::into),
        };
        Some(Rule {
            info: Arc::new(info),
            allow: Grants::new(draft.allow),
            shadow: draft.shadow.map(Grants::new),
            masked: draft.masked,
            encoded_slash: draft.encoded_slash,
        })
    }
}
