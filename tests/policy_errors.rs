//! What an operator reads when a policy does not load: every code, with message, help, place, line and underlined text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::collections::{BTreeMap, BTreeSet};

use tower_authz::{
    Diagnostic, Policy, PolicyError, PolicyErrorKind,
    policy::{Grant, Rule},
};

/// A document with these routes.
fn routes(routes: &str) -> String {
    format!(
        "{{\n  \"version\": 1,\n  \"roles\": {{ \"viewer\": {{ \"permissions\": [\"invoice:read\"] }}, \"admin\": {{}} }},\n  \
         \"routes\": {{\n    {routes}\n  }}\n}}"
    )
}

/// A document with these roles, and other members of the top level.
fn roles(roles: &str) -> String {
    format!("{{\n  \"version\": 1,\n  \"roles\": {{ {roles} }},\n  \"routes\": {{ \"GET /x\": \"authenticated\" }}\n}}")
}

/// A document with these other members of the top level.
fn top(members: &str) -> String {
    format!("{{\n  \"version\": 1,\n  {members},\n  \"routes\": {{ \"GET /x\": \"authenticated\" }}\n}}")
}

/// Documents, and the codes that they are refused with.
fn cases() -> Vec<(&'static str, String)> {
    vec![
        ("ambiguous-name", roles(r#""a": { "permissions": ["b"] }, "b": {}"#)),
        ("conflicting-parameters", routes(r#""GET /users/{id}": "admin", "DELETE /users/{user}": "admin""#)),
        (
            "conflicting-unlisted",
            r#"{ "version": 1, "unlisted": "forbidden", "routes": { "GET /x": { "allow": "nobody", "deny_as": "not_found" } } }"#
                .to_owned(),
        ),
        ("duplicate-key", top("\"realm\": \"a\",\n  \"realm\": \"b\"")),
        ("duplicate-key", routes(r#""GET /x": "admin", "GET /x": "public""#)),
        ("duplicate-route", routes(r#""GET,PUT /x": "admin", "POST,GET /x": "public""#)),
        ("duplicate-route", routes(r#""GET,GET /x": "admin""#)),
        ("duplicate-rule-name", routes(r#""GET /x": { "allow": "admin", "name": "n" }, "GET /y": { "allow": "admin", "name": "n" }"#)),
        ("empty-document", " \n".to_owned()),
        ("empty-value", top(r#""roles": {}, "exclusive_roles": [], "realm": " ", "silence": {}"#)),
        ("empty-value", roles(r#""a": { "permissions": [], "inherits": [] }"#)),
        ("empty-value", r#"{ "version": 1, "routes": {} }"#.to_owned()),
        ("empty-value", routes(r#""GET /a": [], "GET /b": {}, "GET /c": { "public": "" }, "GET /d": { "any_of": [] }"#)),
        ("empty-value", routes(r#""GET /a": { "claims": {} }, "GET /b": { "claims": { "sub": "", "": 1, "x": [] } }"#)),
        ("empty-value", routes(r#""GET /a": { "networks": [], "check": "", "step_up": {} }"#)),
        ("empty-value", routes(r#""GET /a": { "step_up": { "acr": [] } }, "GET /b": { "step_up": { "acr": [""] } }"#)),
        ("empty-value", routes(r#""GET /a": { "allow": "admin", "message": "", "name": "", "silence": { "x": "" } }"#)),
        ("exclusive-inheritance", top(r#""roles": { "a": {}, "b": {}, "c": { "inherits": ["a", "b"] } }, "exclusive_roles": [["a", "b"]]"#)),
        ("exclusive-set", top(r#""roles": { "a": {} }, "exclusive_roles": [["a", "a"]]"#)),
        ("inheritance-cycle", roles(r#""a": { "inherits": ["b"] }, "b": { "inherits": ["c"] }, "c": { "inherits": ["a"] }"#)),
        ("inheritance-cycle", roles(r#""a": { "inherits": ["a"] }"#)),
        ("invalid-acr", routes(r#""GET /x": { "step_up": { "acr": ["multi factor"] } }"#)),
        ("invalid-claim", routes(r#""GET /x/{id}": { "claims": { "sub": "user-{id}" } }"#)),
        ("invalid-method", routes(r#""get /a": "admin", "GET,ANY /b": "admin", "G(T /c": "admin", "* /d": "admin""#)),
        ("invalid-name", roles("\"a b\": {}, \"\": {}, \" a\": {}, \"x\": { \"permissions\": [\"p\\n\", \"\"] }")),
        ("invalid-network", routes(r#""GET /x": { "networks": ["10.1.2.3/8", "office", "::ffff:10.0.0.0/104", "10.0.0.0/33"] }"#)),
        ("invalid-path", routes(r#""GET /a/:id": "admin", "GET /b/*": "admin", "GET /c/**": "admin", "GET /d/{id:[0-9]+}": "admin""#)),
        ("invalid-path", routes(r#""GET users": "admin", "GET /a/{id": "admin", "GET /b/{}": "admin", "GET /c/{x}.png": "admin""#)),
        ("invalid-path", routes(r#""GET /a/{*rest}/b": "admin", "GET /{a}/{a}": "admin", "GET /d/*rest": "admin""#)),
        ("invalid-path", routes(&format!(r#""GET /{}": "admin""#, "a/".repeat(1_500)))),
        ("invalid-route-key", routes(r#""/users": "admin", "GET": "admin", "GET  /a": "admin", "GET, PUT /b": "admin", "": "admin""#)),
        ("invalid-time", routes(r#""GET /x": { "from": "tomorrow", "until": "2027-01-01T00:00:00" }"#)),
        ("misplaced-keyword", routes(r#""GET /x": { "all_of": ["authenticated"] }"#)),
        ("missing-key", "{}".to_owned()),
        ("missing-key", routes(r#""GET /x": { "message": "no" }"#)),
        ("not-a-role", roles(r#""a": { "inherits": ["p", "public"], "permissions": ["p"] }"#)),
        ("public-not-alone", routes(r#""GET /x": { "public": "why", "all_of": ["admin"] }"#)),
        ("reserved-name", roles(r#""public": {}, "a": { "permissions": ["nobody"] }"#)),
        ("syntax", "{\n  \"version\": 1,\n  \"routes\": { \"GET /x\": \"public\", }\n}".to_owned()),
        ("syntax", "{ \"version\": 1 // one\n}".to_owned()),
        ("syntax", "{ 'version': 1 }".to_owned()),
        ("syntax", "{ \"version\": 1".to_owned()),
        ("too-many-names", roles(&(0..10_001).map(|i| format!(r#""r{i}": {{}}"#)).collect::<Vec<_>>().join(","))),
        ("unknown-key", top(r#""relam": "x", "zzz": 1"#)),
        ("unknown-key", roles(r#""a": { "inherit": [], "x": 1 }"#)),
        ("unknown-key", routes(r#""GET /x": { "al_of": ["admin"] }, "GET /y": { "allow": "admin", "any_of": ["viewer"] }"#)),
        ("unknown-key", routes(r#""GET /x": [{ "allow": "admin" }], "GET /y": { "step_up": { "acr": ["x"], "max_age": 3 } }"#)),
        ("unknown-name", routes(r#""GET /a": "admn", "GET /b": "invoice:raed", "GET /c": "Admin", "GET /d": "publik", "GET /e": "*""#)),
        ("unknown-name", roles(r#""admin": { "inherits": ["amdin"] }"#)),
        ("unknown-parameter", routes(r#""GET /x/{id}": { "claims": { "sub": "{user}" } }, "GET /y": { "claims": { "sub": "{id}" } }"#)),
        ("unknown-value", top(r#""unlisted": "hidden""#)),
        ("unknown-value", routes(r#""GET /x": { "allow": "admin", "deny_as": "forbidden" }"#)),
        ("unreachable-path", routes(r#""GET /a/../b": "admin", "GET /a\\b": "admin", "GET /a?x=1": "admin", "GET /a#b": "admin""#)),
        ("unsupported-version", r#"{ "version": 2, "routes": { "GET /x": "public" } }"#.to_owned()),
        ("wrong-type", "[]".to_owned()),
        ("wrong-type", r#"{ "version": "1", "realm": 1, "roles": [], "exclusive_roles": {}, "routes": null, "$schema": 1 }"#.to_owned()),
        ("wrong-type", roles(r#""a": null, "b": { "permissions": "p", "inherits": {} }, "c": { "permissions": [1], "description": 1 }"#)),
        ("wrong-type", routes(r#""GET /a": null, "GET /b": 1, "GET /c": ["admin", ["viewer"]], "GET /d": { "any_of": "admin" }"#)),
        ("wrong-type", routes(r#""GET /a": { "claims": { "a": null, "b": {}, "c": [[]] }, "networks": "10.0.0.0/8", "from": 1 }"#)),
        ("wrong-type", routes(r#""GET /a": { "step_up": { "max_age_seconds": -1 } }, "GET /b": { "step_up": { "max_age_seconds": "5" } }"#)),
        ("wrong-type", routes(r#""GET /a": { "allow": "admin", "encoded_slash": "yes", "message": 1, "silence": [] }"#)),
    ]
}

#[cfg(feature = "yaml")]
fn yaml_cases() -> Vec<(&'static str, &'static str)> {
    vec![
        ("unquoted-braces", "version: 1\nroutes:\n  GET /x/{id}: { claims: { sub: {id} } }\n"),
        ("unsupported-yaml", "version: 1\nroutes: &all\n  GET /x: public\n"),
        ("unsupported-yaml", "version: 1\nroutes:\n  GET /x: !!str public\n"),
        ("unsupported-yaml", "version: 1\n---\nversion: 1\n"),
        ("unsupported-yaml", "version: 1\nroutes:\n  [GET]: public\n"),
        ("unsupported-yaml", "version: 1\nroutes:\n  GET /x: {*path}\n"),
        ("syntax", "version: 1\nroutes:\n  GET /x: public\n\0\nexclusive_roles: []\n"),
        ("syntax", "version: 1\n routes: {}\n"),
    ]
}

fn refused(text: &str) -> PolicyError {
    Policy::from_json_str(text).expect_err(text)
}

#[test]
fn every_problem_says_what_is_wrong_where_and_how_to_mend_it() {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (code, text) in cases() {
        let error = refused(&text);
        for found in error.diagnostics() {
            assert_eq!(found.code, code, "{error}");
        }
        texts.entry(code).or_default().push(error.to_string());
    }
    for (code, texts) in texts {
        insta::assert_snapshot!(code, texts.join("\n\n---\n\n"));
    }
}

#[cfg(feature = "yaml")]
#[test]
fn what_only_yaml_can_get_wrong_is_said_in_the_same_way() {
    let texts = yaml_cases().into_iter().map(|(code, text)| {
        let error = Policy::from_yaml_str(text).expect_err(text);
        assert_eq!(error.diagnostics()[0].code, code, "{error}");
        error.to_string()
    });
    insta::assert_snapshot!("yaml", texts.collect::<Vec<_>>().join("\n\n---\n\n"));
}

#[test]
fn every_code_has_a_case() {
    let mut told: BTreeSet<_> = cases().into_iter().map(|(code, _)| code).collect();
    // These are about files and other formats, and have tests of their own.
    told.extend(["unreadable-file", "unknown-format", "disabled-format", "unquoted-braces", "unsupported-yaml"]);
    assert_eq!(told, Diagnostic::codes().iter().copied().collect());
}

#[test]
fn all_problems_of_a_document_are_reported_at_once_in_its_order() {
    let text = r#"{
  "relam": "billing",
  "version": 3,
  "roles": { "admin": { "inherits": ["viewr"] }, "viewer": {} },
  "routes": {
    "GET /users/:id": "admn",
    "get /x": { "networks": ["10.0.0.1/8"], "until": "soon" },
    "GET /me": "authenticated"
  }
}"#;
    insta::assert_snapshot!("all-at-once", refused(text));
}

#[test]
fn a_long_line_is_shown_around_the_fault_and_control_characters_do_not_reach_the_terminal() {
    let padding = "\"x\": 1, ".repeat(40);
    let text =
        format!("{{ \"version\": 1, \"routes\": {{ \"GET /x\": \"\\u001b[31mred\u{202e}\" }}, {padding} \"y\": 1 }}");
    let text = text.replace("\"x\": 1, \"x\"", "\"x\": 1,\t\"x\"");
    let shown = refused(&text).to_string();
    assert!(shown.contains(r"no role or permission `\u{1b}[31mred\u{202e}` is declared"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}', '\t']), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
}

#[test]
fn columns_count_characters() {
    let found = refused("{ \"version\": 1,\r\n \"realm\": \"é😀\", \"routes\": { \"GET /é\": \"x\" } }");
    let found = &found.diagnostics()[0];
    assert_eq!((found.line, found.column), (Some(2), Some(39)));
}

#[test]
fn a_policy_built_in_code_has_places_but_no_lines() {
    let error = Policy::builder()
        .role("admin", |role| role.inherits("viewer"))
        .route("GET /users/:id", Rule::allow([Grant::nobody().claim("sub", "{id}"), Grant::role("admni")]).masked())
        .build()
        .unwrap_err();
    assert!(error.source_text().is_none());
    insta::assert_snapshot!("built-in-code", error);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    for (path, code, part) in [
        ("/nowhere/policy.json", "unreadable-file", "the file cannot be read: "),
        ("policy.ini", "unknown-format", "the extension `ini` tells no format"),
        ("policy", "unknown-format", "the extension `` tells no format"),
        #[cfg(not(feature = "toml"))]
        ("policy.toml", "disabled-format", "enable the feature `toml` of `tower-authz`"),
        #[cfg(not(feature = "yaml"))]
        ("policy.yml", "disabled-format", "enable the feature `yaml` of `tower-authz`"),
    ] {
        let error = Policy::from_file(path).unwrap_err();
        assert_eq!((error.kind(), error.diagnostics()[0].code), (PolicyErrorKind::Unreadable, code));
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("the policy {path} does not load")) && shown.contains(part), "{shown}");
    }
    assert!(std::error::Error::source(&Policy::from_json_file("/nowhere").unwrap_err()).is_some());
}

#[test]
fn a_file_is_read_by_its_extension_and_one_that_is_not_text_is_refused_with_the_place() {
    let folder = std::env::temp_dir().join(format!("tower-authz-policy-errors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let json = br#"{ "version": 1, "routes": { "GET /x": "public" } }"#;
    Policy::from_file(write("policy.json", json)).unwrap();
    Policy::from_file(write("policy.JSON", json)).unwrap();
    Policy::from_json_file(write("policy.conf", json)).unwrap();
    #[cfg(feature = "toml")]
    Policy::from_file(write("policy.toml", b"version = 1\nroutes.\"GET /x\" = \"public\"")).unwrap();
    #[cfg(feature = "yaml")]
    Policy::from_file(write("policy.yml", b"version: 1\nroutes: { GET /x: public }")).unwrap();
    let error = Policy::from_file(write("latin.json", b"{\n  \"realm\": \"caf\xe9\" }")).unwrap_err();
    let found = &error.diagnostics()[0];
    assert_eq!((error.kind(), found.code), (PolicyErrorKind::Syntax, "syntax"));
    assert_eq!((found.message.as_str(), found.line, found.column), ("the file is not UTF-8", Some(2), Some(16)));
    std::fs::remove_dir_all(folder).unwrap();
}

/// The same document in all formats.
#[cfg(all(feature = "toml", feature = "yaml"))]
const FORMATS: &[(&str, &str, &str)] = &[
    (
        r#"{ "version": 2, "relam": "x", "unlisted": "gone", "routes": { "GET /x": "admn" } }"#,
        "version = 2\nrelam = \"x\"\nunlisted = \"gone\"\n\n[routes]\n\"GET /x\" = \"admn\"\n",
        "version: 2\nrelam: x\nunlisted: gone\nroutes:\n  GET /x: admn\n",
    ),
    (
        r#"{ "version": 1, "realm": "a", "realm": "b", "realm": "c", "roles": { "a": { "permissions": ["p"], "permissions": ["q"] } },
             "routes": { "GET /x": { "all_of": ["a"], "all_of": ["a"] } } }"#,
        "version = 1\nrealm = \"a\"\nrealm = \"b\"\nrealm = \"c\"\n[roles.a]\npermissions = [\"p\"]\npermissions = [\"q\"]\n\
         [routes]\n\"GET /x\" = { all_of = [\"a\"], all_of = [\"a\"] }\n",
        "version: 1\nrealm: a\nrealm: b\nrealm: c\nroles:\n  a:\n    permissions: [p]\n    permissions: [q]\n\
         routes:\n  GET /x: { all_of: [a], all_of: [a] }\n",
    ),
    (
        r#"{ "version": 1, "roles": { "a": { "inherits": ["a", "b"] } }, "routes": { "GET /x": ["a", { "networks": ["10.0.0.1/8"] }] } }"#,
        "version = 1\n[roles.a]\ninherits = [\"a\", \"b\"]\n[routes]\n\"GET /x\" = [\"a\", { networks = [\"10.0.0.1/8\"] }]\n",
        "version: 1\nroles:\n  a:\n    inherits:\n      - a\n      - b\nroutes:\n  GET /x:\n    - a\n    - networks: [10.0.0.1/8]\n",
    ),
    (
        r#"{ "version": 1, "routes": { "GET /a/:id": "public", "get /b": "public", "GET /c": { "until": "2027-01-01" } } }"#,
        "version = 1\n[routes]\n\"GET /a/:id\" = \"public\"\n'get /b' = 'public'\n\"GET /c\" = { until = 2027-01-01 }\n",
        "version: 1\nroutes:\n  GET /a/:id: public\n  'get /b': \"public\"\n  GET /c: { until: 2027-01-01 }\n",
    ),
    (
        r#"{ "version": 1, "routes": { "GET /a": { "allow": "public", "encoded_slash": 1, "message": true } } }"#,
        "version = 1\n[routes.\"GET /a\"]\nallow = \"public\"\nencoded_slash = 1\nmessage = true\n",
        "version: 1\nroutes:\n  GET /a:\n    allow: public\n    encoded_slash: 1\n    message: true\n",
    ),
];

#[cfg(all(feature = "toml", feature = "yaml"))]
#[test]
fn the_same_document_has_the_same_problems_in_every_format() {
    type Finding = (String, String, Option<String>, String, String);
    fn findings(error: &PolicyError) -> Vec<Finding> {
        let text = error.source_text().unwrap();
        let finding = |found: &Diagnostic| {
            let span = found.span.clone().unwrap();
            let before = &text[..span.start];
            assert_eq!(found.line, Some(before.matches('\n').count() + 1));
            assert_eq!(found.column, Some(before.chars().rev().take_while(|c| *c != '\n').count() + 1));
            let underlined = text[span].trim_matches(['"', '\'']).to_owned();
            (found.code.to_owned(), found.message.clone(), found.help.clone(), found.place.clone(), underlined)
        };
        error.diagnostics().iter().map(finding).collect()
    }
    for (json, toml, yaml) in FORMATS {
        let expected = findings(&refused(json));
        assert!(expected.len() > 1, "{expected:?}");
        assert_eq!(findings(&Policy::from_toml_str(toml).unwrap_err()), expected, "{toml}");
        assert_eq!(findings(&Policy::from_yaml_str(yaml).unwrap_err()), expected, "{yaml}");
    }
}

#[cfg(all(feature = "toml", feature = "yaml"))]
#[test]
fn an_empty_document_lacks_the_same_keys_in_every_format() {
    let codes = |error: PolicyError| error.diagnostics().iter().map(|found| found.message.clone()).collect::<Vec<_>>();
    let expected = codes(refused("{}"));
    assert_eq!(codes(Policy::from_toml_str("# nothing\n").unwrap_err()), expected);
    assert_eq!(codes(Policy::from_yaml_str("# nothing\n").unwrap_err()), expected);
}

#[cfg(feature = "yaml")]
#[test]
fn json_read_as_yaml_has_the_same_problems_at_the_same_places() {
    for (code, text) in cases().into_iter().filter(|(code, _)| *code != "syntax") {
        let text = text.replace("admin", "admín😀").replace('\n', "\r\n");
        let (json, yaml) = (refused(&text), Policy::from_yaml_str(&text).expect_err(&text));
        assert_eq!(json.diagnostics(), yaml.diagnostics(), "{code}\n{json}\n{yaml}");
    }
}
