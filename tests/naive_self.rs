//! The naive interpreter says what the page says.

#[path = "support/arbitrary.rs"]
mod arbitrary;
#[path = "support/naive.rs"]
mod naive;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use naive::{CheckOutcome, Identity, Options, Principal, Request, Verdict, decide};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

/// 2026-06-01T12:00:00Z.
const NOW: Timestamp = Timestamp::constant(1_780_315_200, 0);

/// The policy of section 3, and a few keys more.
fn policy() -> Value {
    json!({
        "version": 1,
        "roles": {
            "viewer": { "permissions": ["invoice:read"] },
            "editor": { "inherits": ["viewer"], "permissions": ["invoice:write"] },
            "admin": { "inherits": ["editor"], "permissions": ["user:delete"] },
            "auditor": {}
        },
        "exclusive_roles": [["editor", "auditor"]],
        "routes": {
            "GET /health": { "public": "load balancer probe" },
            "GET /me": "authenticated",
            "GET /invoices": "viewer",
            "POST /invoices": "invoice:write",
            "GET /users/{id}": ["admin", { "all_of": ["viewer"], "claims": { "sub": "{id}" } }],
            "DELETE /users/{id}": { "allow": "admin", "message": "Deleting users requires the 'admin' role." },
            "PUT,PATCH /orgs/{org}": { "all_of": ["editor"], "claims": { "orgs": "{org}" } },
            "GET /reports/{*path}": { "any_of": ["viewer", "auditor"], "networks": ["10.0.0.0/8"], "until": "2027-01-01T00:00:00Z" },
            "POST /payments": { "all_of": ["editor"], "claims": { "plan": ["pro", "enterprise"] }, "step_up": { "acr": ["mfa"], "max_age_seconds": 300 } },
            "ANY /internal/{*rest}": { "allow": "admin", "deny_as": "not_found" },
            "GET /notes/{id}": { "allow": "viewer", "deny_as": "not_found" },
            "DELETE /notes/{id}": { "allow": "admin", "deny_as": "not_found" },
            "PUT /notes/{id}": "admin",
            "GET /closed": "nobody",
            "GET /checked": { "all_of": ["viewer"], "check": "open" },
            "GET /projects/{id}": { "allow": "viewer", "encoded_slash": true }
        }
    })
}

fn request(method: &str, path: &str) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        matched_path: None,
        original_path: None,
        nested: None,
        identity: Identity::Anonymous,
        client: "10.0.0.1".parse().ok(),
        now: NOW,
        checks: BTreeMap::new(),
    }
}

fn principal(roles: &[&str]) -> Principal {
    Principal {
        subject: "ada".into(),
        roles: roles.iter().map(|role| (*role).into()).collect(),
        ..Principal::default()
    }
}

fn of(roles: &[&str]) -> Identity {
    Identity::Authenticated(principal(roles))
}

fn with_claims(roles: &[&str], claims: &Value) -> Identity {
    let claims = claims.as_object().cloned().unwrap_or_default();
    Identity::Authenticated(Principal { claims, ..principal(roles) })
}

fn judge(request: &Request) -> Verdict {
    decide(&policy(), request, Options::default())
}

/// `200`, or the status and the reason, with `masked` where it pretends.
fn short(verdict: &Verdict) -> String {
    let masked = if verdict.masked { " masked" } else { "" };
    verdict.reason.map_or("200".into(), |reason| format!("{} {reason}{masked}", verdict.status))
}

fn check_table(table: &[(&str, &str, Identity, &str)]) {
    for (method, path, identity, expected) in table {
        let request = Request { identity: identity.clone(), ..request(method, path) };
        assert_eq!(short(&judge(&request)), *expected, "{method} {path} as {identity:?}");
    }
}

