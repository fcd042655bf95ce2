//! Invariant 1 of the design: the crate decides as the naive interpreter of the page does.

use std::{collections::BTreeMap, panic::resume_unwind, time::SystemTime};

use http::Method;
use jiff::Timestamp;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

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
        assert_eq!(status_of(&document, &get("/a%2F%2F")), status, "{key} {other}");
    }
}

/// `/files?/a%2Fb` is listed and forgives, `/files?/a/b` is not, and `/files` is what is left of it.
#[test]
fn an_encoded_slash_is_forgiven_whatever_the_keys_of_other_readings_say() {
    for (key, other, status) in [(true, false, 200), (true, true, 200), (false, true, 404), (false, false, 404)] {
        let document = json!({ "version": 1, "routes": {
            "GET /{directory}/{file}": { "allow": "authenticated", "encoded_slash": key },
            "GET /files": { "allow": "authenticated", "encoded_slash": other }
        } });
        assert_eq!(status_of(&document, &get("/files%3F/a%2Fb")), status, "{key} {other}");
    }
}

/// Rules by the answer to a caller without roles, the most severe first; `/a;x` selects two keys.
#[test]
fn the_most_severe_answer_of_two_readings_wins() {
    let rules = [
        ("GET", 404, json!({ "allow": "nobody", "deny_as": "not_found" })),
        ("PUT", 405, json!("authenticated")),
        ("GET", 500, json!({ "check": "panics" })),
        ("GET", 403, json!("nobody")),
        ("GET", 403, json!({ "claims": { "plan": "pro" } })),
        ("GET", 401, json!({ "step_up": { "acr": ["mfa"] } })),
        ("GET", 200, json!("authenticated")),
    ];
    for (at, (method, status, rule)) in rules.iter().enumerate() {
        for (milder_method, milder_status, milder) in &rules[at..] {
            for (first, second) in [("{any}", "a"), ("a", "{any}")] {
                let (key, other) = (format!("{method} /{first}"), format!("{milder_method} /{second}"));
                let document = json!({ "version": 1, "routes": { &key: rule, &other: milder } });
                let mut request = get("/a;x");
                request.checks.insert("panics".into(), CheckOutcome::Panics);
                assert_eq!(status_of(&document, &request), *status, "{key} and {other} {milder_status}");
            }
        }
    }
}

/// Between two slashes, or behind the text of `/img{n}`, some routers find a parameter and some do not.
#[test]
fn a_key_that_a_router_may_match_by_an_empty_parameter_does_not_hide_another() {
    for (key, path, status) in [("/{x}/", "//", 403), ("/img{n}/x", "/img/x", 403), ("/img{n}/x", "/img7/x", 200)] {
        let key = format!("GET {key}");
        let document = json!({ "version": 1, "routes": { &key: "authenticated", "GET /{*rest}": "nobody" } });
        assert_eq!(status_of(&document, &get(path)), status, "{key} {path}");
    }
}

/// axum's `nest_service("/{tenant}", …)` serves `//`, too.
#[test]
fn a_nest_behind_an_empty_parameter_is_listed() {
    for (key, path) in [("GET /{tenant}", "//"), ("GET /v{tenant}", "/v/"), ("GET /a/{tenant}", "/a//")] {
        assert_eq!(status_of(&json!({ "version": 1, "routes": { key: "nobody" } }), &get(path)), 403, "{key} {path}");
    }
}

/// Of `/a//` and three segments nests make `/a///`, whose own nest would be listed; that excuses no other reading.
#[test]
fn what_nests_alone_make_of_a_path_does_not_list_it() {
    let document = json!({ "version": 1, "routes": { "GET /a/{x}/{y}": "public", "GET /c": "public" } });
    for (path, original) in [("/a//", None), ("/c", Some("/a//"))] {
        let request = Request { original_path: original.map(str::to_owned), ..get(path) };
        assert_eq!(status_of(&document, &request), 404, "{path} {original:?}");
    }
}

