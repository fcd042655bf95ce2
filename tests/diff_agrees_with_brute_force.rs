//! What a diff proves is what trying every caller finds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of a test may fail it")]

use std::collections::BTreeSet;

use http::Method;
use proptest::{
    collection::{btree_map, vec},
    option::weighted,
    prelude::*,
    sample::{Index, select, subsequence},
};
use serde_json::{Map, Value, json};
use tower_authz::{
    Policy, Principal,
    analysis::{Change, Diff, Probe, evaluate},
};

const ROLES: [&str; 10] = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"];
const PERMISSIONS: [&str; 2] = ["p0", "p1"];
const KEYS: [&str; 18] = [
    "GET /a%20b",
    "POST /a b",
    "GET /a",
    "GET /a/",
    "POST /a",
    "GET /a/{x}",
    "ANY /a/{x}",
    "HEAD /a/{x}",
    "GET /a/b",
    "ANY /{*rest}",
    "GET /{x}",
    "GET /{x}/b",
    "POST /{y}/b",
    "GET /a/{*rest}",
    "GET /a/{x}/",
    "GET /a/c{x}",
    "GET /a/c{x}/d",
    "GET /",
];
/// A path for most ways in which the keys can meet.
const PATHS: [&str; 20] = [
    "/z/b/", "/a%20b/", "/a%20b", "/", "/a", "/a/", "/a/b", "/a/b/", "/a/z", "/a/z/", "/z", "/z/", "/z/b", "/z/z",
    "/z/z/z", "/a/z/z", "/a/cz", "/a/cz/d", "/a/c/d", "/a/z%2Fz",
];
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PURGE"];
const MOMENTS: [&str; 3] = ["2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"];
const CLIENTS: [&str; 4] = ["10.0.0.1", "10.1.0.1", "192.0.2.7", "2001:db8::7"];

/// How large a policy is: how many roles and permissions grants have to choose from, and whether they have conditions.
#[derive(Clone, Copy, Debug)]
struct Size {
    roles: usize,
    permissions: usize,
    conditions: bool,
}

fn names(size: Size) -> impl Strategy<Value = Vec<&'static str>> {
    let all: Vec<_> = ROLES[..size.roles].iter().chain(&PERMISSIONS[..size.permissions]).copied().collect();
    vec(select(all), 1..3)
}

fn conditions() -> impl Strategy<Value = Map<String, Value>> {
    let parts = [
        json!({ "networks": ["10.0.0.0/8"] }),
        json!({ "networks": ["10.1.0.0/16", "192.0.2.0/24"] }),
        json!({ "from": "2026-01-01T00:00:00Z" }),
        json!({ "until": "2027-01-01T00:00:00Z" }),
        json!({ "claims": { "plan": "pro" } }),
        json!({ "claims": { "plan": ["pro", "free"] } }),
        json!({ "claims": { "sub": "z" } }),
        json!({ "check": "open" }),
        json!({ "step_up": { "max_age_seconds": 60 } }),
        json!({ "step_up": { "acr": ["mfa"], "max_age_seconds": 600 } }),
        json!({ "claims": { "acr": "mfa" } }),
    ];
    subsequence(parts.to_vec(), 0..3)
        .prop_map(|parts| parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect())
}

fn grant(size: Size) -> impl Strategy<Value = Value> {
    let object = (weighted(0.6, names(size)), weighted(0.3, names(size)), weighted(0.3, names(size)), conditions());
    let object = object.prop_map(move |(all, any, none, mut object)| {
        if !size.conditions {
            object.clear();
        }
        for (key, names) in [("all_of", all), ("any_of", any), ("none_of", none)] {
            object.extend(names.map(|names| (key.to_owned(), json!(names))));
        }
        if object.is_empty() { json!("authenticated") } else { Value::Object(object) }
    });
    prop_oneof![
        1 => select(&["public", "authenticated", "nobody"][..]).prop_map(Value::from),
        3 => select(&ROLES[..size.roles]).prop_map(Value::from),
        6 => object,
    ]
}

fn rule(size: Size) -> impl Strategy<Value = Value> {
    (vec(grant(size), 1..3), prop::bool::weighted(0.1)).prop_map(|(grants, encoded_slash)| {
        if encoded_slash { json!({ "allow": grants, "encoded_slash": true }) } else { json!(grants) }
    })
}

