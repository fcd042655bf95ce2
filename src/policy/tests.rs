//! Invariant 1 of the design: the crate decides as the naive interpreter of the page does.

use std::{collections::BTreeMap, panic::resume_unwind, time::SystemTime};

use http::Method;
use jiff::Timestamp;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;

use super::{Checks, Circumstances, ClientAddress, Compiled, Decision, Policy, decide, select};
use crate::{
    decision::{Denial, Mask},
    identity::{CredentialError, CredentialErrorKind, Identity},
    path::Tolerance,
    principal::Principal,
    target::Target,
};

#[path = "../../tests/support/arbitrary.rs"]
mod arbitrary;
#[path = "../../tests/support/convert.rs"]
mod convert;
#[path = "../../tests/support/naive.rs"]
mod naive;

use self::{
    convert::identity,
    naive::{CheckOutcome, Options, Request, Verdict},
};

/// Policies, each with a dozen requests; `PROPTEST_CASES` asks for more.
const CASES: u32 = 512;

#[test]
fn the_naive_interpreter_of_the_page_agrees_on_every_decision() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(CASES);
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let requests = std::cell::Cell::new(0);
    let outcome = runner.run(&arbitrary::sieges(), |(document, siege)| {
        let policy =
            Policy::from_json_str(&document.to_string()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        requests.set(requests.get() + siege.len());
        for (request, options) in siege {
            let expected = naive::decide(&document, &request, options);
            let agreed = expected.agrees_with(&decided(policy.compiled(), &request, options));
            agreed.map_err(|difference| TestCaseError::fail(format!("{difference}\n{request:?}")))?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    eprintln!("{cases} policies, {} requests", requests.get());
}

/// `/a//` selects `/a/{x}/` where parameters may be empty, and `/{x}/{*rest}` where they may not.
#[test]
fn an_encoded_slash_is_forgiven_only_if_every_key_that_the_reading_selects_says_so() {
    for (key, other, status) in [(true, true, 200), (true, false, 404), (false, true, 404)] {
        let document = json!({ "version": 1, "routes": {
            "GET /a/{x}/": { "allow": "authenticated", "encoded_slash": key },
            "GET /{x}/{*rest}": { "allow": "authenticated", "encoded_slash": other }
        } });
        let request = Request {
            method: "GET".into(),
            path: "/a%2F%2F".into(),
            matched_path: None,
            original_path: None,
            nested: None,
            identity: naive::Identity::Authenticated(naive::Principal::default()),
            client: None,
            now: Timestamp::UNIX_EPOCH,
            checks: BTreeMap::new(),
        };
        let policy = Policy::from_json_str(&document.to_string()).unwrap();
        let verdict = decided(policy.compiled(), &request, Options::default());
        naive::decide(&document, &request, Options::default()).agrees_with(&verdict).unwrap();
        assert_eq!(verdict.status, status, "{key} {other}");
    }
}

fn decided(policy: &Compiled, request: &Request, options: Options) -> Verdict {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let target = Target {
        method: &method,
        path: &request.path,
        matched: request.matched_path.as_deref(),
        original: request.original_path.as_deref(),
        nested: request.nested.as_deref(),
    };
    let tolerance = Tolerance {
        encoded_backslash: options.allow_encoded_backslash,
        control_characters: options.allow_control_characters,
    };
    let circumstances = Circumstances {
        method: &method,
        client: request.client.map_or(ClientAddress::Missing, |client| ClientAddress::Known(client.to_canonical())),
        now: Some(SystemTime::from(request.now)),
        checks: &checks(request),
    };
    let decision = select(policy, &target, tolerance)
        .map(|selections| decide(policy, &selections, &identity(&request.identity), &circumstances));
    match decision {
        Ok(Decision::Allow(_)) => {
            Verdict { allowed: true, status: 200, reason: None, masked: false, allow: None, ties: Vec::new() }
        }
        Ok(Decision::Deny(denial)) => verdict(&denial),
        Err(rejected) => verdict(&rejected.into()),
    }
}

fn verdict(denial: &Denial) -> Verdict {
    let methods = |allow: &str| allow.split(", ").filter(|method| !method.is_empty()).map(Into::into).collect();
    Verdict {
        allowed: false,
        status: denial.status().as_u16(),
        reason: Some(denial.reason().as_str()),
        masked: denial.mask() != Mask::None,
        allow: denial.allow().map(methods),
        ties: Vec::new(),
    }
}

/// A predicate that panics does so without a message, which would be printed.
fn checks(request: &Request) -> Checks {
    let mut checks = Checks::default();
    for (name, outcome) in request.checks.clone() {
        checks.register(name, move |_| match outcome {
            CheckOutcome::True => true,
            CheckOutcome::False => false,
            CheckOutcome::Panics => resume_unwind(Box::new(())),
        });
    }
    checks
}
