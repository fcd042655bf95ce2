use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use http::{Request, Response};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{
    AuthzLayer, Policy,
    authn::{ClaimMap, Issuer, Jwt, JwtAlgorithm, JwtErrorKind, Keys, Scopes},
};

use super::{
    identify,
    keys::{SECRET, pair},
    outcome,
    tokens::{NOW, bearing, extend, sign_by},
};

const OURS: &str = "https://ours.example";
const THEIRS: &str = "https://theirs.example";

/// Two issuers: ours signs with RSA, theirs with Ed25519 and must be mapped.
fn both() -> Jwt {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let ours = Issuer::new(OURS).keys(pair("rsa").public).audience("billing").claims(ClaimMap::new().roles("roles"));
    let theirs = Issuer::new(THEIRS)
        .keys(pair("ed25519").public)
        .audience("partners")
        .access_tokens_only()
        .require("tenant", 7)
        .claims(ClaimMap::new().roles("groups").rename_role("admins", "partner"));
    Jwt::builder().trust(ours).trust(theirs).clock(move || now).build().unwrap()
}

fn token(key: &str, changes: Value) -> String {
    let pair = pair(key);
    let (ours, theirs) = pair.usual();
    let mut claims = json!({
        "sub": "ada", "exp": NOW + 60, "aud": ["billing", "partners"], "tenant": 7, "roles": ["admin"], "groups": ["admins", "x"],
    });
    extend(&mut claims, changes);
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    sign_by(&pair.private, theirs, &json!({ "alg": ours.as_str(), "typ": "at+jwt" }).to_string(), &claims.to_string())
}

#[tokio::test]
async fn the_keys_and_expectations_of_one_issuer_count_for_no_other() {
    let cases = [
        ("rsa", json!({ "iss": OURS }), "ada"),
        ("ed25519", json!({ "iss": THEIRS }), "ada"),
        ("rsa", json!({ "iss": THEIRS }), "rejected: algorithm-not-allowed"),
        ("ed25519", json!({ "iss": OURS }), "rejected: algorithm-not-allowed"),
        ("rsa", json!({ "iss": "https://other.example" }), "rejected: wrong-issuer"),
        ("rsa", json!({}), "rejected: wrong-issuer"),
        ("rsa", json!({ "iss": [OURS] }), "rejected: wrong-issuer"),
        ("rsa", json!({ "iss": format!("{OURS}/") }), "rejected: wrong-issuer"),
        ("rsa", json!({ "iss": OURS, "aud": "partners" }), "rejected: wrong-audience"),
        ("ed25519", json!({ "iss": THEIRS, "aud": "billing" }), "rejected: wrong-audience"),
        ("rsa", json!({ "iss": OURS, "tenant": 8 }), "ada"),
        ("ed25519", json!({ "iss": THEIRS, "tenant": 8 }), "rejected: not-accepted"),
        ("ed25519", json!({ "iss": THEIRS, "tenant": "7" }), "rejected: not-accepted"),
        ("ed25519", json!({ "iss": THEIRS, "tenant": null }), "rejected: not-accepted"),
    ];
    let jwt = both();
    for (key, changes, expected) in cases {
        let found = outcome(&identify(&jwt, &bearing(&token(key, changes.clone()))).await);
        assert_eq!(found, expected, "{key} {changes}");
    }
}

#[tokio::test]
async fn roles_of_one_issuer_are_no_roles_of_another_unless_mapped() {
    let jwt = both();
    for (key, issuer, expected) in [("rsa", OURS, vec!["admin"]), ("ed25519", THEIRS, vec!["partner", "x"])] {
        let identity = identify(&jwt, &bearing(&token(key, json!({ "iss": issuer })))).await;
        assert_eq!(identity.principal().unwrap().role_names().collect::<Vec<_>>(), expected, "{issuer}");
    }
}

#[tokio::test]
async fn names_that_are_not_renamed_count_for_nothing_where_that_is_asked() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let map = || {
        let map = ClaimMap::new().roles("roles").permissions("groups").scopes("scope", Scopes::Limit);
        map.rename_role("admin", "partner").rename_permission("admins", "doc:read").rename_permission("w", "doc:write")
    };
    let rows = [
        (map(), [vec!["partner", "x"], vec!["doc:read", "x"], vec!["doc:write", "x"]]),
        (map().only_renamed(), [vec!["partner"], vec!["doc:read"], vec!["doc:write"]]),
    ];
    for (map, expected) in rows {
        let issuer = Issuer::new(OURS).keys(pair("rsa").public).audience("billing").claims(map);
        let jwt = Jwt::builder().trust(issuer).clock(move || now).build().unwrap();
        let token = token("rsa", json!({ "iss": OURS, "roles": ["admin", "x"], "scope": "w x" }));
        let identity = identify(&jwt, &bearing(&token)).await;
        let ada = identity.principal().unwrap();
        let found: [Vec<_>; 3] =
            [ada.role_names().collect(), ada.permission_names().collect(), ada.permission_limit().unwrap().collect()];
        assert_eq!(found, expected);
    }
}