#[test]
fn each_outcome_of_the_page_is_answered_as_it_says() {
    let anonymous = Identity::Anonymous;
    let paid = json!({ "plan": "pro", "acr": "mfa", "auth_time": 1_780_315_000 });
    let stale = json!({ "plan": "pro", "acr": "mfa", "auth_time": 1_780_310_000 });
    check_table(&[
        ("GET", "/health", anonymous.clone(), "200"),
        ("HEAD", "/health", Identity::Rejected, "200"),
        ("GET", "/health", Identity::Unavailable, "200"),
        ("POST", "/health", anonymous.clone(), "405 method-not-listed"),
        ("GET", "/me", anonymous.clone(), "401 no-credentials"),
        ("GET", "/me", of(&["*"]), "200"),
        ("GET", "/me", of(&["editor", "auditor"]), "403 conflicting-roles"),
        ("GET", "/me", Identity::Rejected, "401 invalid-credentials"),
        ("GET", "/nowhere", Identity::Ambiguous, "400 ambiguous-credentials"),
        ("GET", "/internal/x", Identity::Unavailable, "503 authenticator-unavailable"),
        ("GET", "/nowhere", of(&["admin"]), "404 not-listed"),
        ("GET", "/invoices", of(&["auditor"]), "403 insufficient-role"),
        ("GET", "/invoices", of(&["admin"]), "200"),
        ("POST", "/invoices", of(&["viewer"]), "403 insufficient-permission"),
        ("GET", "/users/ada", of(&["viewer"]), "200"),
        ("GET", "/users/bob", of(&["viewer"]), "403 condition-failed"),
        ("GET", "/users/bob", of(&[]), "403 insufficient-role"),
        ("PATCH", "/orgs/7", with_claims(&["editor"], &json!({ "orgs": [1, 7] })), "200"),
        ("PATCH", "/orgs/7", with_claims(&["editor"], &json!({ "orgs": [null, "", 7.5] })), "403 condition-failed"),
        ("GET", "/reports/a/b", of(&["auditor"]), "200"),
        ("POST", "/payments", with_claims(&["editor"], &paid), "200"),
        ("POST", "/payments", with_claims(&["editor"], &stale), "401 step-up-required"),
        ("GET", "/closed", anonymous, "403 denied-by-rule"),
        ("GET", "/closed", of(&["admin"]), "403 denied-by-rule"),
    ]);
}

#[test]
fn every_reading_of_a_path_must_be_satisfied() {
    let admin = || of(&["admin"]);
    check_table(&[
        ("GET", "/me/", admin(), "200"),
        ("GET", "//me", admin(), "404 not-listed"),
        ("GET", "/%6de", admin(), "404 not-listed"),
        ("GET", "/me;x", admin(), "404 not-listed"),
        ("GET", "/me%3Fx", admin(), "404 not-listed"),
        ("GET", "/users/a%2Fb", admin(), "404 not-listed"),
        ("GET", "/projects/a%2fb", admin(), "200"),
        ("GET", "/projects/a%252Fb", admin(), "200"),
        ("GET", "/users/caf%C3%A9", admin(), "200"),
        ("GET", "/users/100%25", admin(), "200"),
        ("GET", "/users/x;v=1", admin(), "200"),
        ("GET", "/users/a..b", admin(), "200"),
        ("GET", "/users/ad%61", of(&["viewer"]), "200"),
        ("GET", "/users/ada;x", of(&["viewer"]), "403 condition-failed"),
        ("GET", "*", admin(), "400 path-rejected"),
        ("GET", "", admin(), "400 path-rejected"),
        ("GET", "/reports/a/..", admin(), "400 path-rejected"),
        ("GET", "/reports/%252e%252E/x", admin(), "400 path-rejected"),
        ("GET", "/reports/a%2F..;/x", admin(), "400 path-rejected"),
        ("GET", "/users/a%5cb", admin(), "400 path-rejected"),
        ("GET", "/users/a%00", admin(), "400 path-rejected"),
        ("GET", "/users/a%C2%85", admin(), "400 path-rejected"),
        ("GET", "/users/%c0%af", admin(), "400 path-rejected"),
        ("GET", "/users/%E0%9f%af", admin(), "400 path-rejected"),
        ("GET", "/reports/%25%32%35;a;b//;c%2F%2f%23;%3f%2525%252F/", admin(), "400 path-rejected"),
    ]);
}

#[test]
fn masks_hide_the_route_from_those_who_see_none_of_it() {
    check_table(&[
        ("GET", "/internal/x", Identity::Anonymous, "404 no-credentials masked"),
        ("GET", "/internal/x", of(&["viewer"]), "404 insufficient-role masked"),
        ("PURGE", "/internal/x", of(&["admin"]), "200"),
        ("PUT", "/notes/1", Identity::Anonymous, "404 no-credentials masked"),
        ("POST", "/notes/1", of(&[]), "404 method-not-listed masked"),
        ("POST", "/notes/1", of(&["viewer"]), "405 method-not-listed"),
        ("DELETE", "/notes/1", of(&["viewer"]), "405 insufficient-role masked"),
        ("PUT", "/notes/1", of(&["viewer"]), "403 insufficient-role"),
    ]);
    let refused = judge(&Request { identity: of(&["viewer"]), ..request("DELETE", "/notes/1") });
    assert_eq!(refused.allow, Some(BTreeSet::from(["GET".into(), "HEAD".into(), "PUT".into()])));
}

