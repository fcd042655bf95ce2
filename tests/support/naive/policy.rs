//! Section 3: the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Principal,
    keys::{Route, Selection, parse},
};

pub(super) struct Rule<'a> {
    grants: Vec<&'a Value>,
    pub(super) masked: bool,
    pub(super) encoded_slash: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Policy<'a>(pub(super) &'a Value);

impl<'a> Policy<'a> {
    pub(super) fn routes(self) -> Vec<Route<'a>> {
        let mut routes: BTreeMap<&str, Route<'a>> = BTreeMap::new();
        for (key, value) in members(self.0.get("routes")) {
            let (methods, path) = key.split_once(' ').unwrap_or_default();
            let route = Route { path, pattern: parse(path), rules: BTreeMap::new() };
            let rules = &mut routes.entry(path).or_insert(route).rules;
            rules.extend(methods.split(',').map(|method| (method, rule(value))));
        }
        routes.into_values().collect()
    }

    pub(super) fn unlisted(self) -> &'a str {
        self.0.get("unlisted").and_then(Value::as_str).unwrap_or("not_found")
    }

    pub(super) fn is_public(self, selection: &Selection) -> bool {
        match selection {
            Selection::Unlisted => self.unlisted() == "public",
            Selection::Listed { rule, .. } => rule.is_some_and(Rule::is_public),
        }
    }

    pub(super) fn is_role(self, name: &str) -> bool {
        members(self.0.get("roles")).any(|(role, _)| role == name)
    }

    fn permissions(self) -> BTreeSet<&'a str> {
        members(self.0.get("roles")).flat_map(|(_, role)| texts(role.get("permissions"))).collect()
    }

    /// The declared ones among `roles` and all that they inherit.
    fn inherited(self, roles: &'a [String]) -> BTreeMap<&'a str, &'a Value> {
        let mut found = BTreeMap::new();
        let mut open: Vec<&str> = roles.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let role = members(self.0.get("roles")).find(|(role, _)| *role == name);
            if let Some((name, role)) = role.filter(|_| !found.contains_key(name)) {
                found.insert(name, role);
                open.extend(texts(role.get("inherits")));
            }
        }
        found
    }

    /// The roles and permissions that a caller has.
    pub(super) fn held(self, principal: &'a Principal) -> BTreeSet<&'a str> {
        let roles = self.inherited(&principal.roles);
        let limit = principal.permission_limit.as_ref();
        let given = roles.values().flat_map(|role| texts(role.get("permissions")));
        let given = given.filter(|name| limit.is_none_or(|limit| limit.iter().any(|limit| limit == name)));
        let claimed = principal.permissions.iter().map(String::as_str);
        let claimed = claimed.filter(|name| self.permissions().contains(name));
        roles.keys().copied().chain(given).chain(claimed).collect()
    }

    pub(super) fn conflicting(self, principal: &Principal) -> bool {
        let roles = self.inherited(&principal.roles);
        list(self.0.get("exclusive_roles"))
            .iter()
            .any(|set| texts(Some(set)).filter(|role| roles.contains_key(role)).count() > 1)
    }
}

pub(super) fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// One value or an array of them.
pub(super) fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    list(value).into_iter().filter_map(Value::as_str)
}

fn rule(value: &Value) -> Rule<'_> {
    Rule {
        grants: list(value.get("allow").or(Some(value))),
        masked: value.get("deny_as").and_then(Value::as_str) == Some("not_found"),
        encoded_slash: value.get("encoded_slash") == Some(&Value::Bool(true)),
    }
}

impl<'a> Rule<'a> {
    pub(super) fn is_public(&self) -> bool {
        self.grants.iter().any(|grant| grant.as_str() == Some("public") || grant.get("public").is_some())
    }

    /// The grants that somebody can hold.
    pub(super) fn holdable(&self) -> impl Iterator<Item = &'a Value> {
        self.grants.iter().copied().filter(|grant| grant.as_str() != Some("nobody"))
    }
}
