//! Documents that load, in every format, and what no document may do: panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::time::Duration;

use proptest::prelude::*;
use tower_authz::{
    Policy,
    policy::{Grant, Rule, Unlisted},
};

const WHOLE: &str = r#"{
  "version": 1,
  "realm": "billing",
  "roles": {
    "viewer":  { "permissions": ["invoice:read"] },
    "editor":  { "inherits": ["viewer"], "permissions": ["invoice:write"] },
    "admin":   { "inherits": ["editor"], "permissions": ["user:delete"] },
    "auditor": {}
  },
  "exclusive_roles": [["editor", "auditor"]],
  "routes": {
    "GET /health":           { "public": "load balancer probe" },
    "GET /me":               "authenticated",
    "GET /invoices":         "viewer",
    "POST /invoices":        "invoice:write",
    "GET /users/{id}":       ["admin", { "all_of": ["viewer"], "claims": { "sub": "{id}" } }],
    "DELETE /users/{id}":    { "allow": "admin", "message": "Deleting users requires the 'admin' role." },
    "PUT,PATCH /orgs/{org}": { "all_of": ["editor"], "claims": { "orgs": "{org}" } },
    "GET /reports/{*path}":  { "any_of": ["viewer", "auditor"], "networks": ["10.0.0.0/8"], "until": "2027-01-01T00:00:00Z" },
    "POST /payments":        { "all_of": ["editor"], "claims": { "plan": ["pro", "enterprise"] }, "step_up": { "acr": ["mfa"], "max_age_seconds": 300 } },
    "ANY /internal/{*rest}": { "allow": "admin", "deny_as": "not_found" }
  }
}"#;

#[cfg(feature = "toml")]
const WHOLE_TOML: &str = r#"
version = 1
realm = "billing"
exclusive_roles = [["editor", "auditor"]]

[roles]
viewer.permissions = ["invoice:read"]
editor = { inherits = ["viewer"], permissions = ["invoice:write"] }
auditor = {}

[roles.admin]
inherits = ["editor"]
permissions = ["user:delete"]

[routes]
"GET /health" = { public = "load balancer probe" }
"GET /me" = "authenticated"
"GET /invoices" = "viewer"
"POST /invoices" = "invoice:write"
"GET /users/{id}" = ["admin", { all_of = ["viewer"], claims = { sub = "{id}" } }]
"DELETE /users/{id}" = { allow = "admin", message = "Deleting users requires the 'admin' role." }
"PUT,PATCH /orgs/{org}" = { all_of = ["editor"], claims = { orgs = "{org}" } }
"GET /reports/{*path}" = { any_of = ["viewer", "auditor"], networks = ["10.0.0.0/8"], until = 2027-01-01T00:00:00Z }
"ANY /internal/{*rest}" = { allow = "admin", deny_as = "not_found" }

[routes."POST /payments"]
all_of = ["editor"]
claims.plan = ["pro", "enterprise"]
step_up = { acr = ["mfa"], max_age_seconds = 300 }
"#;

#[cfg(feature = "yaml")]
const WHOLE_YAML: &str = r#"
# who may do what
version: 1
realm: billing
roles:
  viewer: { permissions: [invoice:read] }
  editor:
    inherits: [viewer]
    permissions:
      - invoice:write
  admin: { inherits: [editor], permissions: [user:delete] }
  auditor: {}
exclusive_roles: [[editor, auditor]]
routes:
  GET /health: { public: load balancer probe }
  GET /me: authenticated
  GET /invoices: viewer
  POST /invoices: invoice:write
  GET /users/{id}:
    - admin
    - all_of: [viewer]
      claims: { sub: "{id}" }
  DELETE /users/{id}:
    allow: admin
    message: Deleting users requires the 'admin' role.
  "PUT,PATCH /orgs/{org}": { all_of: [editor], claims: { orgs: "{org}" } }
  "GET /reports/{*path}":
    any_of: [viewer, auditor]
    networks: [10.0.0.0/8]
    until: 2027-01-01T00:00:00Z
  POST /payments:
    all_of: [editor]
    claims: { plan: [pro, enterprise] }
    step_up: { acr: [mfa], max_age_seconds: 300 }
  ANY /internal/{*rest}: { allow: admin, deny_as: not_found }
