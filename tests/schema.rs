//! The JSON Schema of policies, held against an independent validator and against what loads.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::fs;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_authz::Policy;

#[path = "support/arbitrary.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod arbitrary;
#[path = "support/naive.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod naive;

const SCHEMA: &str = include_str!("../schema/policy.schema.json");

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn the_examples_are_valid() {
    let validator = validator();
    for file in ["examples/policy.json", "tests/cli/files/policy.json"] {
        let document: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let problems: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{file}: {problems:?}");
        assert!(Policy::from_file(file).is_ok(), "{file}");
    }
}

/// A document around one rule for `GET /users/{id}`.
fn rule(rule: &Value) -> Value {
    json!({ "version": 1, "roles": { "admin": {}, "viewer": {} }, "routes": { "GET /users/{id}": rule } })
}

#[test]
fn what_the_grammar_has_is_valid_and_loads() {
    let validator = validator();
    for value in [
        json!("public"),
        json!({ "public": "a reason" }),
        json!("nobody"),
        json!(["admin", "authenticated"]),
        json!({ "all_of": ["admin"], "any_of": ["viewer"], "none_of": ["viewer"] }),
        json!({ "claims": { "sub": "{id}", "plan": ["pro", 1, true] } }),
        json!({ "networks": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"] }),
        json!({ "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00+01:00" }),
        json!({ "step_up": { "acr": ["mfa"], "max_age_seconds": 300 } }),
        json!({ "check": "open" }),
        json!({ "allow": "admin", "message": "No.", "deny_as": "not_found", "shadow": ["viewer"], "name": "users",
            "encoded_slash": true, "silence": { "public-write": "signed" } }),
    ] {
        let document = rule(&value);
        assert!(validator.is_valid(&document), "{value}");
        assert!(Policy::from_json_str(&document.to_string()).is_ok(), "{value}");
    }
}

#[test]
fn what_the_grammar_does_not_have_is_neither_valid_nor_loaded() {
    let validator = validator();
    let rules = [
        json!([]),
        json!({}),
        json!(1),
        json!(null),
        json!({ "any": ["admin"] }),
        json!({ "all_of": [] }),
        json!({ "all_of": "admin" }),
        json!({ "all_of": ["public"] }),
        json!({ "public": "" }),
        json!({ "public": "why", "all_of": ["admin"] }),
        json!({ "claims": {} }),
        json!({ "claims": { "a": null } }),
        json!({ "networks": ["here"] }),
        json!({ "step_up": {} }),
        json!({ "step_up": { "max_age_seconds": -1 } }),
        json!({ "allow": "admin", "deny_as": "gone" }),
        json!({ "allow": "admin", "silence": { "public-write": "" } }),
        json!({ "message": "No." }),
        json!({ "allow": "admin", "encoded_slash": "yes" }),
    ];
    let documents = [
        json!({}),
        json!({ "version": 2, "routes": { "GET /": "public" } }),
        json!({ "version": 1, "routes": {} }),
        json!({ "version": 1, "routes": { "get /": "public" } }),
        json!({ "version": 1, "routes": { "/": "public" } }),
        json!({ "version": 1, "routes": { "GET": "public" } }),
        json!({ "version": 1, "routes": { "GET /": "public" }, "unlisted": "no" }),
        json!({ "version": 1, "routes": { "GET /": "public" }, "extra": 1 }),
        json!({ "version": 1, "roles": { "a b": {} }, "routes": { "GET /": "public" } }),
        json!({ "version": 1, "roles": { "public": {} }, "routes": { "GET /": "public" } }),
        json!({ "version": 1, "roles": { "a": { "gives": [] } }, "routes": { "GET /": "public" } }),
    ];
    for document in rules.iter().map(rule).chain(documents) {
        assert!(!validator.is_valid(&document), "{document}");
        assert!(Policy::from_json_str(&document.to_string()).is_err(), "{document}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_policy_loads_is_valid((document, _) in arbitrary::sieges()) {
        prop_assert!(Policy::from_json_str(&document.to_string()).is_ok());
        let problems: Vec<_> = validator().iter_errors(&document).map(|error| error.to_string()).collect();
        prop_assert!(problems.is_empty(), "{:?}\n{}", problems, document);
    }
}
