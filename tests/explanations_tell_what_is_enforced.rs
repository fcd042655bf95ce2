//! What is explained is what is enforced: on policies and requests that nobody chose.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::time::SystemTime;

use http::Method;
use proptest::prelude::*;
use serde_json::json;
use tower_authz::{
    Policy, Principal, Reason,
    analysis::{Coverage, ExplainedGrant, Explanation, Probe, evaluate, explain},
};

#[path = "support/arbitrary.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod arbitrary;
#[path = "support/naive.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod naive;

const ROLES: [&str; 5] = ["viewer", "editor", "admin", "auditor", "owner"];

fn probe(request: &naive::Request, roles: u8) -> Probe {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut probe = Probe::new(method, request.path.clone()).at(SystemTime::from(request.now));
    if let Some(pattern) = &request.matched_path {
        probe = probe.matched_path(pattern);
    }
    if let Some(client) = request.client {
        probe = probe.client(client);
    }
    if roles == 0 {
        return probe;
    }
    let held = ROLES.iter().enumerate().filter(|(bit, _)| roles >> bit & 1 == 1).map(|(_, role)| role);
    probe.identity(Principal::new("ada").roles(held).claim("team", json!(["red"])))
}

/// A rule is satisfied where a grant is held, and a grant where all its parts are.
fn consistent(explanation: &Explanation) -> Result<(), TestCaseError> {
    let verdict = &explanation.verdict;
    prop_assert_eq!(explanation.rejected.is_some(), verdict.reason() == Some(Reason::PathRejected));
    let all_satisfied = explanation.selected.iter().all(|selected| selected.satisfied);
    prop_assert_eq!(verdict.is_allowed(), explanation.rejected.is_none() && all_satisfied);
    for selected in &explanation.selected {
        prop_assert_eq!(selected.satisfied, selected.reason.is_none());
        prop_assert_eq!(selected.satisfied, selected.nearest.is_empty());
        let Some(rule) = &selected.rule else { continue };
        let is_held = |grant: &ExplainedGrant| grant.parts.iter().all(|part| part.held);
        prop_assert!(rule.grants.iter().chain(&rule.shadow).all(|grant| grant.held == is_held(grant)));
        prop_assert_eq!(selected.satisfied, rule.grants.iter().any(|grant| grant.held), "{:?}", selected);
    }
    if let Some(denial) = verdict.denial().filter(|_| explanation.rejected.is_none()) {
        let reason = denial.reason().as_str();
        let told = |selected: &tower_authz::analysis::Selected| {
            selected.reason == Some(reason) && selected.status == Some(denial.status().as_u16())
        };
        prop_assert!(explanation.selected.iter().any(told), "{} is told nowhere", reason);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_explanation_says_what_the_decision_is((document, siege) in arbitrary::sieges(), roles in any::<u8>()) {
        let policy = Policy::from_json_str(&document.to_string()).unwrap();
        let mut coverage = Coverage::new(&policy);
        for (request, _) in &siege {
            let probe = probe(request, roles & 31);
            let explanation = explain(&policy, &probe);
            let verdict = evaluate(&policy, &probe);
            prop_assert_eq!(explanation.verdict.reason(), verdict.reason());
            prop_assert_eq!(explanation.verdict.status(), verdict.status());
            prop_assert_eq!(explanation.verdict.readings(), verdict.readings());
            consistent(&explanation)?;
            coverage.record(&explanation);
        }
        prop_assert!(coverage.reached() <= coverage.all());
    }
}

#[test]
fn targets_are_read_as_a_server_reads_them() {
    let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "ANY /a": "public" } }"#).unwrap();
    for (target, status) in [
        ("/a", None),
        ("/a?b=/../c", None),
        ("/a#b", None),
        ("http://host.example/a?b", None),
        ("/a%20b", Some(404)),
        ("/a b", Some(404)),
        ("*", Some(400)),
        ("", Some(400)),
        ("a", Some(400)),
        ("host.example:443", Some(400)),
        ("/a\0", Some(400)),
        ("/a/../a", Some(400)),
        ("?a", Some(400)),
    ] {
        let verdict = evaluate(&policy, &Probe::new(Method::GET, target));
        assert_eq!(verdict.status().map(|status| status.as_u16()), status, "{target:?}");
    }
}

#[test]
fn why_a_path_is_rejected_is_explained_in_the_words_of_the_denial() {
    let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "ANY /{*rest}": "public" } }"#).unwrap();
    for (path, why) in [
        ("a", "the path does not begin with a slash"),
        ("/a/%2E%2e/b", "the path has a dot segment"),
        ("/a%5Cb", "the path has a backslash"),
        ("/a%0Ab", "the path has a control character"),
        ("/a%C0%AFb", "the path has overlong UTF-8"),
        ("/%2525252525252F;a//%2525252525252F;a//%2525252525252F;a//%2541", "the path can be read in too many ways"),
    ] {
        let explanation = explain(&policy, &Probe::new(Method::GET, path));
        let told = (explanation.rejected.as_deref(), explanation.detail.as_deref());
        assert_eq!(told, (Some(why), Some(why)), "{path}");
    }
}

#[test]
fn what_is_missing_is_told_and_nothing_that_is_held() {
    let (all, any) = (json!({ "all_of": ["a", "b"] }), json!({ "any_of": ["c", "d"] }));
    let both = json!({ "all_of": ["a", "b"], "any_of": ["c", "d"] });
    for (grant, held, missing) in [
        (&all, &[][..], &["a", "b"][..]),
        (&all, &["a"], &["b"]),
        (&all, &["b", "c"], &["a"]),
        (&any, &[], &["c", "d"]),
        (&any, &["a"], &["c", "d"]),
        (&both, &[], &["a", "b", "c", "d"]),
        (&both, &["a"], &["b", "c", "d"]),
        (&both, &["c"], &["a", "b"]),
        (&both, &["b", "d"], &["a"]),
        (&both, &["a", "b"], &["c", "d"]),
    ] {
        let roles = json!({ "a": {}, "b": {}, "c": {}, "d": {} });
        let document = json!({ "version": 1, "roles": roles, "routes": { "GET /": grant } });
        let policy = Policy::from_json_str(&document.to_string()).unwrap();
        let probe = Probe::new(Method::GET, "/").identity(Principal::new("ada").roles(held.iter().copied()));
        let verdict = evaluate(&policy, &probe);
        assert_eq!(verdict.denial().unwrap().missing().collect::<Vec<_>>(), missing, "{grant} with {held:?}");
    }
}

/// The challenge asks for one of them, whatever their order (`tests/middleware/conditions_are_judged_on_the_wire.rs`).
#[test]
fn of_several_ways_to_step_up_the_one_is_told_that_the_caller_is_asked_for() {
    let fresher = json!({ "all_of": ["viewer"], "step_up": { "max_age_seconds": 300 } });
    let stronger = json!({ "all_of": ["viewer"], "step_up": { "acr": ["mfa"] } });
    let alone = |grants: serde_json::Value| {
        let document = json!({ "version": 1, "roles": { "viewer": {} }, "routes": { "GET /": { "allow": grants } } });
        let policy = Policy::from_json_str(&document.to_string()).unwrap();
        let probe = Probe::new(Method::GET, "/").identity(Principal::new("ada").roles(["viewer"]));
        explain(&policy, &probe).selected[0].nearest.clone()
    };
    let asked = alone(json!([fresher]));
    assert_ne!(asked, alone(json!([stronger])));
    for grants in [json!([fresher, stronger]), json!([stronger, fresher])] {
        assert_eq!(alone(grants.clone()), asked, "{grants}");
    }
}
