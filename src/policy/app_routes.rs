//! Routes of an application that no rule covers, and rules that no route of it needs.

use std::collections::BTreeSet;

use http::Method;

use super::{
    capture::EmptySegment,
    compiled::{Compiled, Route},
    grammar::{RouteKey, Verb},
    pattern::{Pattern, Piece},
};
use crate::diagnostic::Diagnostic;

/// How a policy and the routes of an application differ, in the words of route keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteDifferences {
    /// What the application serves and the policy does not list.
    pub(crate) uncovered: Vec<String>,
    /// What the policy lists and the application does not serve.
    pub(crate) unmatched: Vec<String>,
}

/// A method of a route of the policy: none is `ANY`.
type Slot = (usize, Option<Method>);

/// Compares `policy` with the routes of an application, each written as a route key.
pub(crate) fn compare_routes(policy: &Compiled, routes: &[String]) -> Result<RouteDifferences, Diagnostic> {
    let keys = routes.iter().map(|route| RouteKey::parse(route)).collect::<Result<Vec<_>, _>>()?;
    let mut found = RouteDifferences::default();
    let mut needed = BTreeSet::new();
    for key in &keys {
        let selected = selected(policy, &key.pattern);
        for method in methods(&key.verb) {
            let slots = selected.iter().map(|index| slot(policy, (*index)?, method));
            match slots.collect::<Option<Vec<_>>>() {
                Some(slots) => needed.extend(slots.into_iter().map(in_order)),
                None => found.uncovered.push(text(method, key.pattern.text())),
            }
        }
    }
    for (index, route) in policy.routes.iter().enumerate() {
        for method in route.methods.iter().map(|(method, _)| Some(method)).chain(route.any.map(|_| None)) {
            let is_needed = needed.contains(&in_order((index, method.cloned())));
            if !is_needed && !keys.iter().any(|key| serves(policy, key, index, method)) {
                found.unmatched.push(text(method, &route.pattern));
            }
        }
    }
    Ok(found)
}

/// The routes of the policy that the paths of `pattern` select; none where they select nothing.
fn selected(policy: &Compiled, pattern: &Pattern) -> Vec<Option<usize>> {
    let same = policy.route_of(pattern.text());
    if same.is_some() {
        return vec![same];
    }
    let find = |path: String| policy.lookup.find(path.as_bytes(), EmptySegment::Matches);
    samples(pattern).map(find).collect()
}

/// Whether the application serves `method` of a route of the policy under a more general path.
fn serves(policy: &Compiled, key: &RouteKey, index: usize, method: Option<&Method>) -> bool {
    let offers = match (&key.verb, method) {
        (Verb::Any, _) | (Verb::These(_), None) => true,
        (Verb::These(offered), Some(method)) => offered.iter().any(|offered| is_served_by(method, offered)),
    };
    let matches = |pattern: &Pattern| {
        samples(pattern).any(|path| key.pattern.captures(path.as_bytes(), EmptySegment::Matches).is_some())
    };
    offers && policy.routes.get(index).is_some_and(|route| matches(&route.key))
}

/// Routers answer `HEAD` where they have `GET`.
fn is_served_by(method: &Method, offered: &Method) -> bool {
    method == offered || (*method == Method::HEAD && *offered == Method::GET)
}

/// Paths that `pattern` matches, with text in its parameters that no key has.
fn samples(pattern: &Pattern) -> impl Iterator<Item = String> {
    let has_rest = pattern.pieces().iter().any(|piece| matches!(piece, Piece::Rest(_)));
    let rests = if has_rest { &["~", "~/~"][..] } else { &["~"] };
    rests.iter().map(|rest| {
        let part = |piece: &Piece| match piece {
            Piece::Literal(text) => text.to_string(),
            Piece::Param(_) => "~".to_owned(),
            Piece::Rest(_) => (*rest).to_owned(),
        };
        pattern.pieces().iter().map(part).collect()
    })
}

fn methods(verb: &Verb) -> Vec<Option<&Method>> {
    match verb {
        Verb::Any => vec![None],
        Verb::These(methods) => methods.iter().map(Some).collect(),
    }
}

/// What of a route of the policy speaks for `method`.
fn slot(policy: &Compiled, index: usize, method: Option<&Method>) -> Option<Slot> {
    let route: &Route = policy.routes.get(index)?;
    let own = |method: &Method| route.methods.iter().any(|(listed, _)| listed == method);
    let listed = method.and_then(|method| {
        [method, &Method::GET].into_iter().find(|listed| own(listed) && is_served_by(method, listed)).cloned()
    });
    match listed {
        Some(listed) => Some((index, Some(listed))),
        None => route.any.map(|_| (index, None)),
    }
}

fn in_order((index, method): Slot) -> (usize, Option<String>) {
    (index, method.map(|method| method.to_string()))
}

fn text(method: Option<&Method>, pattern: &str) -> String {
    format!("{} {pattern}", method.map_or("ANY", Method::as_str))
}
