//! What a diff says of two policies, and how soon.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use tower_authz::{Policy, analysis::Diff};

const ROLES: &str = r#"{ "viewer": { "permissions": ["read"] }, "editor": { "inherits": ["viewer"] }, "admin": { "inherits": ["editor"] }, "auditor": {} }"#;

fn policy(members: &str) -> Policy {
    let roles = if members.contains("\"roles\"") { String::new() } else { format!("\"roles\": {ROLES}, ") };
    Policy::from_json_str(&format!("{{ \"version\": 1, {roles}{members} }}")).unwrap()
}

fn routes(routes: &str) -> Policy {
    policy(&format!(r#""routes": {{ {routes} }}"#))
}

#[test]
fn a_refactoring_that_changes_nothing_is_no_change() {
    for (old, new) in [
        // Names, order, parameters, messages, masks, shadows.
        (
            r#""GET /a/{x}": "viewer", "GET /b": "admin""#,
            r#""GET /b": { "allow": "admin", "name": "b", "message": "no", "deny_as": "not_found", "shadow": "viewer" }, "GET /a/{id}": ["viewer"]"#,
        ),
        // Grants that others contain.
        (r#""GET /a": "viewer""#, r#""GET /a": ["admin", "viewer", { "all_of": ["editor"], "claims": { "a": 1 } }]"#),
        (r#""GET /a": { "any_of": ["viewer", "auditor"] }"#, r#""GET /a": ["auditor", "viewer"]"#),
        (r#""GET /a": { "all_of": ["viewer", "admin"] }"#, r#""GET /a": "admin""#),
        // Methods.
        (r#""GET,POST /a": "viewer""#, r#""POST /a": "viewer", "GET /a": "viewer", "HEAD /a": "viewer""#),
        (r#""ANY /a": "viewer""#, r#""ANY /a": "viewer", "GET /a": "viewer", "PURGE /a": "viewer""#),
        // Paths that a wider key covers.
        (r#""GET /{*rest}": "viewer""#, r#""GET /{*rest}": "viewer", "GET /a": "viewer", "GET /a/{x}/b": "viewer""#),
        (
            r#""GET /a/{x}": { "claims": { "sub": "{x}" } }"#,
            r#""GET /a/{x}": { "claims": { "sub": "{x}" } }, "GET /a/me": { "claims": { "sub": "me" } }"#,
        ),
        (r#""GET /a b": "viewer""#, r#""GET /a%20b": "viewer""#),
        // A space is in no path as it is, and the spelling that is has a key of its own.
        (r#""GET /a%20b": "viewer", "POST /a b": "viewer""#, r#""GET /a%20b": "viewer", "POST /a b": "admin""#),
        // What is not listed is not there.
        (
            r#""GET /a": "viewer""#,
            r#""GET /a": "viewer", "GET /b": "nobody", "GET /c": { "all_of": ["admin"], "none_of": ["viewer"] }"#,
        ),
        // Conditions.
        (
            r#""GET /a": { "networks": ["10.0.0.0/8"] }"#,
            r#""GET /a": [{ "networks": ["10.0.0.0/9"] }, { "networks": ["10.128.0.0/9", "10.1.0.0/16"] }]"#,
        ),
        (
            r#""GET /a": "viewer""#,
            r#""GET /a": [{ "all_of": ["viewer"], "until": "2026-01-01T00:00:00Z" }, { "all_of": ["viewer"], "from": "2026-01-01T00:00:00Z" }]"#,
        ),
        (
            r#""GET /a": { "claims": { "a": ["x", "y"] } }"#,
            r#""GET /a": [{ "claims": { "a": "y" } }, { "claims": { "a": "x" } }]"#,
        ),
        (
            r#""GET /a": { "step_up": { "max_age_seconds": 60 } }"#,
            r#""GET /a": [{ "step_up": { "max_age_seconds": 60 } }, { "step_up": { "max_age_seconds": 30 }, "check": "x" }]"#,
        ),
    ] {
        let diff = Diff::between(&routes(old), &routes(new));
        assert_eq!(diff.to_string(), "no change in access", "{old} {new}");
        assert!(diff.is_empty() && diff.widened_cells() + diff.narrowed_cells() == 0);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_change_says_for_whom_and_shows_a_request() {
    let rows: [(&str, &str, &str); 9] = [
        (
            // A key is known by every spelling of its text, until another key is spelled so.
            r#""routes": { "POST /a b": "viewer" }"#,
            r#""routes": { "POST /a b": "viewer", "GET /a%20b": "nobody" }"#,
            "narrowed:
  POST /a%20b
    was: viewer
    now: method not listed and viewer
    for: role viewer
    for: role editor
    for: role admin
    witness: POST /a%20b, subject somebody, roles viewer

0 cells widened, 1 cell narrowed",
        ),
        (
            r#""routes": { "GET /a/{id}": "admin" }"#,
            r#""routes": { "GET /a/{user}": "editor" }"#,
            "widened:
  GET,HEAD /a/{user}
    was: admin
    now: editor
    for: role editor
    witness: GET /a/1, subject somebody, roles editor

2 cells widened, 0 cells narrowed",
        ),
        (
            r#""routes": { "GET /a": "viewer" }"#,
            r#""routes": { "GET /a": "read" }"#,
            "widened:
  GET,HEAD /a
    was: viewer
    now: read
    for: permission read
    witness: GET /a, subject somebody, permissions read

narrowed for limited or malformed tokens alone:
  GET,HEAD /a
    was: viewer
    now: read
    for: role viewer, scopes that limit the roles and leave out read
    for: role editor, scopes that limit the roles and leave out read
    for: role admin, scopes that limit the roles and leave out read
    witness: GET /a, subject somebody, roles viewer, permission_limit none

2 cells widened, 0 cells narrowed, 2 cells changed for limited or malformed tokens alone",
        ),
        (
            r#""routes": { "GET /a": { "all_of": ["admin"], "none_of": ["auditor"] } }, "exclusive_roles": [["admin", "auditor"]]"#,
            r#""routes": { "GET /a": "admin" }, "exclusive_roles": [["admin", "auditor"]]"#,
            "widened for limited or malformed tokens alone:
  GET,HEAD /a
    was: admin; none of auditor
    now: admin
    for: role admin, a malformed source of roles
    witness: GET /a, subject somebody, roles admin, malformed_sources roles

0 cells widened, 0 cells narrowed, 2 cells changed for limited or malformed tokens alone",
        ),
        (
            r#""routes": { "GET /a": "authenticated" }"#,
            r#""routes": { "GET /a": "authenticated" }, "exclusive_roles": [["editor", "auditor"]]"#,
            "narrowed:
  GET,HEAD /a
    was: authenticated
    now: authenticated
    for: roles editor and auditor
    for: roles admin and auditor
    witness: GET /a, subject somebody, roles editor and auditor

0 cells widened, 2 cells narrowed",
        ),
        (
            r#""routes": { "ANY /x/{*rest}": "admin", "ANY /x": "admin" }"#,
            r#""routes": { "ANY /x/{*rest}": "admin", "GET /x/{y}": "public" }"#,
            "widened:
  GET,HEAD /x/{y}
    was: admin
    now: public
    for: callers without credentials
    for: authenticated callers
    witness: GET /x/1

narrowed:
  ANY /x
    was: admin
    now: not listed
    for: role admin
    witness: GET /x, subject somebody, roles admin
  ANY /x/{y}
    was: admin
    now: method not listed
    for: role admin
    witness: POST /x/1, subject somebody, roles admin

2 cells widened, 2 cells narrowed",
        ),
        (
            r#""routes": { "POST /pay": { "all_of": ["viewer"], "networks": ["10.0.0.0/8"], "until": "2027-01-01T00:00:00Z" } }"#,
            r#""routes": { "POST /pay": { "all_of": ["viewer"], "networks": ["10.0.0.0/8", "192.0.2.0/24"], "claims": { "plan": ["pro", "team"] } } }"#,
            "widened:
  POST /pay
    was: viewer; until 2027-01-01T00:00:00Z; network 10.0.0.0/8
    now: viewer; claim plan = pro or team; network 10.0.0.0/8 or 192.0.2.0/24
    for: role viewer, claim plan = team, client in 192.0.2.0/24
    for: role editor, claim plan = team, client in 192.0.2.0/24
    for: role admin, claim plan = team, client in 192.0.2.0/24
    witness: POST /pay, subject somebody, roles viewer, claims {\"plan\":\"team\"}, client 192.0.2.0, time 2026-12-31T23:59:59Z

narrowed:
  POST /pay
    was: viewer; until 2027-01-01T00:00:00Z; network 10.0.0.0/8
    now: viewer; claim plan = pro or team; network 10.0.0.0/8 or 192.0.2.0/24
    for: role viewer, client in 10.0.0.0/8, before 2027-01-01T00:00:00Z, claim plan is not pro, claim plan is not team
    for: role editor, client in 10.0.0.0/8, before 2027-01-01T00:00:00Z, claim plan is not pro, claim plan is not team
    for: role admin, client in 10.0.0.0/8, before 2027-01-01T00:00:00Z, claim plan is not pro, claim plan is not team
    witness: POST /pay, subject somebody, roles viewer, client 10.0.0.0, time 2026-12-31T23:59:59Z

1 cell widened, 1 cell narrowed",
        ),
        (
            r#""routes": { "GET /a": "viewer" }, "roles": { "viewer": {}, "guest": {} }"#,
            r#""routes": { "GET /a": "viewer" }, "roles": { "viewer": {}, "guest": { "inherits": ["viewer"] } }"#,
            "widened:
  GET,HEAD /a
    was: viewer
    now: viewer
    for: role guest
    witness: GET /a, subject somebody, roles guest

2 cells widened, 0 cells narrowed",
        ),
        (
            r#""routes": { "GET /a": "viewer" }"#,
            r#""routes": { "GET /a": "viewer" }, "unlisted": "authenticated""#,
            "widened:
  ANY (not listed)
    was: not listed
    now: not listed (authenticated)
    for: authenticated callers
    witness: GET /, subject somebody

1 cell widened, 0 cells narrowed",
        ),
    ];
    for (old, new, expected) in rows {
        assert_eq!(Diff::between(&policy(old), &policy(new)).to_string(), expected, "{old} {new}");
    }
}

/// 1,000 routes, 50 roles that inherit from one another and partly exclude each other, rules with several grants.
fn large(seed: usize) -> Policy {
    let mut roles = String::new();
    for role in 0..50usize {
        let inherits = role.checked_sub(7).map_or(String::new(), |parent| format!(r#""inherits": ["r{parent}"], "#));
        write!(roles, r#""r{role}": {{ {inherits}"permissions": ["p{}"] }},"#, role % 10).unwrap();
    }
    let mut routes = String::new();
    for route in 0..1000usize {
        let (one, other, third) = ((route * 7 + seed) % 50, (route * 13) % 50, (route * 29) % 50);
        let path = match route % 4 {
            0 => format!("/api/v1/things{}/{{id}}", route / 4),
            1 => format!("/api/v1/things{}", route / 4),
            2 => format!("/api/v1/things{}/{{id}}/parts/{{part}}", route / 4),
            _ => format!("/api/v1/things{}/{{id}}/{{*rest}}", route / 4),
        };
        let rule = format!(
            r#"["r{one}", {{ "all_of": ["r{other}", "p{}"], "none_of": ["r{third}"] }}, {{ "any_of": ["r{third}", "r{one}"], "claims": {{ "sub": "x" }} }}]"#,
            route % 10,
        );
        write!(routes, r#""GET {path}": {rule}, "POST,DELETE {path}": "r{other}","#).unwrap();
    }
    let text = format!(
        r#"{{ "version": 1, "roles": {{ {} }}, "exclusive_roles": [["r47", "r48"], ["r40", "r49"]], "routes": {{ {} }} }}"#,
        roles.trim_end_matches(','),
        routes.trim_end_matches(','),
    );
    Policy::from_json_str(&text).unwrap()
}

#[test]
fn a_thousand_routes_and_fifty_roles_take_less_than_a_second() {
    let (old, new) = (large(0), large(1));
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 1 });
    for (new, cells) in [(&old, 0), (&new, 2500)] {
        let start = Instant::now();
        let diff = Diff::between(&old, new);
        let took = start.elapsed();
        assert_eq!(diff.widened_cells(), cells);
        assert!(took < limit, "{took:?}");
        println!("{cells} cells widened: {took:?}");
    }
}
