//! Routes as they are gathered from the keys of a document, until each rule has its place.

use std::{
    collections::{HashMap, hash_map::Entry},
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
    shapes::Shapes,
};
use crate::{
    decision::RuleInfo,
    diagnostic::{Diagnostic, code, quoted},
    role::NameTable,
};

/// The routes of a document, in its order.
#[derive(Debug)]
pub(crate) struct Routes<'a> {
    shapes: HashMap<String, usize>,
    drafts: Vec<RouteDraft>,
    /// The key that has a method of a route.
    methods: HashMap<(usize, Method), usize>,
    keys: Vec<Key<'a>>,
}

#[derive(Debug)]
struct RouteDraft {
    pattern: Pattern,
    /// The key that first spoke of this path.
    first: usize,
    any: Option<usize>,
    methods: Vec<(Method, usize)>,
}

#[derive(Debug)]
struct Key<'a> {
    /// Its place in the document.
    index: usize,
    text: &'a str,
    pattern: Arc<str>,
    params: Vec<Box<str>>,
    rule: Option<RuleDraft>,
}

/// The routes and rules of a policy.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) lookup: Lookup,
    pub(crate) shapes: Shapes,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Rule>,
}

impl<'a> Routes<'a> {
    /// None yet, with room for those of so many keys.
    pub(crate) fn for_keys(keys: usize) -> Self {
        Self {
            shapes: HashMap::with_capacity(keys),
            drafts: Vec::with_capacity(keys),
            methods: HashMap::with_capacity(keys),
            keys: Vec::with_capacity(keys),
        }
    }

    /// Adds a key and its rule, which is absent where it has problems of its own.
    pub(crate) fn add(
        &mut self,
        problems: &mut Problems,
        at: &At<'_>,
        text: &'a str,
        key: RouteKey,
        params: Vec<Box<str>>,
        rule: Option<RuleDraft>,
    ) {
        let index = self.keys.len();
        let pattern = Arc::clone(key.pattern.text());
        self.keys.push(Key { index, text, pattern, params, rule });
        let Some(route) = self.route(problems, at, index, key.pattern) else { return };
        match key.verb {
            Verb::Any => {
                let draft = self.drafts.get_mut(route);
                if let Some(other) = draft.and_then(|draft| draft.any.replace(index)) {
                    self.report_duplicate(problems, at, "ANY", index, other);
                }
            }
            Verb::These(methods) => {
                // Most routes have no other key.
                if let Some(draft) = self.drafts.get_mut(route).filter(|draft| draft.methods.is_empty()) {
                    draft.methods.reserve_exact(methods.len());
                }
                for method in methods {
                    if let Some(other) = self.claim(route, &method, index) {
                        self.report_duplicate(problems, at, method.as_str(), index, other);
                    }
                }
            }
        }
    }

    /// Enters a method of a route; gives the key that had it before.
    fn claim(&mut self, route: usize, method: &Method, key: usize) -> Option<usize> {
        match self.methods.entry((route, method.clone())) {
            Entry::Occupied(taken) => Some(*taken.get()),
            Entry::Vacant(free) => {
                free.insert(key);
                self.drafts.get_mut(route)?.methods.push((method.clone(), key));
                None
            }
        }
    }

    /// The route of a path; nothing if it is known with other parameter names.
    fn route(&mut self, problems: &mut Problems, at: &At<'_>, key: usize, pattern: Pattern) -> Option<usize> {
        let next = self.drafts.len();
        let index = *self.shapes.entry(pattern.shape()).or_insert(next);
        if index == next {
            self.drafts.push(RouteDraft { pattern, first: key, any: None, methods: Vec::new() });
        } else if let Some(known) = self.drafts.get(index).filter(|known| !known.pattern.params().eq(pattern.params()))
        {
            let first = self.keys.get(known.first).map_or("", |key| key.text);
            let message =
                format!("{} is the path of {} with other parameter names", quoted(pattern.text()), quoted(first));
            let help = format!("write the path as {}", quoted(known.pattern.text()));
            problems.key(at, Diagnostic::error(code::CONFLICTING_PARAMETERS, message).help(help));
            return None;
        }
        Some(index)
    }

    fn report_duplicate(&self, problems: &mut Problems, at: &At<'_>, method: &str, index: usize, other: usize) {
        let Some(key) = self.keys.get(other) else { return };
        let message = if index == other {
            format!("the key names the method {} twice", quoted(method))
        } else {
            let route = format!("{method} {}", key.pattern);
            format!("{} is listed already by the key {}", quoted(&route), quoted(key.text))
        };
        let help = "keep one of them".to_owned();
        problems.key(at, Diagnostic::error(code::DUPLICATE_ROUTE, message).help(help));
    }

    /// Routes and rules in an order that does not depend on the document's, and the lookup of the routes.
    pub(crate) fn finish(self, names: &NameTable) -> Finished {
        let Self { shapes, mut drafts, methods, mut keys } = self;
        drop((shapes, methods));
        let mut place = vec![None; keys.len()];
        keys.retain(|key| key.rule.is_some());
        keys.sort_unstable_by(|a, b| (&a.pattern, a.text).cmp(&(&b.pattern, b.text)));
        for (new, key) in keys.iter().enumerate() {
            if let Some(slot) = place.get_mut(key.index) {
                *slot = Some(new);
            }
        }
        let rules = keys.into_iter().enumerate();
        let rules = exact(rules.filter_map(|(index, key)| key.finish(names, index)).collect());
        drafts.sort_unstable_by(|a, b| a.pattern.text().cmp(b.pattern.text()));
        let patterns: Vec<_> = drafts.iter().map(|draft| &draft.pattern).collect();
        let (lookup, shapes) = (Lookup::of(&patterns), Shapes::of(&patterns));
        let routes = drafts.into_iter().enumerate();
        let routes = routes.map(|(index, draft)| draft.finish(index, &place, &rules)).collect();
        Finished { lookup, shapes, routes: exact(routes), rules }
    }
}

/// Without what collecting left over: drafts are larger than what is made of them in their place.
fn exact<T>(mut list: Vec<T>) -> Vec<T> {
    list.shrink_to_fit();
    list
}

impl RouteDraft {
    /// Keys whose rules are at fault have no place.
    fn finish(self, index: usize, place: &[Option<usize>], rules: &[Rule]) -> Route {
        let place = |key: usize| place.get(key).copied().flatten();
        let mut methods: Vec<_> =
            exact(self.methods.into_iter().filter_map(|(method, key)| Some((method, place(key)?))).collect());
        methods.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        let any = self.any.and_then(place);
        let is_masked = |rule: usize| rules.get(rule).is_some_and(|rule| rule.masked);
        Route {
            index,
            pattern: Arc::clone(self.pattern.text()),
            params: exact(self.pattern.params().map(Into::into).collect()),
            key: self.pattern,
            masked: methods.iter().map(|(_, rule)| *rule).chain(any).any(is_masked),
            methods,
            any,
        }
    }
}

impl Key<'_> {
    fn finish(self, names: &NameTable, index: usize) -> Option<Rule> {
        let draft = self.rule?;
        let info = RuleInfo {
            index,
            name: draft.name.as_deref().unwrap_or(self.text).into(),
            pattern: self.pattern,
            required: required::in_words(names, &self.params, &draft.allow).into(),
            message: draft.message.map(Into::into),
        };
        Some(Rule {
            info: Arc::new(info),
            allow: Grants::new(draft.allow, names),
            shadow: draft.shadow.map(|shadow| Grants::new(shadow, names)),
            masked: draft.masked,
            encoded_slash: draft.encoded_slash,
        })
    }
}