#[test]
fn selected_keys_own_their_methods_and_static_beats_parameters() {
    let policy = json!({
        "roles": { "a": {}, "b": {} },
        "routes": {
            "GET /x": "a", "ANY /x": "b", "POST /{y}": "a", "GET /{*rest}": "public", "GET /x{y}/z": "b",
            "GET /p/{y}/q": "a", "GET /p/{*rest}": "b"
        }
    });
    for (method, path, role, expected) in [
        ("HEAD", "/x", "a", "200"),
        ("HEAD", "/x", "b", "403 insufficient-role"),
        ("lower", "/x", "b", "200"),
        ("GET", "/w", "a", "405 method-not-listed"),
        ("GET", "/w/v", "a", "200"),
        ("GET", "/x1/z", "b", "200"),
        ("GET", "/x1/z", "a", "403 insufficient-role"),
        ("GET", "/p//q", "a", "403 insufficient-role"),
        ("GET", "/p//q", "b", "403 insufficient-role"),
    ] {
        let request = Request { identity: of(&[role]), ..request(method, path) };
        assert_eq!(short(&decide(&policy, &request, Options::default())), expected, "{method} {path} as {role}");
    }
}

#[test]
fn what_the_router_knows_adds_readings() {
    let nested = |nested: &str, original: &str, path: &str| Request {
        nested: Some(nested.into()),
        original_path: Some(original.into()),
        identity: of(&["viewer"]),
        ..request("GET", path)
    };
    for (request, expected) in [
        (nested("/invoices", "/invoices", "/"), "200"),
        (nested("/{any}", "/users/ada", "/ada"), "200"),
        (nested("/{any}", "/invoices/x", "/"), "404 not-listed"),
        (nested("/{any}", "/invoices", "/x"), "404 not-listed"),
        (Request { matched_path: Some("/users/{other}".into()), ..nested("", "/users/ada", "/users/ada") }, "200"),
        (Request { matched_path: Some("/closed".into()), ..nested("", "/users/ada", "/users/ada") }, "200"),
    ] {
        assert_eq!(short(&judge(&request)), expected, "{request:?}");
    }
    let mut policy = policy();
    policy["routes"]["GET /users/{*all}"] = json!("nobody");
    let request = Request { matched_path: Some("/users/{*rest}".into()), ..nested("", "/users/ada", "/users/ada") };
    assert_eq!(short(&decide(&policy, &request, Options::default())), "403 denied-by-rule");
}

#[test]
fn checks_are_asked_last_and_a_panic_is_an_internal_error() {
    for (role, outcome, expected) in [
        ("viewer", CheckOutcome::True, "200"),
        ("viewer", CheckOutcome::False, "403 condition-failed"),
        ("viewer", CheckOutcome::Panics, "500 internal-error"),
        ("auditor", CheckOutcome::Panics, "403 insufficient-role"),
    ] {
        let checks = BTreeMap::from([("open".into(), outcome)]);
        let request = Request { identity: of(&[role]), checks, ..request("GET", "/checked") };
        assert_eq!(short(&judge(&request)), expected, "{role} {outcome:?}");
    }
}

#[test]
fn client_addresses_that_the_server_does_not_tell_are_a_mistake_of_the_set_up() {
    for (role, client, expected) in [
        ("viewer", "10.0.0.1".parse().ok(), "200"),
        ("viewer", "8.8.8.8".parse().ok(), "403 condition-failed"),
        ("viewer", None, "500 internal-error"),
        ("editor", None, "500 internal-error"),
        ("nobody", None, "403 insufficient-role"),
    ] {
        let request = Request { identity: of(&[role]), client, ..request("GET", "/reports/x") };
        assert_eq!(short(&judge(&request)), expected, "{role} {client:?}");
    }
}

#[test]
fn unlisted_paths_get_what_the_policy_says() {
    for (unlisted, anonymous, viewer, conflicting) in [
        ("not_found", "404 not-listed", "404 not-listed", "404 not-listed"),
        ("forbidden", "403 not-listed", "403 not-listed", "403 not-listed"),
        ("authenticated", "401 not-listed", "200", "403 not-listed"),
        ("public", "200", "200", "200"),
    ] {
        let mut policy = policy();
        policy["unlisted"] = json!(unlisted);
        let callers =
            [(Identity::Anonymous, anonymous), (of(&["viewer"]), viewer), (of(&["editor", "auditor"]), conflicting)];
        for (identity, expected) in callers {
            let request = Request { identity, ..request("GET", "/nowhere") };
            assert_eq!(short(&decide(&policy, &request, Options::default())), expected, "{unlisted} {request:?}");
        }
    }
}

