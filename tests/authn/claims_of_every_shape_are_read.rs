use serde_json::{Value, json};
use tower_authz::{
    Principal,
    authn::{ClaimMap, ClaimSource, Scopes, Separator},
};

use super::{
    identify, outcome,
    tokens::{bearing, builder, token},
};

async fn principal(map: ClaimMap, claims: Value) -> Principal {
    let identity = identify(&builder().claims(map).build().unwrap(), &bearing(&token(claims))).await;
    identity.principal().unwrap().clone()
}

fn roles(principal: &Principal) -> Vec<&str> {
    principal.role_names().collect()
}

#[tokio::test]
async fn roles_are_found_wherever_they_are() {
    let from = |source: ClaimSource| ClaimMap::new().roles(source);
    let at = |path: &str| ClaimSource::at(path);
    let by_client = || at("clients").of_client("billing");
    let cases: Vec<(ClaimMap, Value, Option<Vec<&str>>)> = vec![
        (from(at("a.b")), json!({ "a": { "b": ["x"] } }), Some(vec!["x"])),
        (from(at("a.b")), json!({ "a.b": ["top"], "a": { "b": ["x"] } }), Some(vec!["top"])),
        (from(at("a.b")), json!({ "a.b": null, "a": { "b": ["x"] } }), Some(vec!["x"])),
        (from(["a.b"].into()), json!({ "a.b": ["top"], "a": { "b": ["x"] } }), Some(vec!["top"])),
        (from(["a.b"].into()), json!({ "a": { "b": ["x"] } }), Some(vec![])),
        (from(["a", "b.c"].into()), json!({ "a": { "b.c": ["x"] }, "a.b.c": ["y"] }), Some(vec!["x"])),
        (from(at("https://x.example/roles")), json!({ "https://x.example/roles": ["x"] }), Some(vec!["x"])),
        (from(at("a.b")), json!({ "a": {} }), Some(vec![])),
        (from(at("a.b")), json!({ "a": null }), Some(vec![])),
        (from(at("a.b")), json!({ "a": "b" }), None),
        (from(at("a.b")), json!({ "a": [{ "b": ["x"] }] }), None),
        (from(at("a.b.c")), json!({ "a": { "b": 7 } }), None),
        (from(at("a")), json!({ "a": ["x", "", "y z"] }), Some(vec!["x", "y z"])),
        (from(at("a")), json!({ "a": "" }), Some(vec![])),
        (from(at("a")), json!({ "a": "x y" }), None),
        (from(at("a").separated_by(Separator::Space)), json!({ "a": " x  y" }), Some(vec!["x", "y"])),
        (from(at("a").separated_by(Separator::Comma)), json!({ "a": "x, y z ,,w" }), Some(vec!["x", "y z", "w"])),
        (from(at("a").separated_by(Separator::Comma)), json!({ "a": ["x,y"] }), Some(vec!["x,y"])),
        (from(at("a")), json!({ "a": { "x": true } }), None),
        (from(at("a")), json!({ "a": true }), None),
        (from(at("a")), json!({ "a": [{ "value": "x" }] }), None),
        (from(at("a").with_values()), json!({ "a": [{ "value": "x", "display": "X" }, "y"] }), Some(vec!["x", "y"])),
        (from(at("a").with_values()), json!({ "a": [{ "display": "X" }] }), None),
        (from(by_client()), json!({ "clients": { "billing": ["x"], "other": ["y"] } }), Some(vec!["x"])),
        (from(by_client()), json!({ "clients": { "other": ["y"] } }), Some(vec![])),
        (from(by_client()), json!({ "clients": { "billing": null } }), Some(vec![])),
        (from(by_client()), json!({ "clients": ["x"] }), None),
        (from(by_client()), json!({ "clients": { "billing": { "x": 1 } } }), None),
        (
            from(at("a").strip_prefix("b-")),
            json!({ "a": ["b-x", "admin", "b-", "B-y", "b-b-z"] }),
            Some(vec!["x", "b-z"]),
        ),
        (from(at("a")).roles("b"), json!({ "a": ["x"], "b": "y" }), Some(vec!["x", "y"])),
        (from(at("a")).rename_role("x", "admin"), json!({ "a": ["x", "y"] }), Some(vec!["admin", "y"])),
        (from(at("a").strip_prefix("b-")).rename_role("x", "r"), json!({ "a": ["b-x", "x"] }), Some(vec!["r"])),
        (from(at("a")).rename_permission("x", "r"), json!({ "a": ["x"] }), Some(vec!["x"])),
        (ClaimMap::new(), json!({ "roles": ["x"], "scope": "y" }), Some(vec![])),
    ];
    for (map, claims, expected) in cases {
        let found = principal(map.clone(), claims.clone()).await;
        assert_eq!(roles(&found), expected.clone().unwrap_or_default(), "{claims} by {map:?}");
        assert_eq!(found.malformed_sources().count(), usize::from(expected.is_none()), "{claims} by {map:?}");
        assert_eq!(found.permission_names().count(), 0);
    }
}

#[tokio::test]
async fn one_malformed_source_spoils_no_other_and_is_named() {
    let map = ClaimMap::new().roles("a.b").roles("c").permissions("d").scopes("e", Scopes::Grant);
    let found = principal(map, json!({ "a": { "b": 1 }, "c": ["x"], "d": {}, "e": "y z" })).await;
    assert_eq!(roles(&found), ["x"]);
    assert_eq!(found.permission_names().collect::<Vec<_>>(), ["y", "z"]);
    assert_eq!(found.malformed_sources().collect::<Vec<_>>(), ["a.b", "d"]);
}