/// `/a//b` is what nests make of `/a//b/c`, but no other spelling of it: a rewrite may have made it for another service.
#[test]
fn a_rewrite_within_a_nest_is_none_that_nests_could_have_made() {
    let routes = json!({ "ANY /b": "nobody", "ANY /a/{*rest}": "public", "GET /x/y/z": "public" });
    let document = json!({ "version": 1, "routes": routes });
    for (path, original, status) in [("/b", "/a/b/c", 403), ("//b", "/a//b/c", 403), ("//b", "/a//b", 200)] {
        let request = Request { original_path: Some(original.to_owned()), nested: Some("/a".to_owned()), ..get(path) };
        assert_eq!(status_of(&document, &request), status, "{path} {original}");
    }
}

#[test]
fn nobody_with_conflicting_roles_is_let_in_where_nothing_is_listed() {
    let roles = json!({ "editor": {}, "auditor": {} });
    let document = json!({ "version": 1, "roles": roles, "exclusive_roles": [["editor", "auditor"]],
        "unlisted": "authenticated", "routes": { "GET /x": "public" } });
    for (roles, status) in [(&[][..], 200), (&["editor"], 200), (&["editor", "auditor"], 403)] {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let principal = naive::Principal { roles, ..naive::Principal::default() };
        let request = Request { identity: naive::Identity::Authenticated(principal), ..get("/nothing") };
        assert_eq!(status_of(&document, &request), status, "{request:?}");
    }
}

#[test]
fn nobody_with_conflicting_roles_is_let_in_by_more_than_a_public_rule() {
    let roles = json!({ "editor": {}, "auditor": {} });
    for (rule, status, conflicting) in [
        (json!("public"), 200, 200),
        (json!("authenticated"), 200, 403),
        (json!("editor"), 200, 403),
        (json!({ "any_of": ["editor", "auditor"] }), 200, 403),
        (json!(["nobody", { "all_of": ["editor"], "claims": { "plan": "pro" } }]), 200, 403),
    ] {
        let document = json!({ "version": 1, "roles": &roles, "exclusive_roles": [["editor", "auditor"]],
            "routes": { "GET /x": &rule } });
        for (roles, status) in [(&["editor"][..], status), (&["editor", "auditor"], conflicting)] {
            let request = with_roles(get_with("/x", json!({ "plan": "pro" })), roles);
            assert_eq!(status_of(&document, &request), status, "{rule} {roles:?}");
        }
    }
}

/// Who has the right but for the step-up learns how to get it, and sees which methods there are; nobody else does.
#[test]
fn a_mask_hides_nothing_from_whoever_lacks_only_the_step_up() {
    let roles = json!({ "admin": {}, "editor": {} });
    let admin = json!({ "allow": { "all_of": ["admin"], "step_up": { "acr": ["mfa"] } }, "deny_as": "not_found" });
    let alone = json!({ "version": 1, "roles": &roles, "routes": { "GET /x": &admin } });
    let visible = json!({ "version": 1, "roles": &roles, "routes": { "GET /x": &admin, "PUT /x": "editor" } });
    for (document, roles, acr, statuses) in [
        (&alone, &["admin"][..], "mfa", [200, 405]),
        (&alone, &["admin"], "pwd", [401, 405]),
        (&alone, &["editor"], "mfa", [404, 404]),
        (&visible, &["admin"], "mfa", [200, 405]),
        (&visible, &["admin"], "pwd", [401, 405]),
        (&visible, &["editor"], "mfa", [405, 405]),
        (&visible, &[], "mfa", [404, 404]),
    ] {
        for (method, status) in ["GET", "DELETE"].into_iter().zip(statuses) {
            let request = with_roles(get_with("/x", json!({ "acr": acr })), roles);
            let request = Request { method: method.into(), ..request };
            assert_eq!(status_of(document, &request), status, "{document} {method} {roles:?} {acr}");
        }
    }
}