/// Roles inherit only from those before them, so that there are no cycles.
fn roles(size: Size) -> impl Strategy<Value = Value> {
    let one = (vec(any::<Index>(), 0..2), subsequence(&PERMISSIONS[..], 0..2));
    vec(one, size.roles).prop_map(|roles| {
        let mut object = Map::new();
        for (place, (parents, permissions)) in roles.iter().enumerate() {
            let parents = parents.iter().filter(|_| place > 0).map(|index| ROLES[index.index(place)]);
            let mut role = Map::new();
            let parents: BTreeSet<_> = parents.collect();
            let mut permissions = permissions.clone();
            if place == 0 {
                permissions = PERMISSIONS.to_vec();
            }
            for (key, names) in [("inherits", parents.into_iter().collect::<Vec<_>>()), ("permissions", permissions)] {
                if !names.is_empty() {
                    role.insert(key.to_owned(), json!(names));
                }
            }
            object.insert(ROLES[place].to_owned(), role.into());
        }
        object.into()
    })
}

fn document(size: Size) -> impl Strategy<Value = Value> {
    let routes = btree_map(select(&KEYS[..]), rule(size), 1..5);
    let unlisted = select(&["not_found", "forbidden", "authenticated", "public"][..]);
    let exclusive = subsequence(ROLES[..size.roles].to_vec(), 2);
    (roles(size), weighted(0.3, exclusive), weighted(0.2, unlisted), routes).prop_map(
        |(roles, exclusive, unlisted, routes)| {
            let mut document = json!({ "version": 1, "roles": roles, "routes": routes });
            if let Some(exclusive) = exclusive {
                document["exclusive_roles"] = json!([exclusive]);
            }
            if let Some(unlisted) = unlisted {
                document["unlisted"] = json!(unlisted);
            }
            document
        },
    )
}

/// A policy and one that differs from it in some of its parts.
fn pairs(size: Size) -> impl Strategy<Value = (Policy, Policy)> {
    let parts = subsequence(vec!["roles", "exclusive_roles", "unlisted", "routes"], 0..3);
    let pair = (document(size), document(size), parts).prop_map(|(old, other, parts)| {
        let mut new = old.clone();
        for part in parts {
            match (other.get(part), part) {
                (Some(value), "routes") => {
                    let (key, rule) = value.as_object().unwrap().iter().next().unwrap();
                    new["routes"][key] = rule.clone();
                }
                (Some(value), _) => new[part] = value.clone(),
                (None, _) => drop(new.as_object_mut().unwrap().remove(part)),
            }
        }
        (old, new)
    });
    pair.prop_filter_map("the policy does not load", |(old, new)| {
        let load = |document: Value| Policy::from_json_str(&document.to_string()).ok();
        Some((load(old)?, load(new)?))
    })
}

#[derive(Clone, Debug)]
struct Caller {
    roles: Vec<&'static str>,
    permissions: Vec<&'static str>,
    claims: Value,
    client: &'static str,
    time: &'static str,
    open: bool,
}

impl Caller {
    fn probe(&self, method: &Method, path: &str) -> Probe {
        let open = self.open;
        let principal = Principal::new(self.claims["sub"].as_str().unwrap_or("somebody"))
            .roles(&self.roles)
            .permissions(&self.permissions)
            .claims(self.claims.as_object().unwrap().clone());
        let probe = Probe::new(method.clone(), path).identity(principal).client(self.client.parse().unwrap());
        probe.at(moment(self.time)).check("open", move |_| open)
    }
}

fn moment(text: &str) -> std::time::SystemTime {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn subsets<T: Copy>(all: &[T]) -> Vec<Vec<T>> {
    (0..1u32 << all.len())
        .map(|bits| all.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1).map(|(_, one)| *one).collect())
        .collect()
}

/// Every set of roles and permissions under every combination of conditions that a policy of this size can tell apart.
fn callers(size: Size) -> Vec<Caller> {
    let mut circumstances = Vec::new();
    let plain = Caller {
        roles: vec![],
        permissions: vec![],
        claims: json!({}),
        client: "192.0.2.7",
        time: MOMENTS[1],
        open: true,
    };
    if size.conditions {
        for (client, time) in CLIENTS.iter().flat_map(|client| MOMENTS.map(|time| (client, time))) {
            let now = moment(time).duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            for claims in [
                json!({}),
                json!({ "plan": "pro" }),
                json!({ "plan": "free", "sub": "z" }),
                json!({ "acr": "mfa", "auth_time": now - 30 }),
                json!({ "acr": "mfa", "auth_time": now - 300, "plan": "pro" }),
                json!({ "acr": ["mfa"], "auth_time": now - 30, "sub": "z" }),
            ] {
                circumstances.push(Caller { claims, client, time, open: time == MOMENTS[1], ..plain.clone() });
            }
        }
    } else {
        circumstances.push(plain);
    }
    let mut callers = Vec::new();
    for roles in subsets(&ROLES[..size.roles]) {
        for permissions in subsets(&PERMISSIONS[..size.permissions]) {
            for one in &circumstances {
                callers.push(Caller { roles: roles.clone(), permissions: permissions.clone(), ..one.clone() });
            }
        }
    }
    callers
}