#[test]
fn options_let_encoded_backslashes_and_control_characters_through_and_never_nul() {
    let options = Options { allow_encoded_backslash: true, allow_control_characters: true };
    for (path, expected) in [
        ("/reports/a%5Cb", "200"),
        ("/users/a%5Cb", "404 not-listed"),
        ("/reports/a%5C..%5Cb", "400 path-rejected"),
        ("/reports/a\\b", "400 path-rejected"),
        ("/users/a%0Ab", "200"),
        ("/users/a%00b", "400 path-rejected"),
    ] {
        let request = Request { identity: of(&["admin"]), ..request("GET", path) };
        assert_eq!(short(&decide(&policy(), &request, options)), expected, "{path}");
    }
}

#[test]
fn scopes_limit_what_roles_give_and_malformed_sources_fail_none_of() {
    let policy = json!({
        "roles": { "editor": { "permissions": ["write"] }, "guest": {} },
        "routes": { "GET /w": "write", "GET /n": { "none_of": ["guest"] }, "GET /r": { "none_of": ["write"] } }
    });
    let judge = |path: &str, principal: Principal| {
        let request = Request { identity: Identity::Authenticated(principal), ..request("GET", path) };
        short(&decide(&policy, &request, Options::default()))
    };
    let editor = || principal(&["editor"]);
    assert_eq!(judge("/w", editor()), "200");
    let limited = Principal { permission_limit: Some(vec!["read".into()]), ..editor() };
    assert_eq!(judge("/w", limited.clone()), "403 insufficient-permission");
    assert_eq!(judge("/r", limited.clone()), "403 condition-failed", "asking for less opens nothing");
    assert_eq!(judge("/w", Principal { permissions: vec!["write".into()], ..limited }), "200");
    assert_eq!(judge("/w", principal(&["write"])), "403 insufficient-permission");
    assert_eq!(judge("/n", editor()), "200");
    assert_eq!(judge("/n", Principal { malformed: true, ..editor() }), "403 condition-failed");
}

#[test]
fn verdicts_agree_only_where_status_reason_mask_and_methods_do() {
    let methods = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let verdict = judge(&Request { identity: of(&["viewer"]), ..request("DELETE", "/notes/1") });
    let tied = Verdict { ties: vec![methods(&["GET"])], ..verdict.clone() };
    let agrees = |other: Verdict| tied.agrees_with(&other).is_ok();
    assert!(agrees(verdict.clone()));
    assert!(agrees(Verdict { allow: Some(methods(&["GET"])), ..verdict.clone() }));
    assert!(!agrees(Verdict { allow: Some(methods(&["POST"])), ..verdict.clone() }));
    assert!(!agrees(Verdict { allow: None, ..verdict.clone() }));
    assert!(!agrees(Verdict { masked: false, ..verdict.clone() }));
    assert!(!agrees(Verdict { status: 404, ..verdict.clone() }));
    assert!(!agrees(Verdict { reason: Some("not-listed"), ..verdict.clone() }));
    assert!(!agrees(Verdict { allowed: true, ..verdict }));
}

#[test]
fn the_strategies_reach_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..400 {
        let (policy, siege) = arbitrary::sieges().new_tree(&mut runner).unwrap().current();
        for (request, options) in siege {
            let verdict = decide(&policy, &request, options);
            *seen.entry(short(&verdict)).or_default() += 1;
        }
    }
    for outcome in [
        "200",
        "400 ambiguous-credentials",
        "400 path-rejected",
        "401 invalid-credentials",
        "401 no-credentials",
        "401 not-listed",
        "401 step-up-required",
        "403 condition-failed",
        "403 conflicting-roles",
        "403 denied-by-rule",
        "403 insufficient-permission",
        "403 insufficient-role",
        "403 not-listed",
        "404 condition-failed masked",
        "404 conflicting-roles masked",
        "404 denied-by-rule masked",
        "404 insufficient-role masked",
        "404 method-not-listed masked",
        "404 no-credentials masked",
        "404 not-listed",
        "405 condition-failed masked",
        "405 insufficient-role masked",
        "405 method-not-listed",
        "500 internal-error",
        "503 authenticator-unavailable",
    ] {
        assert!(seen.contains_key(outcome), "no case reached `{outcome}`: {seen:#?}");
    }
}

proptest! {
    #[test]
    fn adding_a_slash_that_no_key_asks_for_changes_nothing_for_a_parameter(id in "[a-z]{1,8}") {
        let plain = judge(&Request { identity: of(&["admin"]), ..request("GET", &format!("/users/{id}")) });
        let trailing = judge(&Request { identity: of(&["admin"]), ..request("GET", &format!("/users/{id}/")) });
        prop_assert!(plain.agrees_with(&trailing).is_ok());
    }
}