/// The same name at two issuers may be two people.
#[tokio::test]
async fn a_rule_that_names_the_issuer_tells_subjects_of_the_same_name_apart() {
    let grant = format!(r#"{{ "claims": {{ "sub": "{{id}}", "iss": "{OURS}" }} }}"#);
    let policy = format!(r#"{{ "version": 1, "routes": {{ "GET /users/{{id}}": {grant} }} }}"#);
    let layer = AuthzLayer::builder(Policy::from_json_str(&policy).unwrap()).authenticator(both()).build().unwrap();
    let answer = |_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(String::new())));
    for (key, issuer, status) in [("rsa", OURS, 200), ("ed25519", THEIRS, 403)] {
        let token = token(key, json!({ "iss": issuer }));
        for time in ["first", "second"] {
            let mut request = bearing(&token);
            let principal = identify(&both(), &request).await.principal().unwrap().clone();
            assert_eq!((principal.subject(), principal.issuer()), ("ada", Some(issuer)));
            *request.uri_mut() = "/users/ada".parse().unwrap();
            let response = layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{issuer}, {time} time");
        }
    }
}

#[tokio::test]
async fn access_tokens_say_so_where_that_is_asked() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let issuer = || Issuer::new(OURS).keys(Keys::secret(SECRET)).access_tokens_only();
    let cases = [
        (json!({ "typ": "at+jwt" }), "ada"),
        (json!({ "typ": "application/at+jwt" }), "ada"),
        (json!({ "typ": "AT+JWT" }), "ada"),
        (json!({ "typ": "JWT" }), "rejected: not-accepted"),
        (json!({ "typ": "text/at+jwt" }), "rejected: not-accepted"),
        (json!({ "typ": "at+jwt " }), "rejected: not-accepted"),
        (json!({ "typ": null }), "rejected: not-accepted"),
        (json!({}), "rejected: not-accepted"),
    ];
    for (header, expected) in cases {
        let mut all = json!({ "alg": "HS256" });
        extend(&mut all, header.clone());
        let claims = json!({ "iss": OURS, "sub": "ada", "exp": NOW + 60 }).to_string();
        let token = sign_by(&pair("oct").private, Algorithm::HS256, &all.to_string(), &claims);
        let jwt = Jwt::builder().trust(issuer()).clock(move || now).build().unwrap();
        assert_eq!(outcome(&identify(&jwt, &bearing(&token)).await), expected, "{header}");
    }
}

#[test]
fn a_set_up_that_cannot_be_meant_is_refused() {
    use JwtErrorKind::{AmbiguousIssuer, NoKeys, ScopesUndecided, UnmappedClaims, UnusableKey};
    let issuer = |name: &str| Issuer::new(name).keys(Keys::secret(SECRET));
    let undecided = ClaimMap::new().roles("roles").scopes_from("scope");
    let cases = [
        (Jwt::builder(), Some((NoKeys, "no issuer is trusted"))),
        (Jwt::builder().audience("billing"), Some((NoKeys, "the issuer has no keys"))),
        (Jwt::builder().trust(Issuer::new(OURS)), Some((NoKeys, "the issuer `https://ours.example` has no keys"))),
        (Jwt::hs256(SECRET).trust(issuer(OURS)), Some((AmbiguousIssuer, "each needs a name"))),
        (
            Jwt::hs256(SECRET).issuer(THEIRS).trust(issuer(OURS)),
            Some((UnmappedClaims, "`https://theirs.example` mean")),
        ),
        (
            Jwt::hs256(SECRET).issuer(THEIRS).claims(ClaimMap::new()).trust(issuer(OURS)),
            Some((UnmappedClaims, "`https://ours.example` mean")),
        ),
        (Jwt::hs256(SECRET).issuer(THEIRS).roles_claim("groups").trust(issuer(OURS).claims(ClaimMap::new())), None),
        (Jwt::builder().trust(issuer(OURS)).trust(issuer(OURS)), Some((AmbiguousIssuer, "is trusted twice"))),
        (Jwt::hs256(SECRET).algorithms([]), Some((UnusableKey, "no key that is fit"))),
        (Jwt::hs256(SECRET).algorithms([JwtAlgorithm::Rs256]), Some((UnusableKey, "[RS256]"))),
        (Jwt::hs256(SECRET).claims(undecided.clone()), Some((ScopesUndecided, "whether scopes grant or limit"))),
        (Jwt::hs256(SECRET).claims(undecided.scopes_are(Scopes::Limit)), None),
        (Jwt::hs256(SECRET).claims(ClaimMap::new().scopes_from("scope")), None),
        (
            Jwt::hs256(SECRET).claims(ClaimMap::new().scopes_from("a").permissions("b")),
            Some((ScopesUndecided, "beside")),
        ),
    ];
    for (builder, expected) in cases {
        let name = format!("{builder:?}");
        match (builder.build(), expected) {
            (Ok(_), None) => {}
            (Err(error), Some((kind, text))) => {
                assert_eq!(error.kind(), kind, "{error}");
                assert!(error.to_string().contains(text), "`{error}` and `{text}`");
            }
            (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
        }
    }
}
