//! Invariant 4: another role never takes access away, and the order of things decides nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{
    arbitrary,
    gate::{self, ask, gate, http_request},
    naive::{CheckOutcome, Identity, Request},
    property::holds,
};

#[test]
fn another_role_never_takes_access_away() {
    let cases = (arbitrary::sieges(), select(&["viewer", "editor", "admin", "auditor", "owner"][..]));
    holds("invariant 4, another role", 192, &cases, |((mut document, siege), role)| {
        let mut forwarded = 0;
        document.as_object_mut().unwrap().remove("exclusive_roles");
        forget_none_of(&mut document);
        let policy = gate::load(&document);
        for (request, options) in siege {
            let mut request = gate::outside_of_routers(request);
            // A predicate that panics is the one other exception: it may be asked of whoever has come nearer.
            request
                .checks
                .values_mut()
                .filter(|check| **check == CheckOutcome::Panics)
                .for_each(|check| *check = CheckOutcome::False);
            let Some(more) = with_role(&request, role) else { continue };
            let (Some(sent), Some(sent_with_more)) = (http_request(&request), http_request(&more)) else { continue };
            let (layer, _) = gate(&policy, &request, options);
            if ask(&layer, sent).is_forwarded() {
                let answer = ask(&layer, sent_with_more);
                prop_assert!(answer.is_forwarded(), "{role} takes access away: {more:?} {answer:?}");
                forwarded += 1;
            }
        }
        Ok(forwarded)
    });
}

#[test]
fn the_order_of_roles_routes_and_grants_changes_no_answer() {
    holds("invariant 4, another order", 192, &(arbitrary::sieges(), any::<u64>()), |((document, siege), seed)| {
        let mut asked = 0;
        let text = shuffled(&document, seed);
        let policy = gate::load(&document);
        let shuffled = tower_authz::Policy::from_json_str(&text).unwrap();
        for (request, options) in siege {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request) else { continue };
            let [(layer, denials), (other_layer, other_denials)] =
                [&policy, &shuffled].map(|policy| gate(policy, &request, options));
            let (answer, other) = (ask(&layer, sent.clone()), ask(&other_layer, sent));
            prop_assert_eq!(answer, other, "{}\n{:?}", text, request);
            prop_assert_eq!(&*denials.lock().unwrap(), &*other_denials.lock().unwrap());
            asked += 1;
        }
        Ok(asked)
    });
}

fn with_role(request: &Request, role: &str) -> Option<Request> {
    let Identity::Authenticated(principal) = &request.identity else { return None };
    let mut principal = principal.clone();
    principal.roles.push(role.to_owned());
    Some(Request { identity: Identity::Authenticated(principal), ..request.clone() })
}

/// Turns `none_of` into `any_of`, or drops it.
fn forget_none_of(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_none_of),
        Value::Object(members) => {
            if let Some(names) = members.remove("none_of") {
                members.entry("any_of").or_insert(names);
            }
            members.values_mut().for_each(forget_none_of);
        }
        _ => {}
    }
}

/// The document as text, its members and lists in another order, but the order in which classes of authentication
/// are preferred.
fn shuffled(value: &Value, seed: u64) -> String {
    let list = |mut parts: Vec<String>| {
        parts.sort_by_key(|part| {
            let mut hasher = DefaultHasher::new();
            (seed, part).hash(&mut hasher);
            hasher.finish()
        });
        parts.join(", ")
    };
    let member = |(name, value): (&String, &Value)| {
        let text = if name == "acr" { value.to_string() } else { shuffled(value, seed) };
        format!("{}: {text}", json!(name))
    };
    match value {
        Value::Array(values) => format!("[{}]", list(values.iter().map(|value| shuffled(value, seed)).collect())),
        Value::Object(members) => format!("{{{}}}", list(Map::iter(members).map(member).collect())),
        plain => plain.to_string(),
    }
}