/// What `ANY` covers is named as well, and makes a route visible.
#[test]
fn a_405_names_every_method_that_the_route_answers() {
    let hidden = || json!({ "allow": "nobody", "deny_as": "not_found" });
    for (rules, method, methods) in [
        (json!({ "GET /x": "authenticated" }), "PUT", "GET HEAD"),
        (json!({ "PUT,POST /x": "authenticated" }), "GET", "POST PUT"),
        (json!({ "HEAD /x": "authenticated", "GET /x": hidden() }), "PUT", "HEAD"),
        (json!({ "ANY /x": "authenticated", "PUT /x": hidden() }), "PUT", "DELETE GET HEAD OPTIONS PATCH POST"),
    ] {
        let document = json!({ "version": 1, "routes": rules });
        let request = Request { method: method.into(), ..get("/x") };
        assert_eq!(status_of(&document, &request), 405, "{rules} {method}");
        let allow = denial_of(&document, &request).allow().map(|allow| allow.replace(", ", " "));
        assert_eq!(allow.as_deref(), Some(methods), "{rules} {method}");
    }
}

/// What a token asks to leave out of its roles is had all the same, and who knows what a malformed source would say.
#[test]
fn nothing_that_a_grant_excludes_is_had_by_whoever_holds_it() {
    let roles = json!({ "editor": { "permissions": ["doc:write"] }, "viewer": { "permissions": ["doc:read"] } });
    let document = json!({ "version": 1, "roles": roles, "routes": { "GET /x": { "none_of": ["doc:write"] } } });
    for (roles, limit, malformed, status) in [
        (&[][..], None, false, 200),
        (&["editor"], None, false, 403),
        (&["viewer"], None, false, 200),
        (&["editor"], Some("doc:read"), false, 403),
        (&["viewer"], Some("doc:read"), false, 200),
        (&["viewer"], None, true, 403),
    ] {
        let mut request = with_roles(get("/x"), roles);
        if let naive::Identity::Authenticated(principal) = &mut request.identity {
            principal.permission_limit = limit.map(|limit| vec![limit.to_owned()]);
            principal.malformed = malformed;
        }
        assert_eq!(status_of(&document, &request), status, "{request:?}");
    }
}

#[test]
fn a_predicate_that_panics_spoils_what_others_say_in_any_order() {
    let [yes, panics] = ["yes", "panics"].map(|check| json!({ "check": check }));
    let open = json!({ "claims": { "sub": "ada" } });
    for (grants, status) in
        [([&yes, &panics], 500), ([&panics, &yes], 500), ([&open, &panics], 200), ([&panics, &open], 200)]
    {
        let document = json!({ "version": 1, "routes": { "GET /x": grants } });
        let checks = [("yes".into(), CheckOutcome::True), ("panics".into(), CheckOutcome::Panics)].into();
        assert_eq!(status_of(&document, &Request { checks, ..get_with("/x", json!({})) }), status, "{document}");
    }
}

/// The clock of a provider may be a minute ahead.
#[test]
fn a_step_up_may_ask_for_nothing_but_its_age() {
    let document = json!({ "version": 1, "routes": { "GET /x": { "step_up": { "max_age_seconds": 300 } } } });
    for (age, status) in [(0, 200), (300, 200), (301, 401), (-60, 200), (-61, 401)] {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let request = Request { now, ..get_with("/x", json!({ "auth_time": 1_000_000 - age })) };
        assert_eq!(status_of(&document, &request), status, "{age}");
    }
}

#[test]
fn the_names_that_a_caller_lacks_are_told() {
    let document = json!({ "version": 1, "roles": { "a": {}, "b": {}, "c": {}, "d": {} },
        "routes": { "GET /x": { "all_of": ["a", "b"], "any_of": ["c", "d"] } } });
    for (roles, lacking) in
        [(&[][..], "a b c d"), (&["a"], "b c d"), (&["c"], "a b"), (&["a", "b"], "c d"), (&["a", "d"], "b")]
    {
        let missing = denial_of(&document, &with_roles(get("/x"), roles)).missing.unwrap();
        assert_eq!(missing.join(" "), lacking, "{roles:?}");
    }
}

