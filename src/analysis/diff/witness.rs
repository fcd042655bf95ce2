//! For whom a difference is one, and a request that shows it.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, SystemTime},
};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::caller::DiffCaller;
use crate::analysis::access::{ClaimText, Fact, Facts, Function, representative};

/// The most callers that are told apart.
const MOST_CALLERS: usize = 8;

/// The time of a witness for which only the age of the authentication matters: 2026-01-01T00:00:00Z.
const SOME_TIME: Duration = Duration::from_secs(1_767_225_600);

/// Addresses that no client has (RFC 5737, RFC 3849).
const ELSEWHERE: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// Callers and a witness.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) callers: Vec<DiffCaller>,
    pub(super) complete: bool,
    pub(super) witness: Map<String, Value>,
    /// Whether only callers differ whose token limits them, or has claims of the wrong shape.
    pub(super) limited: bool,
}

/// What was found for differences so far: many cells differ alike.
#[derive(Debug, Default)]
pub(super) struct Findings(HashMap<Function, Option<Found>>);

impl Findings {
    /// For whom `difference` holds; nothing if for nobody.
    pub(super) fn of(&mut self, facts: &mut Facts, difference: Function) -> Option<&Found> {
        self.0.entry(difference).or_insert_with(|| find(facts, difference)).as_ref()
    }
}

fn find(facts: &mut Facts, difference: Function) -> Option<Found> {
    let plain = facts.for_plain_callers(difference);
    let limited = facts.is_impossible(plain);
    let difference = if limited { difference } else { plain };
    let all = facts.behind(difference);
    let possible = facts.possible(difference);
    let mut rest = facts.functions.and(difference, possible);
    let first = facts.simplest(rest)?;
    let witness = request(&first, &all);
    let mut callers = Vec::new();
    let mut next = Some(first);
    while let Some(held) = next {
        rest = without_names(facts, rest, &held);
        callers.push(caller(facts, [difference, possible], &all, &held));
        next = if callers.len() < MOST_CALLERS { facts.simplest(rest) } else { None };
    }
    Some(Found { callers, complete: rest == Function::NEVER, witness, limited })
}

/// The difference for callers who do not have all the names of `held`.
fn without_names(facts: &mut Facts, difference: Function, held: &[Fact]) -> Function {
    let known = facts.holds(Fact::Authenticated);
    if !held.contains(&Fact::Authenticated) {
        return facts.functions.and(difference, known);
    }
    let is_name = |fact: &&Fact| matches!(fact, Fact::Role(_) | Fact::Permission(_) | Fact::Authenticated);
    let names: Vec<_> = held.iter().filter(is_name).map(|fact| facts.holds(fact.clone())).collect();
    let these = facts.functions.all(names);
    facts.functions.without(difference, these)
}

fn caller(facts: &Facts, [difference, possible]: [Function; 2], all: &[Fact], held: &[Fact]) -> DiffCaller {
    let mut caller = DiffCaller { authenticated: held.contains(&Fact::Authenticated), ..DiffCaller::default() };
    for fact in held {
        match fact {
            Fact::Role(name) => caller.roles.push(name.to_string()),
            Fact::Permission(name) => caller.permissions.push(name.to_string()),
            Fact::Authenticated => {}
            condition => caller.conditions.extend(in_words(condition, true)),
        }
    }
    let others = all.iter().filter(|fact| !held.contains(fact));
    for (fact, words) in others.filter_map(|fact| Some((fact, in_words(fact, false)?))) {
        let holds_with = |function| {
            let holds = |other: &Fact| other == fact || held.contains(other);
            facts.functions.holds(function, |variable| facts.fact(variable).is_some_and(holds))
        };
        if holds_with(possible) && !holds_with(difference) {
            caller.conditions.push(words);
        }
    }
    // The text and the number `1` are two facts, and one in words.
    caller.conditions.dedup();
    caller
}

/// A condition in words; names are none.
fn in_words(fact: &Fact, holds: bool) -> Option<String> {
    let not = if holds { "" } else { "not " };
    Some(match fact {
        Fact::Authenticated | Fact::Role(_) | Fact::Permission(_) => return None,
        // That a token is as it should be goes without saying.
        Fact::Withheld(_) | Fact::Malformed if !holds => return None,
        Fact::Withheld(name) => format!("scopes that limit the roles and leave out {name}"),
        Fact::Malformed => "a malformed source of roles".to_owned(),
        Fact::Claim(claim, value) => {
            let sign = if holds { "=" } else { "is not" };
            let text = match value {
                ClaimText::Text(text) => text.to_string(),
                other => other.to_value().to_string(),
            };
            format!("claim {claim} {sign} {text}")
        }
        Fact::Network(network) => format!("client {not}in {network}"),
        Fact::Since(time) => format!("{} {}", if holds { "from" } else { "before" }, rfc_3339(*time)),
        Fact::Fresh(age) => format!("{not}authenticated at most {} seconds ago", age.as_secs()),
        Fact::Class(class) => format!("acr {not}{class}"),
        Fact::Check(check) => format!("check {check} {}", if holds { "holds" } else { "fails" }),
    })
}

fn rfc_3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}