"#;

fn whole_in_code() -> Policy {
    Policy::builder()
        .realm("billing")
        .role("viewer", |role| role.permission("invoice:read"))
        .role("editor", |role| role.inherits("viewer").permission("invoice:write"))
        .role("admin", |role| role.inherits("editor").permission("user:delete"))
        .role("auditor", |role| role)
        .exclusive_roles(["editor", "auditor"])
        .route("GET /health", Grant::public("load balancer probe"))
        .route("GET /me", Grant::authenticated())
        .route("GET /invoices", "viewer")
        .route("POST /invoices", Grant::permission("invoice:write"))
        .route("GET /users/{id}", [Grant::role("admin"), Grant::role("viewer").claim("sub", "{id}")])
        .route("DELETE /users/{id}", Rule::allow(["admin"]).message("Deleting users requires the 'admin' role."))
        .route("PUT,PATCH /orgs/{org}", Grant::role("editor").claim("orgs", "{org}"))
        .route(
            "GET /reports/{*path}",
            Grant::any_of(["viewer", "auditor"]).network("10.0.0.0/8").until("2027-01-01T00:00:00Z"),
        )
        .route(
            "POST /payments",
            Grant::all_of(["editor"])
                .claim("plan", ["pro", "enterprise"])
                .step_up_acr(["mfa"])
                .step_up_max_age(Duration::from_secs(300)),
        )
        .route("ANY /internal/{*rest}", Rule::allow(["admin"]).masked())
        .build()
        .unwrap()
}

#[test]
fn one_policy_has_one_revision_in_every_form() {
    let policy = Policy::from_json_str(WHOLE).unwrap();
    assert_eq!(policy.revision(), "526a560bfdd52da9", "a revision is stable across releases and platforms");
    assert_eq!(whole_in_code().revision(), policy.revision());
    #[cfg(feature = "toml")]
    assert_eq!(Policy::from_toml_str(WHOLE_TOML).unwrap().revision(), policy.revision());
    #[cfg(feature = "yaml")]
    assert_eq!(Policy::from_yaml_str(WHOLE_YAML).unwrap().revision(), policy.revision());
}

#[test]
fn a_revision_tells_what_is_said_and_not_how_it_is_written() {
    let base = r#"{"version":1,"roles":{"a":{},"b":{}},"routes":{"GET /x":"a","GET /y":"b"}}"#;
    let revision = |text: &str| Policy::from_json_str(text).unwrap().revision().to_owned();
    for same in [
        r#"{"routes":{"GET /y":"b","GET /x":"a"},"version":1,"roles":{"b":{},"a":{}}}"#,
        "{\"version\" : 1,\n\"$schema\": \"x\",\"roles\":{\"a\":{},\"b\":{}},\"routes\":{\"GET /\\u0078\":\"a\",\"GET /y\":\"b\"}}",
        "\u{feff}{\"version\":1,\"roles\":{\"a\":{},\"b\":{}},\"routes\":{\"GET /x\":\"a\",\"GET /y\":\"b\"}}",
    ] {
        assert_eq!(revision(base), revision(same), "{same}");
    }
    for other in [
        r#"{"version":1,"roles":{"a":{},"b":{}},"routes":{"GET /x":"b","GET /y":"a"}}"#,
        r#"{"version":1,"roles":{"a":{},"b":{}},"routes":{"GET /x":"a","GET /y":["b"]}}"#,
        r#"{"version":1,"roles":{"a":{},"b":{}},"routes":{"GET /x":"a"}}"#,
    ] {
        assert_ne!(revision(base), revision(other), "{other}");
    }
}