/// `/a;x` selects two keys.
#[test]
fn of_equally_severe_answers_the_first_reading_is_told() {
    for (first, second) in [("/{any}", "/a"), ("/a;x", "/{any}")] {
        let (key, other) = (format!("GET {first}"), format!("GET {second}"));
        let document = json!({ "version": 1, "routes": { &key: "nobody", &other: "nobody" } });
        let rule = denial_of(&document, &get("/a;x")).rule.unwrap();
        assert_eq!(&*rule.pattern, first, "{key} and {other}");
    }
}

/// A service may add a slash to the path, or be reached without the prefix of its nest.
#[test]
fn a_key_with_a_slash_at_its_end_binds_the_path_without_it() {
    let document = json!({ "version": 1, "routes": { "GET /n/a/": "nobody", "GET /n/{x}": "public" } });
    for (path, original, nested, status) in [
        ("/n/a", None, None, 403),
        ("/n/a/", None, None, 403),
        ("/n/b", None, None, 200),
        ("/n/a", Some("/n/a"), None, 403),
        ("/a", Some("/n/a"), Some("/n"), 403),
        ("/b", Some("/n/b"), Some("/n"), 200),
    ] {
        let (original_path, nested) = (original.map(str::to_owned), nested.map(str::to_owned));
        let request = Request { original_path, nested, ..get(path) };
        assert_eq!(status_of(&document, &request), status, "{request:?}");
    }
}

/// Names count before everything else, and roles before permissions.
#[test]
fn the_farthest_part_of_a_grant_is_told() {
    for (grant, reason) in [
        (json!({ "all_of": ["doc:read"] }), "insufficient-permission"),
        (json!({ "all_of": ["doc:read"], "any_of": ["admin"] }), "insufficient-role"),
        (json!({ "all_of": ["doc:read", "admin"] }), "insufficient-role"),
        (json!({ "all_of": ["admin"], "any_of": ["doc:read"] }), "insufficient-role"),
        (json!({ "any_of": ["doc:read", "admin"] }), "insufficient-permission"),
        (json!({ "all_of": ["doc:read"], "claims": { "plan": "pro" } }), "insufficient-permission"),
        (json!({ "claims": { "plan": "pro" }, "step_up": { "acr": ["mfa"] } }), "condition-failed"),
        (json!({ "step_up": { "acr": ["mfa"] } }), "step-up-required"),
    ] {
        let roles = json!({ "admin": {}, "reader": { "permissions": ["doc:read"] } });
        let document = json!({ "version": 1, "roles": roles, "routes": { "GET /x": &grant } });
        let policy = Policy::from_json_str(&document.to_string()).unwrap();
        assert_eq!(decided(policy.compiled(), &get("/x"), Options::default()).reason, Some(reason), "{grant}");
    }
}

#[test]
fn a_check_does_not_make_a_route_visible() {
    let document = json!({ "version": 1, "routes": {
        "GET /x": { "allow": { "check": "yes" }, "deny_as": "not_found" },
        "PUT /x": "nobody"
    } });
    for (method, status) in [("GET", 200), ("PUT", 404), ("DELETE", 404)] {
        let request =
            Request { method: method.into(), checks: [("yes".into(), CheckOutcome::True)].into(), ..get("/x") };
        assert_eq!(status_of(&document, &request), status, "{method}");
    }
}

/// What a rule wants of the claim, the claim, the path, and whether the two are the same.
#[test]
fn claims_compare_by_type() {
    let param = json!("{id}");
    for (wanted, claim, path, held) in [
        (json!(1), json!(1), "/x/0", true),
        (json!(1), json!(2), "/x/0", false),
        (json!(1), json!(1.0), "/x/0", true),
        (json!(1.0), json!(1), "/x/0", true),
        (json!(1.5), json!(1.5), "/x/0", true),
        (json!(1.5), json!(2.5), "/x/0", false),
        (json!(1), json!(1.5), "/x/0", false),
        (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), "/x/0", false),
        (json!(1), json!("1"), "/x/0", false),
        (json!("1"), json!(1), "/x/0", false),
        (json!("a"), json!("a"), "/x/0", true),
        (json!("a"), json!(["b", "a"]), "/x/0", true),
        (json!("a"), json!(null), "/x/0", false),
        (json!(true), json!(true), "/x/0", true),
        (json!(true), json!(false), "/x/0", false),
        (json!(true), json!("true"), "/x/0", false),
        (json!(["a", 7]), json!(7), "/x/0", true),
        (param.clone(), json!("7"), "/x/7", true),
        (param.clone(), json!(7), "/x/7", true),
        (param.clone(), json!(-7), "/x/-7", true),
        (param.clone(), json!(u64::MAX), "/x/18446744073709551615", true),
        (param.clone(), json!(7), "/x/8", false),
        (param.clone(), json!(7), "/x/07", false),
        (param.clone(), json!(7.5), "/x/7.5", false),
        (param.clone(), json!(true), "/x/true", false),
    ] {
        let document = json!({ "version": 1, "routes": { "GET /x/{id}": { "claims": { "plan": wanted } } } });
        let status = if held { 200 } else { 403 };
        assert_eq!(status_of(&document, &get_with(path, json!({ "plan": claim }))), status, "{wanted} {claim} {path}");
    }
}

