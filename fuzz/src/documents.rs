//! Any bytes as a document: they load or are refused, in time and memory that are in proportion, and what loads decides as the
//! naive interpreter does.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};
use tower_authz::{CredentialError, CredentialErrorKind, Identity, Policy, Principal};

use crate::memory;

#[path = "../../tests/support/convert.rs"]
mod convert;
#[path = "../../tests/properties/gate.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod gate;
#[path = "../../tests/support/naive.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod naive;

/// Bytes that any document may take while it loads, and more for each byte of it.
const MOST: isize = 1 << 20;
const MOST_EACH: isize = 4096;

/// However long a document is that is fuzzed, it is loaded by then.
const LONGEST: Duration = Duration::from_secs(5);

const SUBJECTS: [&str; 3] = ["ada", "7", "b"];
const CLIENTS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))];
const VALUES: [&str; 6] = ["ada", "7", "b", "x;y", "%61da", "a%2Fb"];

/// What came of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// It is no policy.
    Refused,
    /// It is one, and says what no other reader of its format makes JSON of.
    Alone,
    /// It is one, and decides as the naive interpreter does on so many requests.
    Agrees(usize),
}

/// Loads the document that `bytes` are: the first says its format.
///
/// # Errors
///
/// It takes too long or too much, or decides otherwise than the naive interpreter.
pub fn policy_document(bytes: &[u8]) -> Result<Loaded, String> {
    let Some((format, text)) = bytes.split_first() else { return Ok(Loaded::Refused) };
    let text = String::from_utf8_lossy(text);
    let before = memory::live();
    memory::forget_peak();
    let begun = Instant::now();
    let loaded = match format % 3 {
        0 => Policy::from_json_str(&text),
        1 => Policy::from_toml_str(&text),
        _ => Policy::from_yaml_str(&text),
    };
    let (took, memory) = (begun.elapsed(), memory::peak() - before);
    if took > LONGEST || memory > MOST + MOST_EACH * text.len() as isize {
        return Err(format!("{} bytes took {took:?} and {memory} bytes of memory", text.len()));
    }
    let policy = match loaded {
        Ok(policy) => policy,
        Err(error) if error.diagnostics().is_empty() => return Err("refused without a word".to_owned()),
        Err(_) => return Ok(Loaded::Refused),
    };
    let document = match format % 3 {
        0 => serde_json::from_str(&text).ok(),
        1 => toml::from_str(&text).ok().and_then(from_toml),
        _ => Yaml::load_from_str(&text).ok().and_then(|documents| from_yaml(documents.first()?)),
    };
    let Some(document) = document else { return Ok(Loaded::Alone) };
    is_the_same(&policy, &document)?;
    compare(&policy, &document, bytes).map(Loaded::Agrees)
}

/// Whether the same document loads in JSON, as the same policy.
fn is_the_same(policy: &Policy, document: &Value) -> Result<(), String> {
    let again = Policy::from_json_str(&document.to_string()).map_err(|error| format!("only in its format: {error}"))?;
    if again.revision() == policy.revision() { Ok(()) } else { Err(format!("another policy than {document}")) }
}

/// What the serde half of the TOML reader makes of a document, where no time is in it that JSON would spell otherwise.
fn from_toml(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => Number::from_f64(number)?.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(_) => return None,
        toml::Value::Array(elements) => elements.into_iter().map(from_toml).collect::<Option<_>>()?,
        toml::Value::Table(members) => {
            let member = |(key, value)| Some((key, from_toml(value)?));
            Value::Object(members.into_iter().map(member).collect::<Option<_>>()?)
        }
    })
}

/// What saphyr's own tree says, where every key is a string.
fn from_yaml(node: &Yaml<'_>) -> Option<Value> {
    Some(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => Number::from_f64(number.into_inner())?.into(),
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Sequence(elements) => elements.iter().map(from_yaml).collect::<Option<_>>()?,
        Yaml::Mapping(members) => {
            let member = |(key, value): (&Yaml<'_>, &Yaml<'_>)| Some((key.as_str()?.to_owned(), from_yaml(value)?));
            Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Asks both about requests that aim at the keys of the document; about how many.
fn compare(policy: &Policy, document: &Value, bytes: &[u8]) -> Result<usize, String> {
    let mut state = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let mut asked = 0;
    for _ in 0..16 {
        let Some(request) = request(document, &mut below) else { break };
        let options = naive::Options::default();
        let Some(sent) = gate::http_request(&request) else { continue };
        let (layer, denials) = gate::gate(policy, &request, options);
        let answer = gate::ask(&layer, sent);
        let expected = naive::decide(document, &request, options);
        let reason = denials.lock().map_err(|error| error.to_string())?.first().map(|(reason, _)| *reason);
        if (answer.status.as_u16(), reason) != (expected.status, expected.reason) {
            return Err(format!("{request:?}\nis answered {} {reason:?}, not {expected:?}\n{document}", answer.status));
        }
        asked += 1;
    }
    Ok(asked)
}

/// A request for one of the keys, by somebody who has some of what the document asks for.
fn request(document: &Value, below: &mut impl FnMut(usize) -> usize) -> Option<naive::Request> {
    let keys: Vec<&str> = document["routes"].as_object()?.keys().map(|key| &**key).collect();
    let (verbs, pattern) = keys.get(below(keys.len()))?.split_once(' ')?;
    let method = *[verbs.split(',').next().unwrap_or("GET"), "GET", "HEAD", "POST"].get(below(4)).unwrap_or(&"GET");
    let mut path = String::new();
    for segment in pattern.split('/').skip(1) {
        let value = if segment.contains('{') { VALUES[below(VALUES.len())] } else { segment };
        path += &format!("/{value}");
    }
    path += ["", "", "", "/", ";x", "%2F", "//"][below(7)];
    let mut checks = BTreeMap::new();
    for name in named(document, "check").into_iter().filter_map(Value::as_str) {
        checks.insert(name.to_owned(), [naive::CheckOutcome::True, naive::CheckOutcome::False][below(2)]);
    }
    Some(naive::Request {
        method: if method == "ANY" { "PURGE".to_owned() } else { method.to_owned() },
        path,
        matched_path: None,
        original_path: None,
        nested: None,
        identity: identity(document, below),
        client: Some(CLIENTS[below(CLIENTS.len())]),
        now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * below(80) as i64),
        checks,
    })
}

fn identity(document: &Value, below: &mut impl FnMut(usize) -> usize) -> naive::Identity {
    if below(4) == 0 {
        return naive::Identity::Anonymous;
    }
    let roles: Vec<&String> = document["roles"].as_object().into_iter().flat_map(Map::keys).collect();
    let held: Vec<_> = (0..below(3)).filter_map(|_| roles.get(below(roles.len()))).collect();
    let claims = named(document, "claims").into_iter().filter_map(Value::as_object).flatten();
    let claims = claims.filter(|_| below(2) == 0).map(|(claim, value)| (claim.clone(), value.clone())).collect();
    naive::Identity::Authenticated(naive::Principal {
        subject: SUBJECTS[below(SUBJECTS.len())].to_owned(),
        roles: held.into_iter().map(|role| (*role).clone()).collect(),
        claims,
        ..naive::Principal::default()
    })
}

/// What stands under `name`, wherever in the document.
fn named<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(|value| named(value, name)).collect(),
        Value::Object(members) => {
            let below = members.values().flat_map(|value| named(value, name));
            members.get(name).into_iter().chain(below).collect()
        }
        _ => Vec::new(),
    }
}