#[test]
fn everything_that_a_document_can_say_can_be_said_in_code() {
    let text = r#"{
      "version": 1,
      "unlisted": "forbidden",
      "silence": { "some-lint": "why" },
      "roles": { "a": { "description": "first", "permissions": ["p"] }, "b": {} },
      "routes": {
        "GET /nobody": "nobody",
        "GET /rule": {
          "allow": ["a", { "any_of": ["b"], "none_of": ["p"], "check": "c", "from": "2026-01-01T00:00:00Z" }],
          "shadow": "b", "name": "n", "encoded_slash": true, "message": "m", "silence": { "x": "y" }
        },
        "GET /own/{id}": { "claims": { "sub": "{id}" }, "networks": ["10.0.0.0/8", "192.0.2.1"] },
        "GET /both": { "all_of": ["a"], "any_of": ["b", "p"], "claims": { "n": 1, "f": 1.5, "t": true } }
      }
    }"#;
    let grant = Grant::any_of(["b"]).none_of(["p"]).check("c").not_before("2026-01-01T00:00:00Z");
    let rule = Rule::allow([Grant::role("a"), grant]).shadow(["b"]).name("n").encoded_slash().message("m");
    let built = Policy::builder()
        .unlisted(Unlisted::Forbidden)
        .silence("some-lint", "why")
        .role("a", |role| role.description("first").permission("p"))
        .role("b", |role| role)
        .route("GET /nobody", Grant::nobody())
        .route("GET /rule", rule.silence("x", "y"))
        .route("GET /own/{id}", Grant::authenticated().claim("sub", "{id}").network("10.0.0.0/8").network("192.0.2.1"))
        .route("GET /both", Grant::role("a").and_any_of(["b", "p"]).claim("n", 1).claim("f", 1.5).claim("t", true))
        .build()
        .unwrap();
    assert_eq!(built.revision(), Policy::from_json_str(text).unwrap().revision());
}

#[test]
fn what_the_grammar_allows_loads() {
    for rule in [
        r#""public""#,
        r#""nobody""#,
        r#"["nobody", "authenticated"]"#,
        r#"{ "allow": { "public": "why" }, "name": "n", "encoded_slash": true, "silence": { "some-lint": "why" } }"#,
        r#"{ "allow": ["a", "p"], "shadow": "b" }"#,
        r#"{ "all_of": ["a", "p"], "any_of": ["b"], "none_of": ["b"] }"#,
        r#"{ "claims": { "n": 1, "f": 1.5, "t": true, "l": ["x", 2, false, "{id}"], "braces": "{{id}}" } }"#,
        r#"{ "networks": ["192.0.2.1", "2001:db8::/32", "0.0.0.0/0"] }"#,
        r#"{ "from": "2026-01-01T00:00:00+01:00", "until": "2025-01-01T00:00:00Z" }"#,
        r#"{ "step_up": { "max_age_seconds": 0 } }"#,
        r#"{ "check": "office-hours" }"#,
    ] {
        for key in ["GET /x/{id}", "ANY /x/{id}", "PURGE,X-FETCH /x/{id}/", "GET /caf\u{e9}/{id}", "GET /{{x}}/{id}"] {
            let roles = r#"{ "a": { "description": "first", "permissions": ["p"] }, "b": {} }"#;
            let text = format!(r#"{{ "version": 1, "roles": {roles}, "routes": {{ "{key}": {rule} }} }}"#);
            Policy::from_json_str(&text).unwrap();
        }
    }
}

#[test]
fn one_path_may_be_spoken_of_by_many_keys() {
    let text = r#"{ "version": 1, "routes": {
        "GET /a/{id}": "authenticated", "POST,PUT /a/{id}": "nobody", "ANY /a/{id}": "public",
        "GET /a/b": "public", "GET /a/{*rest}": "public", "GET /a/{id}/": "public" } }"#;
    Policy::from_json_str(text).unwrap();
}

