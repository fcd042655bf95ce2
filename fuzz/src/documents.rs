//! Any bytes as a document: they load or are refused, in time and memory that are in proportion, and what loads decides as the
//! naive interpreter does.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use serde_json::Value;
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
const VALUES: [&str; 6] = ["ada", "7", "b", "x;y", "%61da", "a%2Fb"];

/// Loads the document that `bytes` are: the first says its format. Whether it is a policy.
///
/// # Errors
///
/// It takes too long or too much, or decides otherwise than the naive interpreter.
pub fn policy_document(bytes: &[u8]) -> Result<bool, String> {
    let Some((format, text)) = bytes.split_first() else { return Ok(false) };
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
        Err(_) => return Ok(false),
    };
    if format % 3 == 0
        && let Ok(document) = serde_json::from_str::<Value>(&text)
    {
        compare(&policy, &document, bytes)?;
    }
    Ok(true)
}

/// Asks both about requests that aim at the keys of the document.
fn compare(policy: &Policy, document: &Value, bytes: &[u8]) -> Result<(), String> {
    let mut state = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let keys: Vec<&str> = document["routes"].as_object().into_iter().flatten().map(|(key, _)| &**key).collect();
    let roles: Vec<&str> = document["roles"].as_object().into_iter().flatten().map(|(role, _)| &**role).collect();
    let checks: BTreeMap<String, naive::CheckOutcome> = checks(document);
    for _ in 0..16 {
        let Some((verbs, pattern)) = keys.get(below(keys.len())).and_then(|key| key.split_once(' ')) else { break };
        let method = *[verbs.split(',').next().unwrap_or("GET"), "GET", "HEAD", "POST"].get(below(4)).unwrap_or(&"GET");
        let mut path = String::new();
        for segment in pattern.split('/').skip(1) {
            let value = if segment.contains('{') { VALUES[below(VALUES.len())] } else { segment };
            path += &format!("/{value}");
        }
        path += ["", "", "", "/", ";x", "%2F", "//"][below(7)];
        let held: Vec<_> = (0..below(3)).filter_map(|_| roles.get(below(roles.len()))).collect();
        let principal = naive::Principal {
            subject: SUBJECTS[below(SUBJECTS.len())].to_owned(),
            roles: held.into_iter().map(|role| (*role).to_owned()).collect(),
            ..naive::Principal::default()
        };
        let identity =
            if below(4) == 0 { naive::Identity::Anonymous } else { naive::Identity::Authenticated(principal) };
        let request = naive::Request {
            method: if method == "ANY" { "PURGE".to_owned() } else { method.to_owned() },
            path,
            matched_path: None,
            original_path: None,
            nested: None,
            identity,
            client: Some(IpAddr::from([10, 0, 0, 1])),
            now: jiff::Timestamp::UNIX_EPOCH,
            checks: checks.clone(),
        };
        let options = naive::Options::default();
        let Some(sent) = gate::http_request(&request) else { continue };
        let (layer, denials) = gate::gate(policy, &request, options);
        let answer = gate::ask(&layer, sent);
        let expected = naive::decide(document, &request, options);
        let reason = denials.lock().map_err(|error| error.to_string())?.first().map(|(reason, _)| *reason);
        if (answer.status.as_u16(), reason) != (expected.status, expected.reason) {
            return Err(format!("{request:?}\nis answered {} {reason:?}, not {expected:?}\n{document}", answer.status));
        }
    }
    Ok(())
}

/// Every predicate that the document names; they hold for nobody.
fn checks(value: &Value) -> BTreeMap<String, naive::CheckOutcome> {
    match value {
        Value::Array(values) => values.iter().flat_map(checks).collect(),
        Value::Object(members) => {
            let named = members.get("check").and_then(Value::as_str);
            let own = named.map(|name| (name.to_owned(), naive::CheckOutcome::False));
            own.into_iter().chain(members.values().flat_map(checks)).collect()
        }
        _ => BTreeMap::new(),
    }
}
