//! What each lint finds, where, and what it leaves alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of a test may fail it")]
#![allow(clippy::too_many_lines, reason = "tests are tables")]

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use tower_authz::{
    Diagnostic, Policy, Severity,
    analysis::{Lint, Linter},
};

/// 2026-06-01T12:00:00Z.
const NOW: Duration = Duration::from_secs(1_780_315_200);

const ROLES: &str = r#""roles": { "viewer": { "permissions": ["read"] }, "editor": { "inherits": ["viewer"] }, "root": { "inherits": ["editor"] }, "auditor": {} }, "exclusive_roles": [["editor", "auditor"]]"#;

fn policy(members: &str) -> Policy {
    Policy::from_json_str(&format!("{{ \"version\": 1, {members} }}")).unwrap()
}

/// A policy whose roles are all needed.
fn with_routes(routes: &str) -> Policy {
    policy(&format!(
        r#"{ROLES}, "routes": {{ "POST /all": ["root", {{ "all_of": ["editor", "read"], "claims": {{ "a": 1 }} }}], {routes} }}"#
    ))
}

fn find(policy: &Policy) -> Vec<Diagnostic> {
    Linter::at(SystemTime::UNIX_EPOCH + NOW).find(policy)
}

fn told(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(|found| format!("{} | {} | {}", found.code, found.place, found.message)).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_lint_tells_what_is_wrong_and_where() {
    let rows: &[(&str, &[&str])] = &[
        (
            r#""GET /a": ["viewer", "root"]"#,
            &[r#"redundant-grant | routes."GET /a"[1] | whoever holds this grant holds `viewer` as well"#],
        ),
        (
            r#""GET /a": ["authenticated", { "all_of": ["viewer"], "claims": { "a": 1 } }]"#,
            &[r#"redundant-grant | routes."GET /a"[1] | whoever holds this grant holds `authenticated` as well"#],
        ),
        (
            r#""GET /a": { "allow": ["viewer", "viewer"] }"#,
            &[r#"redundant-grant | routes."GET /a".allow[1] | whoever holds this grant holds `viewer` as well"#],
        ),
        (
            r#""GET /a": ["viewer", "nobody"]"#,
            &[r#"redundant-grant | routes."GET /a"[1] | `nobody` beside other grants changes nothing"#],
        ),
        (
            r#""GET /a": [{ "networks": ["10.0.0.0/8"] }, { "networks": ["10.1.0.0/16"] }]"#,
            &[r#"redundant-grant | routes."GET /a"[1] | whoever holds this grant holds `network 10.0.0.0/8` as well"#],
        ),
        (
            r#""GET /a": { "all_of": ["editor"], "none_of": ["viewer"] }"#,
            &[
                r#"unsatisfiable-grant | routes."GET /a" | nobody can hold this grant: whoever has `editor` has `viewer`, which it forbids"#,
            ],
        ),
        (
            r#""GET /a": { "all_of": ["editor"], "none_of": ["editor"] }"#,
            &[
                r#"unsatisfiable-grant | routes."GET /a" | nobody can hold this grant: it demands `editor` and forbids it"#,
            ],
        ),
        (
            r#""GET /a": { "all_of": ["root", "auditor"] }"#,
            &[
                r#"unsatisfiable-grant | routes."GET /a" | nobody can hold this grant: it demands `editor` and `auditor`, which exclude each other"#,
            ],
        ),
        (
            r#""GET /a": { "any_of": ["editor", "root"], "none_of": ["read"] }"#,
            &[
                r#"unsatisfiable-grant | routes."GET /a" | nobody can hold this grant: no caller can have the names that it demands without those that it may not have"#,
            ],
        ),
        (
            r#""GET /a": { "from": "2027-01-01T00:00:00Z", "until": "2026-12-01T00:00:00Z" }"#,
            &[
                r#"unsatisfiable-grant | routes."GET /a" | nobody can hold this grant: its time is over before it begins"#,
            ],
        ),
        (
            r#""GET /a": ["root", { "all_of": ["viewer"], "until": "2026-06-01T12:00:00Z" }]"#,
            &[r#"expired-grant | routes."GET /a"[1] | the time of this grant was over at 2026-06-01T12:00:00Z"#],
        ),
        (
            r#""GET /a/{*rest}": "viewer""#,
            &[r#"uncovered-prefix | routes."GET /a/{*rest}" | `GET /a/{*rest}` matches neither `/a` nor `/a/`"#],
        ),
        (
            r#""GET /{*rest}": "root""#,
            &[r#"uncovered-prefix | routes."GET /{*rest}" | `GET /{*rest}` does not match `/`"#],
        ),
        (
            r#""GET /a/{id}": "viewer", "GET /A/{x}": "viewer", "POST /A/{x}": "viewer""#,
            &[
                r#"paths-differ-in-case | routes."GET /A/{x}" | `GET /A/{x}` and `GET /a/{id}` differ only in letter case"#,
            ],
        ),
        (
            // `/admin` falls to the page.
            r#""ANY /{page}": "viewer", "ANY /admin/{*rest}": "root""#,
            &[
                r#"uncovered-prefix | routes."ANY /admin/{*rest}" | `ANY /admin/{*rest}` matches neither `/admin` nor `/admin/`: there `ANY /{page}` holds, which is open to other callers"#,
            ],
        ),
        (
            r#""GET /api/x": "viewer", "GET /Api/y": "viewer", "GET /Api/z": "viewer""#,
            &[
                r#"paths-differ-in-case | routes."GET /Api/y" | `GET /Api/y` and `GET /api/x` begin alike but for letter case: `/Api` and `/api`"#,
            ],
        ),
        (
            r#""GET /api/x": "viewer", "GET /аpi/y": "viewer""#,
            &[
                r#"confusable-names | routes."GET /аpi/y" | `GET /аpi/y` and `GET /api/x` look alike and begin differently"#,
            ],
        ),
        (
            r#""GET /a": "public""#,
            &[r#"public-without-reason | routes."GET /a" | `GET /a` is public, and the policy does not say why"#],
        ),
        (
            r#""POST,GET /a": { "public": "a form" }, "ANY /b": { "allow": { "public": "all" } }"#,
            &[
                r#"public-write | routes."POST,GET /a" | `POST,GET /a` is public, and `POST` is there to change things"#,
                r#"public-write | routes."ANY /b".allow | `ANY /b` is public, and `ANY` is there to change things"#,
            ],
        ),
        (
            r#""GET /a/{x}": "viewer", "GET /a/secret": { "allow": "root", "deny_as": "not_found" }"#,
            &[
                r#"visible-mask | routes."GET /a/secret" | the mask of `GET /a/secret` can be told from the answers of `GET /a/{x}`"#,
            ],
        ),
        (
            r#""GET /a": { "public": "news" }, "DELETE /a": { "allow": "root", "deny_as": "not_found" }"#,
            &[r#"visible-mask | routes."DELETE /a" | the mask of `DELETE /a` hides nothing: `GET /a` is public"#],
        ),
        (
            r#""ANY /a": "viewer", "ANY /a/{*rest}": "viewer", "GET /a/users": "root", "GET /a/keys": "nobody""#,
            &[
                r#"open-wildcard | routes."ANY /a/{*rest}" | `ANY /a/{*rest}` is open to callers who may not use `GET /a/users` and 1 more, which it contains"#,
            ],
        ),
        (
            r#""GET /a": "root", "HEAD /a": "viewer""#,
            &[r#"get-head-differ | routes."HEAD /a" | `HEAD /a` is open to more callers than `GET` of the same path"#],
        ),
        (
            r#""GET /a": "viewer", "HEAD /a": "auditor""#,
            &[r#"get-head-differ | routes."HEAD /a" | `HEAD /a` is open to other callers than `GET` of the same path"#],
        ),
        (
            r#""GET /a%2Fb/{id}": "viewer""#,
            &[
                r#"unreachable-key | routes."GET /a%2Fb/{id}" | `GET /a%2Fb/{id}` is never reached: `/a%2Fb/1` is also read as `/a/b/1`, which no key matches"#,
            ],
        ),
        (
            r#""GET /a;v=1": "viewer""#,
            &[
                r#"unreachable-key | routes."GET /a;v=1" | `GET /a;v=1` is never reached: `/a;v=1` is also read as `/a`, which no key matches"#,
            ],
        ),
        (
            r#""GET /a": { "allow": "viewer", "silence": { "public-write": "why", "pubic-write": "why" } }"#,
            &[
                r#"unused-silence | routes."GET /a".silence.public-write | `public-write` is silenced, and finds nothing here"#,
                r#"unused-silence | routes."GET /a".silence.pubic-write | no lint has the name `pubic-write`"#,
            ],
        ),
    ];
    let mut codes = BTreeSet::new();
    for (routes, expected) in rows {
        let found = find(&with_routes(routes));
        assert_eq!(told(&found), *expected, "{routes}");
        codes.extend(found.iter().map(|found| found.code));
        assert!(found.iter().all(|found| found.help.is_some() && found.line == Some(1)));
    }
    let rows: &[(&str, &[&str])] = &[
        (
            r#""roles": { "a": { "permissions": ["p", "q"] }, "b": { "inherits": ["c"] }, "c": {} }, "routes": { "GET /": "p" }"#,
            &[
                r"unused-permission | roles.a.permissions[1] | no grant names the permission `q`",
                r"unused-role | roles.b | no grant needs the role `b` or anything that it gives",
                r"unused-role | roles.c | no grant needs the role `c` or anything that it gives",
            ],
        ),
        (
            r#""roles": { "Admin": { "permissions": ["invoice:read", "invoice_read"] }, "аdmin": {} }, "routes": { "GET /": ["Admin", "аdmin", "invoice:read", "invoice_read"] }"#,
            &[
                r"confusable-names | roles.Admin.permissions[1] | `invoice_read` is easily taken for `invoice:read`",
                r#"confusable-names | roles."аdmin" | `аdmin` is easily taken for `Admin`"#,
                r#"redundant-grant | routes."GET /"[0] | whoever holds this grant holds `invoice:read` as well"#,
            ],
        ),
        (
            r#""roles": { "publlc": {}, "auditor": { "permissions": ["orders:read"] }, "auditors": { "permissions": ["order:read"] }, "manaegr": {}, "manager": {} }, "routes": { "GET /": ["publlc", "auditor", "auditors", "manager", "manaegr"], "PUT /": ["orders:read", "order:read"] }"#,
            &[
                r"confusable-names | roles.publlc | `publlc` is easily taken for the keyword `public`",
                r"confusable-names | roles.auditors | `auditors` is easily taken for `auditor`",
                r"confusable-names | roles.auditors.permissions[0] | `order:read` is easily taken for `orders:read`",
                r"confusable-names | roles.manager | `manager` is easily taken for `manaegr`",
            ],
        ),
        (
            r#""unlisted": "authenticated", "routes": { "GET /": "authenticated" }"#,
            &[r"open-unlisted | unlisted | what the policy does not list is open to every authenticated caller"],
        ),
    ];
    for (members, expected) in rows {
        let found = find(&policy(members));
        assert_eq!(told(&found), *expected, "{members}");
        codes.extend(found.iter().map(|found| found.code));
    }
    // These need the operations of an API beside the policy: `tests/cli/check.trycmd` has them.
    let needs_operations = ["contradicted-security", "uncovered-operation", "unused-rule"];
    let alone = Lint::all().iter().map(|lint| lint.code).filter(|code| !needs_operations.contains(code));
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), alone.collect::<Vec<_>>());
}

#[test]
fn what_is_meant_is_left_alone() {
    for routes in [
        r#""GET /a": ["root", { "all_of": ["viewer"], "claims": { "sub": "me" } }]"#,
        r#""GET /a": { "all_of": ["editor"], "none_of": ["auditor"] }"#,
        r#""GET /a": { "any_of": ["editor", "auditor"] }"#,
        r#""GET /a": { "all_of": ["viewer"], "from": "2020-01-01T00:00:00Z", "until": "2026-06-01T12:00:01Z" }"#,
        r#""GET /a/{*rest}": "viewer", "GET /a": "viewer""#,
        r#""GET /a/{*rest}": "viewer", "GET /a/": "viewer""#,
        r#""GET /a": "viewer", "GET /b": "viewer""#,
        r#""GET,HEAD,OPTIONS /a": { "public": "why" }"#,
        r#""GET /a/{x}": { "allow": "root", "deny_as": "not_found" }, "GET /a/secret": { "allow": "root", "deny_as": "not_found" }"#,
        r#""GET /a": "viewer", "DELETE /a": { "allow": "root", "deny_as": "not_found" }"#,
        r#""GET /a": "viewer", "ANY /a/{*rest}": "root", "GET /a/users": "viewer""#,
        r#""GET /a": "viewer", "HEAD /a": "viewer""#,
        r#""GET,HEAD /a": "viewer""#,
        r#""GET /café": "viewer", "GET /a%20b/{id}": "viewer""#,
        r#""GET /a/": "viewer""#,
        r#""ANY /{page}": "root", "ANY /admin/{*rest}": "viewer""#,
        r#""ANY /{page}": "viewer", "ANY /admin": "root", "ANY /admin/{*rest}": "root""#,
        r#""GET /a-b": "viewer", "GET /a_b": "viewer", "GET /tier1": "viewer", "GET /tier2": "viewer""#,
        r#""GET /a": { "allow": "public", "silence": { "public-without-reason": "said elsewhere" } }"#,
    ] {
        assert_eq!(told(&find(&with_routes(routes))), [""; 0], "{routes}");
    }
    for members in [
        r#""unlisted": "forbidden", "routes": { "GET /": "authenticated" }"#,
        r#""routes": { "GET /": "public", "GET /b": "public" }, "silence": { "public-without-reason": "all of it is" }"#,
        r#""roles": { "tier1": {}, "tier2": {}, "lead": {}, "leader": { "permissions": ["config:get", "config:set"] } }, "routes": { "GET /": { "any_of": ["tier1", "tier2", "lead", "config:get", "config:set"] } }"#,
        r#""roles": { "a": {}, "b": { "permissions": ["p"] } }, "routes": { "GET /": { "allow": "p", "shadow": "a" } }"#,
    ] {
        assert_eq!(told(&find(&policy(members))), [""; 0], "{members}");
    }
}

#[test]
fn errors_and_findings_are_told_together_and_findings_that_an_error_could_refute_are_not() {
    for (members, expected) in [
        // The rest of the policy is looked at, and what the rules at fault may have needed counts as used.
        (
            r#""roles": { "admin": { "permissions": ["p"] }, "intern": {} }, "routes": { "GET /a": "admni", "GET /b": "public", "GET /c": { "all_of": ["p"], "nobdy": 1 } }"#,
            &[
                "unused-role roles.intern",
                r#"unknown-name routes."GET /a""#,
                r#"public-without-reason routes."GET /b""#,
                r#"unknown-key routes."GET /c".nobdy"#,
            ][..],
        ),
        // A key whose rule is at fault is listed all the same.
        (r#""routes": { "GET /a": [], "ANY /a/{*rest}": "authenticated" }"#, &[r#"empty-value routes."GET /a""#]),
        (r#""routes": { "GET /x": "authenticated", "HEAD /x": "nobod" }"#, &[r#"unknown-name routes."HEAD /x""#]),
        (
            r#""routes": { "GET /a": "authenticated", "GET,GET /a": { "public": "why" } }"#,
            &[r#"duplicate-route routes."GET,GET /a""#, r#"duplicate-route routes."GET,GET /a""#],
        ),
        (
            r#""routes": { "GET /a": "nope" }, "silence": { "public-write": "forms" }"#,
            &[r#"unknown-name routes."GET /a""#],
        ),
        (
            r#""roles": 1, "routes": { "POST /a": "public" }"#,
            &["wrong-type roles", r#"public-without-reason routes."POST /a""#, r#"public-write routes."POST /a""#],
        ),
        (r#""routes": 1"#, &["wrong-type routes"]),
    ] {
        let error = Policy::from_json_str(&format!("{{ \"version\": 1, {members} }}")).unwrap_err();
        let found = Linter::at(SystemTime::UNIX_EPOCH + NOW).find_with_errors(&error);
        let told: Vec<_> = found.iter().map(|found| format!("{} {}", found.code, found.place)).collect();
        assert_eq!(told, expected, "{members}");
        assert!(found.iter().all(|found| found.line == Some(1)));
    }
}

#[cfg(all(feature = "toml", feature = "yaml"))]
#[test]
fn equal_documents_give_equal_findings_each_where_its_text_has_them() {
    let json = r#"{
  "version": 1,
  "roles": { "admin": {}, "intern": {} },
  "routes": {
    "GET /a": ["admin", "admin"],
    "POST /b": "public",
    "GET /c": "admni"
  }
}"#;
    let toml = r#"version = 1
[roles]
admin = {}
intern = {}
[routes]
"GET /a" = ["admin", "admin"]
"POST /b" = "public"
"GET /c" = "admni"
"#;
    let yaml = "version: 1
roles:
  admin: {}
  intern: {}
routes:
  GET /a: [admin, admin]
  POST /b: public
  GET /c: admni
";
    let places = |json, toml, yaml| [json, toml, yaml];
    let expected = [
        ("unused-role", places((3, 27), (4, 1), (4, 3))),
        ("redundant-grant", places((5, 25), (6, 22), (6, 19))),
        ("public-without-reason", places((6, 16), (7, 13), (7, 12))),
        ("public-write", places((6, 16), (7, 13), (7, 12))),
        ("unknown-name", places((7, 15), (8, 12), (8, 11))),
    ];
    let errors = [Policy::from_json_str(json), Policy::from_toml_str(toml), Policy::from_yaml_str(yaml)];
    let mut told = Vec::new();
    for (format, error) in errors.into_iter().enumerate() {
        let found = Linter::at(SystemTime::UNIX_EPOCH + NOW).find_with_errors(&error.unwrap_err());
        let place = |found: &Diagnostic| (found.code, (found.line.unwrap(), found.column.unwrap()));
        let places: Vec<_> = found.iter().map(place).collect();
        assert_eq!(places, expected.map(|(code, places)| (code, places[format])), "format {format}");
        told.push(found.into_iter().map(|found| (found.message, found.place, found.help)).collect::<Vec<_>>());
    }
    assert!(told.iter().all(|other| *other == told[0]), "{told:?}");
}

#[test]
fn severities_follow_the_finding_and_the_operator() {
    let policy = with_routes(r#""POST /a": { "public": "a form" }"#);
    assert_eq!(find(&policy)[0].severity, Severity::Note);
    let strict = Linter::at(SystemTime::now()).severity(Lint::named("public-write").unwrap(), Severity::Error);
    assert_eq!(strict.find(&policy)[0].severity, Severity::Error);
    assert_eq!(find(&with_routes(r#""POST /a": "public""#))[1].severity, Severity::Warning);
}

#[test]
fn a_policy_built_in_code_is_looked_at_too() {
    let policy = Policy::builder().role("idle", |role| role).route("GET /", "authenticated").build().unwrap();
    let [found] = &policy.lints()[..] else { panic!("one finding") };
    assert_eq!((found.code, &*found.place, found.line), ("unused-role", "roles.idle", None));
}