#[test]
fn many_routes_load_in_time_that_grows_with_their_number() {
    let routes: Vec<_> =
        (0..20_000).map(|i| format!(r#""GET /r{i}/{{id}}": {{ "all_of": ["a"], "check": "c" }}"#)).collect();
    let text = format!(r#"{{ "version": 1, "roles": {{ "a": {{}} }}, "routes": {{ {} }} }}"#, routes.join(","));
    let started = std::time::Instant::now();
    Policy::from_json_str(&text).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// Loads a text in every format; that it comes back at all is what is tested.
fn load_everywhere(text: &str) {
    let results = [
        Some(Policy::from_json_str(text)),
        #[cfg(feature = "toml")]
        Some(Policy::from_toml_str(text)),
        #[cfg(feature = "yaml")]
        Some(Policy::from_yaml_str(text)),
    ];
    for error in results.into_iter().flatten().filter_map(Result::err) {
        assert!(!error.diagnostics().is_empty());
        for found in error.diagnostics() {
            let span = found.span.clone().unwrap();
            assert!(error.source_text().unwrap().get(span).is_some(), "{found:?}");
            assert!(!found.message.is_empty() && !found.message.ends_with('.'), "{found:?}");
        }
        assert!(error.to_string().len() > 20);
    }
}

#[test]
fn hostile_documents_are_refused_in_good_time() {
    for text in [
        "[".repeat(200_000),
        "{\"a\":".repeat(200_000),
        "- ".repeat(50_000),
        "a: ".repeat(50_000),
        "[[".repeat(50_000),
        "a.".repeat(50_000) + "a = 1",
        "{a: ".repeat(20_000),
        "\"".to_owned() + &"\\".repeat(100_000),
        format!("a: {}", "&a ".repeat(1_000)),
        format!(r#"{{"version":1,"routes":{{"GET /{}":1}}}}"#, "%25".repeat(100_000)),
        format!(r#"{{"version":1,"routes":{{"GET /{}":"x"}}}}"#, "{a}/".repeat(100_000)),
        format!(r#"{{"version":1,"routes":{{"GET /x":[{}]}}}}"#, vec!["\"some-name\""; 50_000].join(",")),
        format!(
            r#"{{"version":1,"roles":{{{}}},"routes":{{"GET /x":"a"}}}}"#,
            numbered(20_000, |i| format!(r#""r{i}":{{}}"#))
        ),
        format!(
            r#"{{"version":1,"roles":{{{}}},"routes":{{"GET /x":"a"}}}}"#,
            numbered(5_000, |i| format!(r#""r{i}":{{"inherits":["r{}","r0"]}}"#, (i + 1) % 5_000))
        ),
        format!(r#"{{"version":1,{}}}"#, numbered(50_000, |_| r#""realm":"x""#.to_owned())),
        format!("version = 1\n{}", "realm = 'x'\n".repeat(2_000)),
    ] {
        let started = std::time::Instant::now();
        load_everywhere(&text);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?} {}", started.elapsed(), text.get(..60).unwrap());
    }
}

fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().join(",")
}

/// The whole document with some of its pieces replaced, dropped or doubled.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = text.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
    let other = prop::sample::select(vec![
        "", "{", "}", "[", "]", "\"", ":", ",", "null", "1", "-1e99", "{id}", "&a", "*a", "!!str", "---", "\n",
        "\u{0}", "é", "=", "#",
    ]);
    let count = pieces.len();
    prop::collection::vec((0..count, other), 1..6).prop_map(move |changes| {
        let mut pieces = pieces.clone();
        for (at, new) in changes {
            pieces[at] = new;
        }
        pieces.concat()
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        load_everywhere(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}\"':,&*!|>#%@`=\\-\\\\ \n\ta0é.~?]{0,80}") {
        load_everywhere(&text);
    }

    #[test]
    fn no_broken_policy_panics(text in mutated(WHOLE)) {
        load_everywhere(&text);
    }
}

#[cfg(feature = "toml")]
proptest! {
    #[test]
    fn no_broken_policy_in_toml_panics(text in mutated(WHOLE_TOML)) {
        load_everywhere(&text);
    }
}

#[cfg(feature = "yaml")]
proptest! {
    #[test]
    fn no_broken_policy_in_yaml_panics(text in mutated(WHOLE_YAML)) {
        load_everywhere(&text);
    }
}
