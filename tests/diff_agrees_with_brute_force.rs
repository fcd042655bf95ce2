//! What a diff proves is what trying every caller finds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of a test may fail it")]

use std::{
    cell::Cell,
    collections::{BTreeSet, HashSet},
    net::IpAddr,
    time::SystemTime,
};

use http::Method;
use proptest::{
    collection::{btree_map, vec},
    option::weighted,
    prelude::*,
    sample::{Index, select, subsequence},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};
use tower_authz::{
    Policy, Principal,
    analysis::{Change, Diff, Probe, evaluate, explain},
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
    /// Whether tokens limit what roles give, and sources are malformed.
    limits: bool,
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

/// A caller, and where and when it calls.
#[derive(Clone, Debug)]
struct Caller {
    principal: Principal,
    client: IpAddr,
    time: SystemTime,
    open: bool,
    /// Whether the token limits what the roles give, or a source of roles was malformed.
    limited: bool,
}

impl Caller {
    fn probe(&self, method: &Method, path: &str) -> Probe {
        let open = self.open;
        let probe = Probe::new(method.clone(), path).identity(self.principal.clone()).client(self.client);
        probe.at(self.time).check("open", move |_| open)
    }
}

fn moment(text: &str) -> SystemTime {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn subsets<T: Copy>(all: &[T]) -> Vec<Vec<T>> {
    (0..1u32 << all.len())
        .map(|bits| all.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1).map(|(_, one)| *one).collect())
        .collect()
}

/// Claims, address, time and what checks say.
type Circumstance = (Value, &'static str, &'static str, bool);

fn circumstances(size: Size) -> Vec<Circumstance> {
    if !size.conditions {
        return vec![(json!({}), "192.0.2.7", MOMENTS[1], true)];
    }
    let mut circumstances = Vec::new();
    for (client, time) in CLIENTS.iter().flat_map(|client| MOMENTS.map(|time| (client, time))) {
        let now = moment(time).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        for claims in [
            json!({}),
            json!({ "plan": "pro" }),
            json!({ "plan": "free", "sub": "z" }),
            json!({ "acr": "mfa", "auth_time": now - 30 }),
            json!({ "acr": "mfa", "auth_time": now - 300, "plan": "pro" }),
            json!({ "acr": ["mfa"], "auth_time": now - 30, "sub": "z" }),
        ] {
            circumstances.push((claims, *client, time, time == MOMENTS[1]));
        }
    }
    circumstances
}

/// Every way in which a token can hold less than the roles of its subject, and none.
fn tokens(size: Size) -> Vec<(Option<Vec<&'static str>>, bool)> {
    if !size.limits {
        return vec![(None, false)];
    }
    let limits = subsets(&PERMISSIONS[..size.permissions]).into_iter().map(Some).chain([None]);
    limits.flat_map(|limit| [(limit.clone(), false), (limit, true)]).collect()
}

/// Every set of roles and permissions in every token, under every combination of conditions that a policy of this size
/// can tell apart.
fn callers(size: Size) -> Vec<Caller> {
    let circumstances = circumstances(size);
    let mut callers = Vec::new();
    for roles in subsets(&ROLES[..size.roles]) {
        for permissions in subsets(&PERMISSIONS[..size.permissions]) {
            for ((limit, malformed), (claims, client, time, open)) in
                tokens(size).iter().flat_map(|token| circumstances.iter().map(move |one| (token, one)))
            {
                let mut principal = Principal::new(claims["sub"].as_str().unwrap_or("somebody"))
                    .roles(&roles)
                    .permissions(&permissions)
                    .claims(claims.as_object().unwrap().clone());
                if let Some(limit) = limit {
                    principal = principal.limit_permissions(limit);
                }
                if *malformed {
                    principal = principal.malformed_source("roles");
                }
                let (client, time) = (client.parse().unwrap(), moment(time));
                callers.push(Caller { principal, client, time, open: *open, limited: limit.is_some() || *malformed });
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
        let mut principal =
            Principal::new(subject).roles(names("roles")).permissions(names("permissions")).claims(claims);
        if witness.contains_key("permission_limit") {
            principal = principal.limit_permissions(names("permission_limit"));
        }
        principal = names("malformed_sources").into_iter().fold(principal, Principal::malformed_source);
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
    for (changes, closed, open) in [
        (diff.widened(), old, new),
        (diff.limited_widened(), old, new),
        (diff.narrowed(), new, old),
        (diff.limited_narrowed(), new, old),
    ] {
        for change in changes {
            let probe = replay(change.witness());
            assert!(!evaluate(closed, &probe).is_allowed(), "closed: {change}");
            assert!(evaluate(open, &probe).is_allowed(), "open: {change}");
        }
    }
    let is_limited = |change: &Change| {
        ["permission_limit", "malformed_sources"].iter().any(|member| change.witness().contains_key(*member))
    };
    assert!(!diff.widened().iter().chain(diff.narrowed()).any(is_limited), "{diff}");
    assert!(diff.limited_widened().iter().chain(diff.limited_narrowed()).all(is_limited), "{diff}");
}

fn speaks_of(change: &Change, method: &Method, caller: Option<&Caller>) -> bool {
    let all_of = |held: Vec<&str>, names: &[String]| names.iter().all(|name| held.contains(&name.as_str()));
    let is_told = change.callers().iter().any(|told| match caller {
        None => !told.is_authenticated(),
        Some(Caller { principal, .. }) => {
            all_of(principal.role_names().collect(), told.roles())
                && all_of(principal.permission_names().collect(), told.permissions())
        }
    });
    let listed = change.methods().iter().any(|listed| listed == "ANY" || *listed == method.as_str());
    // What changes for good tokens is told for them alone.
    listed && (is_told || !change.is_complete() || caller.is_some_and(|caller| caller.limited))
}

/// What a path selects, of which with the caller and the circumstances the decision is a function.
fn selected(policy: &Policy, method: &Method, path: &str) -> String {
    let explanation = explain(policy, &Probe::new(method.clone(), path));
    let selected: Vec<_> = (explanation.selected.iter())
        .map(|selected| (&selected.route, &selected.params, selected.rule.as_ref().map(|rule| &rule.name)))
        .collect();
    format!("{:?} {selected:?}", explanation.rejected)
}

/// Every change that trying finds is in the diff: what changes for good tokens that limit nothing among the changes for
/// all, what changes for others anywhere. Of requests that select the same, one stands for all.
fn nothing_is_left_out(diff: &Diff, old: &Policy, new: &Policy, callers: &[Caller]) -> u64 {
    let mut tried = 0;
    let mut known = HashSet::new();
    for (method, path) in METHODS.iter().flat_map(|method| PATHS.map(|path| (method, path))) {
        let method: Method = method.parse().unwrap();
        if !known.insert([old, new].map(|policy| selected(policy, &method, path))) {
            continue;
        }
        for caller in callers.iter().map(Some).chain([None]) {
            tried += 1;
            let probe = caller.map_or_else(|| Probe::new(method.clone(), path), |caller| caller.probe(&method, path));
            let (before, after) = (evaluate(old, &probe).is_allowed(), evaluate(new, &probe).is_allowed());
            let (changes, limited) = match (before, after) {
                (false, true) => (diff.widened(), diff.limited_widened()),
                (true, false) => (diff.narrowed(), diff.limited_narrowed()),
                _ => continue,
            };
            let is_limited = caller.is_some_and(|caller| caller.limited);
            let mut among = changes.iter().chain(limited.iter().filter(|_| is_limited));
            assert!(
                among.any(|change| speaks_of(change, &method, caller)),
                "{method} {path} {caller:?} {before} -> {after} is not in\n{diff}\n{}\n{}",
                old.source_text().unwrap(),
                new.source_text().unwrap(),
            );
        }
    }
    tried
}

fn agree(old: &Policy, new: &Policy, callers: &[Caller]) -> u64 {
    let diff = Diff::between(old, new);
    witnesses_hold(&diff, old, new);
    let tried = nothing_is_left_out(&diff, old, new, callers);
    assert!(Diff::between(old, old).is_empty());
    let back = Diff::between(new, old);
    assert_eq!((back.widened_cells(), back.narrowed_cells()), (diff.narrowed_cells(), diff.widened_cells()));
    tried
}

/// Tries as many pairs as `DIFF_PAIRS` says, or the usual number, and tells how much that was: `DIFF_PAIRS=3000 cargo
/// test --release --test diff_agrees_with_brute_force -- --nocapture` takes a quarter of an hour.
fn over(what: &str, size: Size, usual: u32) {
    let pairs_to_try = std::env::var("DIFF_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(usual);
    let callers = callers(size);
    let (tried, changed) = (Cell::new(0), Cell::new(0));
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(pairs_to_try) });
    let outcome = runner.run(&pairs(size), |(old, new)| {
        tried.set(tried.get() + agree(&old, &new, &callers));
        changed.set(changed.get() + u32::from(!Diff::between(&old, &new).is_empty()));
        Ok(())
    });
    println!("{what}: {pairs_to_try} pairs, of which {} differ; {} requests each way", changed.get(), tried.get());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn over_every_set_of_four_roles_in_every_token() {
    over("four roles", Size { roles: 4, permissions: 2, conditions: false, limits: true }, 20);
}

#[test]
fn over_every_combination_of_conditions() {
    over("conditions", Size { roles: 2, permissions: 1, conditions: true, limits: true }, 3);
}

#[test]
fn over_every_set_of_ten_roles() {
    over("ten roles", Size { roles: 10, permissions: 0, conditions: false, limits: false }, 4);
}