/// `OpenID` Connect Core 1.0, section 5.6.2. Entra ID sends the groups of who is in more than 200 so.
#[tokio::test]
async fn what_the_issuer_keeps_elsewhere_is_malformed_and_not_missing() {
    let map = || ClaimMap::new().roles("groups").roles(["https://x.example/roles"]).roles("a.b");
    let elsewhere = |names: Value| json!({ "_claim_names": names, "_claim_sources": { "src1": { "endpoint": "x" } } });
    let cases: Vec<(Value, &[&str])> = vec![
        (elsewhere(json!({ "groups": "src1" })), &["groups"]),
        (elsewhere(json!({ "https://x.example/roles": "src1" })), &["https://x.example/roles"]),
        (elsewhere(json!({ "a": "src1" })), &["a.b"]),
        (elsewhere(json!({ "a.b": "src1" })), &["a.b"]),
        (elsewhere(json!({ "b": "src1", "address": "src1" })), &[]),
        (elsewhere(json!({ "groups": null })), &["groups"]),
        (elsewhere(json!(["groups"])), &[]),
        (json!({ "_claim_names": { "groups": "src1" }, "groups": ["x"] }), &[]),
        (json!({ "_claim_names": { "groups": "src1" }, "groups": null }), &["groups"]),
    ];
    for (claims, malformed) in cases {
        let found = principal(map(), claims.clone()).await;
        assert_eq!(found.malformed_sources().collect::<Vec<_>>(), malformed, "{claims}");
    }
    let limited = ClaimMap::new().roles("roles").scopes("scope", Scopes::LimitIfPresent);
    let found = principal(limited, elsewhere(json!({ "scope": "src1" }))).await;
    assert_eq!(found.permission_limit().map(Iterator::count), Some(0), "what the scopes are is not known");
}

#[tokio::test]
async fn scopes_grant_or_limit_as_it_was_said() {
    use Scopes::{Grant, Limit, LimitIfPresent};
    // The claims; which permissions are granted; to which those of the roles are limited.
    type Row = (Scopes, Value, Vec<&'static str>, Option<Vec<&'static str>>);
    let cases: Vec<Row> = vec![
        (Grant, json!({ "scope": "x y" }), vec!["always", "x", "y"], None),
        (Grant, json!({}), vec!["always"], None),
        (Limit, json!({ "scope": "x y" }), vec!["always"], Some(vec!["x", "y"])),
        (Limit, json!({ "scope": ["x"] }), vec!["always"], Some(vec!["x"])),
        (Limit, json!({ "scope": "" }), vec!["always"], Some(vec![])),
        (Limit, json!({}), vec!["always"], Some(vec![])),
        (Limit, json!({ "scope": 7 }), vec!["always"], Some(vec![])),
        (LimitIfPresent, json!({ "scope": "x" }), vec!["always"], Some(vec!["x"])),
        (LimitIfPresent, json!({ "scope": "" }), vec!["always"], Some(vec![])),
        (LimitIfPresent, json!({ "scope": 7 }), vec!["always"], Some(vec![])),
        (LimitIfPresent, json!({}), vec!["always"], None),
    ];
    for (are, mut claims, granted, limit) in cases {
        claims["permissions"] = json!(["always"]);
        let map = ClaimMap::new().roles("roles").permissions("permissions").scopes("scope", are);
        let found = principal(map, claims.clone()).await;
        assert_eq!(found.permission_names().collect::<Vec<_>>(), granted, "{are:?} {claims}");
        assert_eq!(found.permission_limit().map(Iterator::collect::<Vec<_>>), limit, "{are:?} {claims}");
    }
    for (are, granted) in [(Grant, vec!["always", "x"]), (Limit, vec!["always"]), (LimitIfPresent, vec!["always"])] {
        let map = ClaimMap::new().permissions("permissions").scopes("scope", are);
        let found = principal(map, json!({ "permissions": ["always"], "scope": "x" })).await;
        assert_eq!(found.permission_names().collect::<Vec<_>>(), granted, "{are:?} beside permissions alone");
    }
    let alone = ClaimMap::new().scopes("scope", Limit).rename_permission("x", "r");
    let found = principal(alone, json!({ "scope": "x y" })).await;
    assert_eq!(found.permission_names().collect::<Vec<_>>(), ["r", "y"], "there is nothing to limit");
}

#[tokio::test]
async fn the_subject_is_the_first_that_is_there() {
    let map = || ClaimMap::new().subject("user.id").subject(["uid"]);
    let cases = [
        (map(), json!({ "user": { "id": "eve" }, "uid": "bob" }), "eve"),
        (map(), json!({ "uid": "bob" }), "bob"),
        (map(), json!({ "user": { "id": null }, "uid": "bob" }), "bob"),
        (map(), json!({}), "rejected: malformed"),
        (map(), json!({ "user": { "id": 7 }, "uid": "bob" }), "rejected: malformed"),
        (map(), json!({ "user": "eve", "uid": "bob" }), "rejected: malformed"),
        (map(), json!({ "user": { "id": "" }, "uid": "bob" }), "rejected: malformed"),
        (ClaimMap::new(), json!({}), "ada"),
    ];
    for (map, claims, expected) in cases {
        let jwt = builder().claims(map).build().unwrap();
        assert_eq!(outcome(&identify(&jwt, &bearing(&token(claims.clone()))).await), expected, "{claims}");
    }
}
