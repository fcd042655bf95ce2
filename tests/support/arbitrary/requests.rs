//! Requests that aim at a key of a policy and disguise their path.

#![allow(clippy::indexing_slicing, reason = "a strategy that indexes wrongly should fail its test")]

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{Index, select, subsequence},
};
use serde_json::{Map, Value, json};

use super::{
    super::naive::{CheckOutcome, Identity, Principal, Request},
    CHECKS, CLAIMS, PATHS, ROLES,
};

/// 2026-09-12T00:00:00Z; the clock of every policy and request is near it.
const NOON: i64 = 1_789_171_200;

/// A request for what `policy` lists, or something like it.
pub(super) fn requests(policy: &Value) -> impl Strategy<Value = Request> + use<> {
    let keys = policy["routes"].as_object().into_iter().flatten().filter_map(|(key, _)| key.split_once(' '));
    let keys: Vec<(String, String)> = keys.map(|(methods, path)| (methods.to_owned(), path.to_owned())).collect();
    let paths = keys.iter().map(|(_, path)| path.clone()).collect();
    let strays = select(&["GET", "HEAD", "POST", "DELETE", "PURGE", "OPTIONS", "ANY", "get"][..]);
    let strays = (strays, select(&PATHS[..])).prop_map(|(method, path)| (method.to_owned(), path.to_owned()));
    let key = prop_oneof![9 => select(keys), 1 => strays];
    let method = option::weighted(0.25, select(&["GET", "HEAD", "POST", "DELETE", "get"][..]));
    let checks = vec(select(&[CheckOutcome::True, CheckOutcome::False, CheckOutcome::Panics][..]), CHECKS.len());
    let client = option::of(select(&["10.1.2.3", "8.8.8.8", "2001:db8::1", "192.0.2.1"][..]));
    (method, targets(key, paths), identities(), client, moments(), checks).prop_map(
        |(method, target, identity, client, now, checks)| Request {
            method: method.map_or(target.method, str::to_owned),
            path: target.path,
            matched_path: target.matched,
            original_path: target.original,
            nested: target.nested,
            identity,
            client: client.and_then(|client| client.parse::<IpAddr>().ok()),
            now,
            checks: CHECKS.iter().map(|name| (*name).to_owned()).zip(checks).collect(),
        },
    )
}

#[derive(Clone, Debug)]
struct Aim {
    method: String,
    path: String,
    matched: Option<String>,
    original: Option<String>,
    nested: Option<String>,
}

fn targets(key: impl Strategy<Value = (String, String)>, others: Vec<String>) -> impl Strategy<Value = Aim> {
    let disguises = prop_oneof![3 => Just(Vec::new()), 4 => vec(disguises(), 1..2), 3 => vec(disguises(), 2..4)];
    let matched = prop_oneof![
        5 => Just(Matched::None),
        4 => Just(Matched::Own),
        1 => Just(Matched::Renamed),
        1 => select(others).prop_map(Matched::Other),
        1 => Just(Matched::Other("/nowhere/{id}".into())),
    ];
    let nest = prop_oneof![6 => Just(Nest::None), 2 => Just(Nest::Whole), 2 => Just(Nest::Literal), 1 => Just(Nest::Parameter), 1 => Just(Nest::Stale), 1 => Just(Nest::StaleInside)];
    (key, vec(fillings(), 3), disguises, matched, nest).prop_map(
        |((methods, key), fillings, disguises, matched, nest)| {
            let path = disguises.iter().fold(fill(&key, &fillings), |path, disguise| disguise.put_on(&path));
            let matched = match matched {
                Matched::None => None,
                Matched::Renamed => Some(key.replace("{x}", "{other}")),
                Matched::Own => Some(key),
                Matched::Other(other) => Some(other),
            };
            let method = methods.split(',').next_back().unwrap_or_default().replace("ANY", "PATCH");
            let (path, original, nested) = strip(path, nest);
            Aim { method, path, matched, original, nested }
        },
    )
}

#[derive(Clone, Debug)]
enum Matched {
    None,
    Own,
    Renamed,
    Other(String),
}

