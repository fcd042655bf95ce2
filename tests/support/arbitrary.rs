//! Policies, and requests that try to get around them.
//!
//! The alphabets are small, so that keys, roles and values meet: a request mostly aims at a key, says something
//! that some grant asks for, and disguises its path.

#![allow(clippy::indexing_slicing, reason = "a strategy that indexes wrongly should fail its test")]

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};

#[path = "arbitrary/requests.rs"]
mod requests;

use self::requests::{moments, requests};
use super::naive::{Options, Request};

const ROLES: [&str; 5] = ["viewer", "editor", "admin", "auditor", "owner"];
const PERMISSIONS: [&str; 3] = ["doc:read", "doc:write", "user:delete"];
const NAMES: [&str; 8] = ["viewer", "editor", "admin", "auditor", "owner", "doc:read", "doc:write", "user:delete"];
const CHECKS: [&str; 2] = ["open", "quota"];
/// No two have the same shape.
const PATHS: [&str; 21] = [
    "/",
    "/a",
    "/a/",
    "/b",
    "/a/b",
    "/{x}",
    "/{x}/",
    "/a/{x}",
    "/a/{x}/",
    "/a/{y}/b",
    "/{x}/b",
    "/{x}/{y}",
    "/a/{*rest}",
    "/{*rest}",
    "/{x}/{*rest}",
    "/a{x}",
    "/a{x}/b",
    "/{t}/a/{x}",
    "/b/{*rest}",
    "/{{a}}",
    "/a%2Fb",
];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "DELETE", "PURGE", "ANY", "GET,POST"];

/// A valid policy and a dozen requests that were made for it.
pub(crate) fn sieges() -> impl Strategy<Value = (Value, Vec<(Request, Options)>)> {
    policies().prop_flat_map(|policy| {
        let requests = vec((requests(&policy), options()), 1..=24);
        (Just(policy), requests)
    })
}

fn options() -> impl Strategy<Value = Options> {
    (prop::bool::weighted(0.1), prop::bool::weighted(0.1)).prop_map(
        |(allow_encoded_backslash, allow_control_characters)| Options {
            allow_encoded_backslash,
            allow_control_characters,
        },
    )
}

/// A valid policy document.
pub(crate) fn policies() -> impl Strategy<Value = Value> {
    let unlisted = prop_oneof![
        5 => Just(None),
        1 => Just(Some("not_found")),
        1 => Just(Some("forbidden")),
        1 => Just(Some("authenticated")),
        1 => Just(Some("public")),
    ];
    // A blanket key is what most bypasses fall back to.
    let path = prop_oneof![5 => select(&PATHS[..]), 1 => Just("/{*rest}"), 1 => Just("/a/{x}")];
    let routes = btree_map(path, vec((0..METHODS.len(), rules()), 1..4), 1..7);
    (roles(), option::weighted(0.4, exclusive()), unlisted, routes).prop_map(|(roles, exclusive, unlisted, routes)| {
        let mut policy = json!({ "version": 1, "roles": roles });
        let exclusive = exclusive.filter(|set| !ROLES.iter().any(|role| count(&policy, role, set) > 1));
        policy["exclusive_roles"] = exclusive.map_or(Value::Null, |set| json!([set]));
        policy["unlisted"] = unlisted.map_or(Value::Null, Value::from);
        let may_mask = matches!(unlisted, None | Some("not_found"));
        policy["routes"] = routes.into_iter().flat_map(|(path, rules)| route(path, rules, may_mask)).collect();
        let Value::Object(members) = policy else { unreachable!("a policy is an object") };
        members.into_iter().filter(|(_, value)| !value.is_null()).collect()
    })
}

/// Every role inherits only from those before it, so there are no cycles; the owner declares all permissions.
fn roles() -> impl Strategy<Value = Value> {
    let role = (subsequence(&ROLES[..], 0..3), subsequence(&PERMISSIONS[..], 0..=2));
    vec(role, ROLES.len()).prop_map(|roles| {
        let mut declared = Map::new();
        for (index, (inherits, permissions)) in roles.into_iter().enumerate() {
            let inherits: Vec<_> = inherits.into_iter().filter(|role| ROLES[..index].contains(role)).collect();
            let permissions = if ROLES[index] == "owner" { PERMISSIONS.to_vec() } else { permissions };
            let parts = [("inherits", inherits), ("permissions", permissions)];
            let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
            declared.insert(ROLES[index].into(), parts.map(|(part, names)| (part.to_owned(), json!(names))).collect());
        }
        Value::Object(declared)
    })
}

fn exclusive() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(&ROLES[..], 2..=3)
}

/// How many of `set` the closure of `role` holds.
fn count(policy: &Value, role: &str, set: &[&str]) -> usize {
    fn close<'a>(policy: &'a Value, role: &'a str, found: &mut Vec<&'a str>) {
        found.push(role);
        for inherited in policy["roles"][role]["inherits"].as_array().into_iter().flatten() {
            close(policy, inherited.as_str().unwrap_or_default(), found);
        }
    }
    let mut found = Vec::new();
    close(policy, role, &mut found);
    set.iter().filter(|role| found.contains(role)).count()
}

