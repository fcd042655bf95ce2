use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tower_authz::{
    Principal,
    authn::{JwtBuilder, Scopes},
};

use super::{
    identify, outcome,
    tokens::{NOW, bearing, builder, token},
};

async fn principal(builder: JwtBuilder, claims: Value) -> Principal {
    let identity = identify(&builder.build().unwrap(), &bearing(&token(claims))).await;
    identity.principal().unwrap().clone()
}

#[tokio::test]
async fn role_claims_give_roles_and_scope_claims_permissions_and_nothing_else() {
    let claims = json!({ "roles": ["editor", "invoice:write"], "scope": "invoice:read admin", "permissions": ["x"] });
    let ada = principal(builder().scopes_claim("scope", Scopes::Grant), claims.clone()).await;
    assert_eq!(ada.role_names().collect::<Vec<_>>(), ["editor", "invoice:write"]);
    assert_eq!(ada.permission_names().collect::<Vec<_>>(), ["invoice:read", "admin"]);

    let limited = principal(builder().scopes_claim("scope", Scopes::Limit), claims.clone()).await;
    assert_eq!(limited.permission_names().count(), 0);
    assert_eq!(limited.permission_limit().unwrap().collect::<Vec<_>>(), ["invoice:read", "admin"]);

    let without_scopes = principal(builder(), claims.clone()).await;
    assert_eq!(without_scopes.permission_names().count(), 0);

    let other_claim = principal(builder().roles_claim("permissions"), claims).await;
    assert_eq!(other_claim.role_names().collect::<Vec<_>>(), ["x"]);
}

#[tokio::test]
async fn lists_are_read_in_every_shape_that_has_one_meaning() {
    let cases = [
        (json!({}), Some(vec![]), Some(vec![])),
        (json!({ "roles": [], "scope": [] }), Some(vec![]), Some(vec![])),
        (json!({ "roles": ["a b", "c"], "scope": ["d", "e"] }), Some(vec!["a b", "c"]), Some(vec!["d", "e"])),
        (json!({ "roles": "a", "scope": " d  e " }), Some(vec!["a"]), Some(vec!["d", "e"])),
        (json!({ "roles": "a b", "scope": 1 }), None, None),
        (json!({ "roles": ["a", 1], "scope": ["d", null] }), None, None),
        (json!({ "roles": { "a": true }, "scope": { "d": [] } }), None, None),
        (json!({ "roles": [["a"]], "scope": false }), None, None),
    ];
    for (claims, roles, permissions) in cases {
        let ada = principal(builder().scopes_claim("scope", Scopes::Grant), claims.clone()).await;
        assert_eq!(ada.role_names().collect::<Vec<_>>(), roles.clone().unwrap_or_default(), "{claims}");
        assert_eq!(ada.permission_names().collect::<Vec<_>>(), permissions.clone().unwrap_or_default(), "{claims}");
        let malformed = [roles.is_none().then_some("roles"), permissions.is_none().then_some("scope")];
        assert_eq!(ada.malformed_sources().collect::<Vec<_>>(), malformed.into_iter().flatten().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn all_claims_and_the_expiry_are_kept() {
    let ada = principal(builder(), json!({ "plan": "pro", "orgs": [1, 2] })).await;
    assert_eq!(ada.subject(), "ada");
    assert_eq!(ada.get_claim("plan"), Some(&json!("pro")));
    assert_eq!(ada.get_claim("orgs"), Some(&json!([1, 2])));
    assert_eq!(ada.get_claim("sub"), Some(&json!("ada")));
    assert_eq!(ada.expires_at(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 60)));
}

#[tokio::test]
async fn a_token_without_a_subject_is_nobodys() {
    for subject in [json!(null), json!(""), json!(7), json!(["ada"])] {
        let request = bearing(&token(json!({ "sub": subject })));
        assert_eq!(outcome(&identify(&builder().build().unwrap(), &request).await), "rejected: malformed", "{subject}");
    }
}