#[derive(Clone, Copy, Debug)]
enum Nest {
    None,
    /// There is an original path, and it is the path.
    Whole,
    /// The first segment was stripped.
    Literal,
    Parameter,
    /// The path was rewritten since the original was noted.
    Stale,
    /// The first segment was stripped, and the rest rewritten since.
    StaleInside,
}

/// What a router that strips the first segment leaves: path, original path and pattern of the prefix.
fn strip(path: String, nest: Nest) -> (String, Option<String>, Option<String>) {
    let after_first = path.char_indices().skip(1).find(|(_, c)| *c == '/').map_or(path.len(), |(at, _)| at);
    let (first, rest) = path.split_at(after_first);
    let rest = if rest.is_empty() { "/" } else { rest };
    let nested = |pattern: &str| (rest.to_owned(), Some(path.clone()), Some(pattern.to_owned()));
    match nest {
        // Nothing can be nested at the root.
        _ if first.len() < 2 => (path, None, None),
        Nest::Literal => nested(first),
        Nest::Parameter => nested("/{tenant}"),
        Nest::None => (path, None, None),
        Nest::Whole => (path.clone(), Some(path), None),
        Nest::StaleInside => (rest.to_owned(), Some(format!("{first}/b")), Some(first.to_owned())),
        Nest::Stale => (path, Some("/a/b".to_owned()), None),
    }
}

/// What stands for a parameter.
fn fillings() -> impl Strategy<Value = &'static str> {
    select(
        &["ada", "7", "a", "b", "ada", "a%2Fb", "ad%61", "ada%7C1", "caf%C3%A9", "100%25", "a..b", "x;v=1", "%37", ""]
            [..],
    )
}

fn fill(key: &str, fillings: &[&str]) -> String {
    let key = key.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut fillings = fillings.iter();
    let mut parts = key.split('{');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, literal) = part.split_once('}').unwrap_or_default();
        path.push_str(fillings.next().unwrap_or(&"a"));
        path.push_str(if name.starts_with('*') { "/b" } else { literal });
    }
    path.replace('\u{1}', "{").replace('\u{2}', "}")
}