/// The keys of one path: no method twice, parameters that the path has, masks only where they can hold.
fn route(path: &str, rules: Vec<(usize, Value)>, may_mask: bool) -> Vec<(String, Value)> {
    let mut taken = Vec::new();
    let mut keys = Vec::new();
    for (methods, mut rule) in rules {
        let methods: Vec<_> = METHODS[methods].split(',').filter(|method| !taken.contains(method)).collect();
        if methods.is_empty() {
            continue;
        }
        taken.extend(&methods);
        name_parameters(&mut rule, &parameters(path));
        if let Some(members) = rule.as_object_mut().filter(|_| !may_mask) {
            members.remove("deny_as");
        }
        keys.push((format!("{} {path}", methods.join(",")), rule));
    }
    keys
}

fn parameters(path: &str) -> Vec<&str> {
    let open = path.split('{').skip(1).filter_map(|part| part.split_once('}'));
    open.filter(|(name, _)| path != "/{{a}}" && !name.is_empty())
        .map(|(name, _)| name.trim_start_matches('*'))
        .collect()
}

/// Puts a parameter of the key where a rule says `{}`, or a plain value if the key has none.
fn name_parameters(rule: &mut Value, parameters: &[&str]) {
    match rule {
        Value::String(text) if text == "{}" => {
            *text = parameters.last().map_or("ada".into(), |name| format!("{{{name}}}"));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| name_parameters(value, parameters)),
        Value::Object(members) => members.values_mut().for_each(|value| name_parameters(value, parameters)),
        _ => {}
    }
}

fn rules() -> impl Strategy<Value = Value> {
    let allow = || prop_oneof![3 => grants(), 1 => vec(grants(), 1..4).prop_map(Value::from)];
    let full = (
        allow(),
        prop::bool::weighted(0.6),
        prop::bool::weighted(0.3),
        option::weighted(0.2, allow()),
        option::weighted(0.2, Just("ask the owner")),
    );
    let full = full.prop_map(|(allow, masked, encoded_slash, shadow, message)| {
        let parts = [
            ("allow", Some(allow)),
            ("deny_as", masked.then(|| json!("not_found"))),
            ("encoded_slash", encoded_slash.then_some(Value::Bool(true))),
            ("shadow", shadow),
            ("message", message.map(Value::from)),
        ];
        parts.into_iter().filter_map(|(part, value)| Some((part.to_owned(), value?))).collect()
    });
    prop_oneof![allow(), full]
}

fn grants() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(json!("public")),
        1 => Just(json!({ "public": "a probe" })),
        1 => Just(json!("authenticated")),
        1 => Just(json!("nobody")),
        4 => select(&NAMES[..]).prop_map(Value::from),
        6 => conditions(),
    ]
}

/// An object grant with one to three parts.
fn conditions() -> impl Strategy<Value = Value> {
    let names = || subsequence(&NAMES[..], 1..3).prop_map(|names| json!(names));
    let part = prop_oneof![
        names().prop_map(|names| ("all_of", names)),
        names().prop_map(|names| ("any_of", names)),
        names().prop_map(|names| ("none_of", names)),
        btree_map(select(&CLAIMS[..]), wanted_claims(), 1..3).prop_map(|claims| ("claims", json!(claims))),
        btree_map(Just("sub"), Just(json!("{}")), 1).prop_map(|claims| ("claims", json!(claims))),
        subsequence(&["10.0.0.0/8", "2001:db8::/32", "8.8.8.8/32"][..], 1..3)
            .prop_map(|nets| ("networks", json!(nets))),
        moments().prop_map(|moment| ("from", json!(moment.to_string()))),
        moments().prop_map(|moment| ("until", json!(moment.to_string()))),
        step_ups().prop_map(|step_up| ("step_up", step_up)),
        select(&CHECKS[..]).prop_map(|check| ("check", json!(check))),
    ];
    vec(part, 1..4).prop_map(|parts| {
        let mut grant: Map<_, _> = parts.into_iter().map(|(part, value)| (part.to_owned(), value)).collect();
        if grant.contains_key("from") {
            grant.remove("until");
        }
        Value::Object(grant)
    })
}

const CLAIMS: [&str; 4] = ["sub", "plan", "level", "orgs"];

fn wanted_claims() -> impl Strategy<Value = Value> {
    let scalar = || {
        prop_oneof![
            Just(json!("pro")),
            Just(json!("ada")),
            Just(json!(1)),
            Just(json!(7)),
            Just(json!(true)),
            Just(json!("{}"))
        ]
    };
    prop_oneof![
        3 => scalar(),
        1 => Just(json!(["pro", 1])),
        1 => Just(json!(["{}", "pro"])),
    ]
}

fn step_ups() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "acr": ["mfa"] })),
        Just(json!({ "acr": ["mfa", "key"], "max_age_seconds": 300 })),
        Just(json!({ "max_age_seconds": 300 })),
    ]
}