fn replay(witness: &Map<String, Value>) -> Probe {
    let text = |key: &str| witness.get(key).and_then(Value::as_str);
    let names = |key: &str| {
        let names = witness.get(key).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut probe = Probe::new(text("method").unwrap().parse().unwrap(), text("path").unwrap());
    if let Some(subject) = text("subject") {
        let claims = witness.get("claims").and_then(Value::as_object).cloned().unwrap_or_default();
        let principal = Principal::new(subject).roles(names("roles")).permissions(names("permissions")).claims(claims);
        probe = probe.identity(principal);
    }
    if let Some(client) = text("client") {
        probe = probe.client(client.parse().unwrap());
    }
    if let Some(time) = text("time") {
        probe = probe.at(moment(time));
    }
    names("checks").into_iter().fold(probe, |probe, check| probe.check(check, |_| true))
}

/// Every line has a request that shows it, so that a diff with a line is not empty by mistake.
fn witnesses_hold(diff: &Diff, old: &Policy, new: &Policy) {
    for (changes, closed, open) in [(diff.widened(), old, new), (diff.narrowed(), new, old)] {
        for change in changes {
            let probe = replay(change.witness());
            assert!(!evaluate(closed, &probe).is_allowed(), "closed: {change}");
            assert!(evaluate(open, &probe).is_allowed(), "open: {change}");
        }
    }
}

fn speaks_of(change: &Change, method: &Method, caller: Option<&Caller>) -> bool {
    let has = |held: &[&str], names: &[String]| names.iter().all(|name| held.contains(&name.as_str()));
    let is_told = change.callers().iter().any(|told| match caller {
        None => !told.is_authenticated(),
        Some(caller) => has(&caller.roles, told.roles()) && has(&caller.permissions, told.permissions()),
    });
    let listed = change.methods().iter().any(|listed| listed == "ANY" || *listed == method.as_str());
    listed && (is_told || !change.is_complete())
}

/// Every change that trying finds is in the diff.
fn nothing_is_left_out(diff: &Diff, old: &Policy, new: &Policy, size: Size) {
    let callers = callers(size);
    let callers: Vec<_> = callers.iter().map(Some).chain([None]).collect();
    for (method, path) in METHODS.iter().flat_map(|method| PATHS.map(|path| (method, path))) {
        let method: Method = method.parse().unwrap();
        for caller in &callers {
            let probe = caller.map_or_else(|| Probe::new(method.clone(), path), |caller| caller.probe(&method, path));
            let (before, after) = (evaluate(old, &probe).is_allowed(), evaluate(new, &probe).is_allowed());
            let changes = match (before, after) {
                (false, true) => diff.widened(),
                (true, false) => diff.narrowed(),
                _ => continue,
            };
            assert!(
                changes.iter().any(|change| speaks_of(change, &method, *caller)),
                "{method} {path} {caller:?} {before} -> {after} is not in\n{diff}\n{}\n{}",
                old.source_text().unwrap(),
                new.source_text().unwrap(),
            );
        }
    }
}

fn agree(size: Size, old: &Policy, new: &Policy) {
    let diff = Diff::between(old, new);
    witnesses_hold(&diff, old, new);
    nothing_is_left_out(&diff, old, new, size);
    assert!(Diff::between(old, old).is_empty());
    let back = Diff::between(new, old);
    assert_eq!((back.widened_cells(), back.narrowed_cells()), (diff.narrowed_cells(), diff.widened_cells()));
}

/// As many as `PROPTEST_CASES` says, where it is set.
fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(usual))
}

proptest! {
    #![proptest_config(cases(40))]
    #[test]
    fn over_every_set_of_four_roles((old, new) in pairs(Size { roles: 4, permissions: 2, conditions: false })) {
        agree(Size { roles: 4, permissions: 2, conditions: false }, &old, &new);
    }

}

proptest! {
    #![proptest_config(cases(6))]
    #[test]
    fn over_every_combination_of_conditions((old, new) in pairs(Size { roles: 2, permissions: 1, conditions: true })) {
        agree(Size { roles: 2, permissions: 1, conditions: true }, &old, &new);
    }
}

proptest! {
    #![proptest_config(cases(1))]
    #[test]
    fn over_every_set_of_ten_roles((old, new) in pairs(Size { roles: 10, permissions: 0, conditions: false })) {
        agree(Size { roles: 10, permissions: 0, conditions: false }, &old, &new);
    }
}