/// One way to write a path differently.
#[derive(Clone, Debug)]
enum Disguise {
    /// Puts something in place of a `/`.
    Slash(Index, &'static str),
    /// Puts something in front of a character, or at the end.
    Insert(Index, &'static str),
    /// Puts something at the end of a segment.
    EndSegment(Index, &'static str),
    End(&'static str),
    /// Escapes a character.
    Escape(Index, &'static str),
    Untrail,
}

fn disguises() -> impl Strategy<Value = Disguise> {
    let slash = select(&["%2F", "%2f", "//", "///", "%252F", "%5C", "/;/", "/%2F"][..]);
    let insert = select(
        &[
            "%00",
            "%0A",
            "%7F",
            "%C2%85",
            "%3F",
            "%23",
            "%5C",
            "%25",
            "%zz",
            "%c0%af",
            "%E0%80%AF",
            "\u{e9}",
            "%C3%A9",
            "\\",
            ";",
        ][..],
    );
    let segment =
        select(&[";x", ";v=1", "/%2e%2e", "/..;", "/..", "/%2E", "/.%2e;a", "%3Fq", "%2F..", "/%252e%252e", "%20"][..]);
    let end = select(&["/", "/", "//", "%2F", "%2f", "%3F", "%23x", ";x", "/;x", "%252F", "/b", "%5C"][..]);
    prop_oneof![
        3 => (any::<Index>(), slash).prop_map(|(at, text)| Disguise::Slash(at, text)),
        1 => (any::<Index>(), insert).prop_map(|(at, text)| Disguise::Insert(at, text)),
        1 => (any::<Index>(), segment).prop_map(|(at, text)| Disguise::EndSegment(at, text)),
        3 => end.prop_map(Disguise::End),
        3 => (any::<Index>(), select(&["%", "%25", "%2525"][..])).prop_map(|(at, escape)| Disguise::Escape(at, escape)),
        1 => Just(Disguise::Untrail),
    ]
}

impl Disguise {
    fn put_on(&self, path: &str) -> String {
        let splice = |at: usize, length: usize, text: &str| format!("{}{text}{}", &path[..at], &path[at + length..]);
        let slashes = || path.match_indices('/').map(|(at, _)| at);
        let ends: Vec<usize> = slashes().skip(1).chain([path.len()]).collect();
        match self {
            Self::Slash(index, text) => {
                let slashes: Vec<usize> = slashes().collect();
                let at = slashes[index.index(slashes.len())];
                // Most disguises of the first slash are refused whatever follows.
                if at == 0 && !text.starts_with('/') { path.to_owned() } else { splice(at, 1, text) }
            }
            Self::Insert(index, text) => {
                let places: Vec<usize> = path.char_indices().map(|(at, _)| at).skip(1).chain([path.len()]).collect();
                splice(places[index.index(places.len())], 0, text)
            }
            Self::EndSegment(index, text) => splice(ends[index.index(ends.len())], 0, text),
            Self::End(text) => format!("{path}{text}"),
            Self::Escape(index, escape) => {
                let letters: Vec<(usize, u8)> =
                    path.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric()).collect();
                if letters.is_empty() {
                    return path.to_owned();
                }
                let (at, byte) = letters[index.index(letters.len())];
                splice(at, 1, &format!("{escape}{byte:02x}"))
            }
            Self::Untrail => path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path).to_owned(),
        }
    }
}

fn identities() -> impl Strategy<Value = Identity> {
    prop_oneof![
        4 => Just(Identity::Anonymous),
        20 => principals().prop_map(Identity::Authenticated),
        1 => Just(Identity::Rejected),
        1 => Just(Identity::Ambiguous),
        1 => Just(Identity::Unavailable),
    ]
}

fn principals() -> impl Strategy<Value = Principal> {
    let strange = select(&["*", "", "Admin", "doc:read", "viewer"][..]);
    let roles = (subsequence(&ROLES[..], 0..4), strange).prop_map(|(roles, strange)| [&roles[..], &[strange]].concat());
    let permissions = subsequence(&["doc:read", "doc:write", "user:delete", "admin", "doc"][..], 0..3);
    let limit = subsequence(&["doc:read", "user:delete", "viewer", "nothing"][..], 0..3);
    (
        select(&["ada", "ada", "7", "b", "", "a/b", "x;v=1"][..]),
        roles,
        prop_oneof![2 => Just(Vec::new()), 1 => permissions],
        option::weighted(0.2, limit),
        claims(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(subject, roles, permissions, limit, claims, malformed)| Principal {
            subject: subject.to_owned(),
            roles: owned(&roles),
            permissions: owned(&permissions),
            permission_limit: limit.map(|limit| owned(&limit)),
            claims,
            malformed,
        })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        Just(json!("pro")),
        Just(json!("ada")),
        Just(json!("1")),
        Just(json!(1)),
        Just(json!(1.0)),
        Just(json!(7)),
        Just(json!(true)),
        Just(json!("")),
        Just(Value::Null),
        Just(json!([])),
        Just(json!(["pro", 7, null])),
        Just(json!(["ada", ["pro"]])),
        Just(json!({ "pro": true })),
    ];
    let acr = prop_oneof![Just(json!("mfa")), Just(json!("key")), Just(json!("pwd")), Just(json!(["mfa"]))];
    let at = prop_oneof![
        4 => moments().prop_map(|moment| json!(moment.as_second())),
        1 => moments().prop_map(|moment| json!(moment.as_second().to_string())),
    ];
    let plain: BoxedStrategy<BTreeMap<&str, Value>> = btree_map(select(&CLAIMS[..]), value, 0..3).boxed();
    (plain, option::of(acr), option::of(at)).prop_map(|(plain, acr, at)| {
        let more = [("acr", acr), ("auth_time", at)].into_iter().filter_map(|(name, value)| Some((name, value?)));
        plain.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

/// The times that policies and requests speak of: the edges of what is compared with them.
pub(super) fn moments() -> impl Strategy<Value = Timestamp> {
    select(&[-301, -300, -60, 0, 1, 60, 61, 3600][..]).prop_map(|offset| Timestamp::constant(NOON + offset, 0))
}