#[test]
fn an_empty_claim_is_no_empty_parameter() {
    let routes = json!({ "GET /x/{id}/y": { "claims": { "plan": "{id}" } }, "GET /x/{*rest}": "authenticated" });
    let document = json!({ "version": 1, "routes": routes });
    for (path, claim, status) in [("/x/7/y", "7", 200), ("/x//y", "", 403), ("/x//y", "y", 403)] {
        assert_eq!(status_of(&document, &get_with(path, json!({ "plan": claim }))), status, "{path} {claim}");
    }
}

/// The subject is the claim `sub` of a caller that has no such claim, and no other claim.
#[test]
fn the_subject_stands_for_no_claim_but_its_own() {
    for (name, status) in [("sub", 200), ("plan", 403)] {
        let document = json!({ "version": 1, "routes": { "GET /x": { "claims": { name: "ada" } } } });
        assert_eq!(status_of(&document, &get_with("/x", json!({}))), status, "{name}");
    }
}

/// A request of `ada`, who has `claims`.
fn get_with(path: &str, claims: Value) -> Request {
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    let principal = naive::Principal { subject: "ada".into(), claims, ..naive::Principal::default() };
    Request { identity: naive::Identity::Authenticated(principal), ..get(path) }
}

fn with_roles(mut request: Request, roles: &[&str]) -> Request {
    if let naive::Identity::Authenticated(principal) = &mut request.identity {
        principal.roles = roles.iter().map(|role| (*role).to_owned()).collect();
    }
    request
}

/// A request of an authenticated caller without roles.
fn get(path: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        matched_path: None,
        original_path: None,
        nested: None,
        identity: naive::Identity::Authenticated(naive::Principal::default()),
        client: None,
        now: Timestamp::UNIX_EPOCH,
        checks: BTreeMap::new(),
    }
}

/// The status on which the layer and the page agree.
fn status_of(document: &Value, request: &Request) -> u16 {
    let policy = Policy::from_json_str(&document.to_string()).unwrap();
    let verdict = decided(policy.compiled(), request, Options::default());
    naive::decide(document, request, Options::default()).agrees_with(&verdict).unwrap();
    verdict.status
}

fn decided(policy: &Compiled, request: &Request, options: Options) -> Verdict {
    match judged(policy, request, options) {
        Decision::Allow(_) => {
            Verdict { allowed: true, status: 200, reason: None, masked: false, allow: None, ties: Vec::new() }
        }
        Decision::Deny(denial) => verdict(&denial),
    }
}

fn denial_of(document: &Value, request: &Request) -> Denial {
    let policy = Policy::from_json_str(&document.to_string()).unwrap();
    match judged(policy.compiled(), request, Options::default()) {
        Decision::Allow(_) => panic!("{request:?} is denied"),
        Decision::Deny(denial) => denial,
    }
}

fn judged(policy: &Compiled, request: &Request, options: Options) -> Decision {
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
    match select(policy, &target, tolerance) {
        Ok(selections) => decide(policy, &selections, &identity(&request.identity), || circumstances),
        Err(rejected) => Decision::Deny(rejected.into()),
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