/// A request of which `held` holds and the rest of `all` does not.
fn request(held: &[Fact], all: &[Fact]) -> Map<String, Value> {
    let mut request = Map::new();
    if held.contains(&Fact::Authenticated) {
        let names = |pick: fn(&Fact) -> Option<String>| held.iter().filter_map(pick).collect::<Value>();
        let (subject, claims) = claims(held, all);
        request.insert("subject".to_owned(), subject.into());
        request.insert("roles".to_owned(), names(role));
        request.insert("permissions".to_owned(), names(permission));
        if !claims.is_empty() {
            request.insert("claims".to_owned(), claims.into());
        }
        let limit = limit(held, all).map(|limit| ("permission_limit".to_owned(), limit));
        request.extend(limit);
        if held.contains(&Fact::Malformed) {
            request.insert("malformed_sources".to_owned(), vec!["roles"].into());
        }
    }
    let client = client(held, all).map(|address| address.to_string().into());
    request.extend(client.map(|client| ("client".to_owned(), client)));
    let time = time(held, all).map(|time| rfc_3339(time).into());
    request.extend(time.map(|time| ("time".to_owned(), time)));
    let checks: Vec<_> = held.iter().filter_map(check).collect();
    if !checks.is_empty() {
        request.insert("checks".to_owned(), checks.into());
    }
    request
}

fn role(fact: &Fact) -> Option<String> {
    if let Fact::Role(name) = fact { Some(name.to_string()) } else { None }
}

fn permission(fact: &Fact) -> Option<String> {
    if let Fact::Permission(name) = fact { Some(name.to_string()) } else { None }
}

/// The scopes of a token that withholds what `held` says, and nothing else of what matters.
fn limit(held: &[Fact], all: &[Fact]) -> Option<Value> {
    let withheld = |fact: &&Fact| matches!(fact, Fact::Withheld(_));
    held.iter().find(withheld)?;
    let named = |fact: &Fact| if let Fact::Withheld(name) = fact { Some(name.to_string()) } else { None };
    Some(all.iter().filter(|fact| !held.contains(fact)).filter_map(named).collect())
}

fn check(fact: &Fact) -> Option<String> {
    if let Fact::Check(name) = fact { Some(name.to_string()) } else { None }
}

/// The subject and the claims of a caller.
fn claims(held: &[Fact], all: &[Fact]) -> (String, Map<String, Value>) {
    let mut values: BTreeMap<&str, Vec<&ClaimText>> = BTreeMap::new();
    for fact in held {
        if let Fact::Claim(claim, value) = fact {
            values.entry(claim).or_default().push(value);
        }
    }
    let mut subject = stranger(all);
    if let Some([ClaimText::Text(text)]) = values.get("sub").map(Vec::as_slice) {
        subject = text.to_string();
        values.remove("sub");
    }
    let mut claims: Map<String, Value> =
        values.into_iter().map(|(claim, values)| (claim.to_owned(), claim_value(claim, &values))).collect();
    let class = held.iter().find_map(|fact| if let Fact::Class(class) = fact { Some(&**class) } else { None });
    claims.extend(class.map(|class| ("acr".to_owned(), class.into())));
    let age = held.iter().filter_map(|fact| if let Fact::Fresh(age) = fact { Some(*age) } else { None }).min();
    if let Some(since) = age.zip(time(held, all)).and_then(|(age, now)| now.checked_sub(age)) {
        let seconds = since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        claims.insert("auth_time".to_owned(), seconds.into());
    }
    (subject, claims)
}

/// An array is no authentication class.
fn claim_value(claim: &str, values: &[&ClaimText]) -> Value {
    match values {
        [value] if claim != "acr" => value.to_value(),
        values => values.iter().map(|value| value.to_value()).collect(),
    }
}

/// A subject that nothing is compared with.
fn stranger(all: &[Fact]) -> String {
    let is_taken = |name: &String| all.contains(&Fact::Claim("sub".into(), ClaimText::Text(name.as_str().into())));
    let others = (1..).map(|number| format!("somebody-{number}"));
    std::iter::once("somebody".to_owned()).chain(others).find(|name| !is_taken(name)).unwrap_or_default()
}

/// An address in the networks that hold and in no other; nothing if it does not matter.
fn client(held: &[Fact], all: &[Fact]) -> Option<IpAddr> {
    let networks = |facts: &[Fact]| -> Vec<IpNet> {
        facts.iter().filter_map(|fact| if let Fact::Network(network) = fact { Some(*network) } else { None }).collect()
    };
    let all = networks(all);
    let smallest = networks(held).into_iter().max_by_key(IpNet::prefix_len);
    let elsewhere = || {
        let is_outside = |address: &IpAddr| !all.iter().any(|network| network.contains(address));
        ELSEWHERE.into_iter().find(|address| !all.is_empty() && is_outside(address))
    };
    smallest.map_or_else(elsewhere, |network| representative(network, &all))
}

/// The time at which the facts hold as they do; nothing if it does not matter.
fn time(held: &[Fact], all: &[Fact]) -> Option<SystemTime> {
    let since = |fact: &Fact| if let Fact::Since(time) = fact { Some(*time) } else { None };
    let latest = held.iter().filter_map(since).max();
    let before = || all.iter().filter_map(since).min().and_then(|first| first.checked_sub(Duration::from_secs(1)));
    let fresh = all.iter().any(|fact| matches!(fact, Fact::Fresh(_)));
    latest.or_else(before).or_else(|| fresh.then(|| SystemTime::UNIX_EPOCH + SOME_TIME))
}
