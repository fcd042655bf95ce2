//! One payload a provider, of the shape that its documentation shows.

use serde_json::{Value, json};
use tower_authz::authn::{ClaimMap, Issuer, Jwt, JwtBuilder, Keys};

use super::{
    identify,
    tokens::{SECRET, bearing, builder, clock, token},
};

struct Case {
    name: &'static str,
    builder: JwtBuilder,
    claims: Value,
    subject: &'static str,
    roles: &'static [&'static str],
    permissions: &'static [&'static str],
    limit: Option<&'static [&'static str]>,
}

fn keycloak_and_auth0() -> [Case; 2] {
    [
        Case {
            name: "Keycloak",
            builder: builder()
                .issuer("https://id.example/realms/acme")
                .audience("billing")
                .require("typ", "Bearer")
                .claims(ClaimMap::keycloak("billing")),
            claims: json!({
                "jti": "a59e3c3e-5c7b-4b0e-9d0b-1f2f8f6b0c1d", "iss": "https://id.example/realms/acme", "aud": ["billing", "account"],
                "sub": "f2a3b1c4-0d5e-4c6f-8a7b-9c0d1e2f3a4b", "typ": "Bearer", "azp": "spa", "session_state": "4f6c", "acr": "1",
                "realm_access": { "roles": ["offline_access", "employee"] },
                "resource_access": { "billing": { "roles": ["editor"] }, "account": { "roles": ["manage-account"] } },
                "scope": "openid email profile", "sid": "4f6c", "email_verified": true, "preferred_username": "ada",
            }),
            subject: "f2a3b1c4-0d5e-4c6f-8a7b-9c0d1e2f3a4b",
            roles: &["offline_access", "employee", "editor"],
            permissions: &[],
            limit: None,
        },
        Case {
            name: "Auth0",
            builder: builder()
                .issuer("https://acme.eu.auth0.com/")
                .audience("https://billing.example")
                .claims(ClaimMap::auth0("https://billing.example/")),
            claims: json!({
                "https://billing.example/roles": ["editor"], "iss": "https://acme.eu.auth0.com/", "sub": "auth0|507f1f77bcf86cd799439011",
                "aud": ["https://billing.example", "https://acme.eu.auth0.com/userinfo"], "azp": "my_client_id",
                "scope": "openid profile invoice:read user:delete", "permissions": ["invoice:read"],
            }),
            subject: "auth0|507f1f77bcf86cd799439011",
            roles: &["editor"],
            permissions: &["invoice:read"],
            limit: None,
        },
    ]
}

fn entra() -> [Case; 2] {
    let issuer = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
    let audience = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let builder = || {
        let claims = ClaimMap::entra().rename_role("0760b6cf-170e-4a14-91b3-4b78e0739963", "auditor");
        builder().issuer(issuer).audience(audience).claims(claims)
    };
    [
        Case {
            name: "Entra ID, a user",
            builder: builder(),
            claims: json!({
                "aud": audience, "iss": issuer, "aio": "AXQAi/8IAAAA", "azp": "6e74172b", "azpacr": "0", "name": "Ada",
                "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "preferred_username": "ada@acme.example", "rh": "I",
                "scp": "invoice.read invoice.write", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
                "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
                "roles": ["Billing.Editor"], "groups": ["0760b6cf-170e-4a14-91b3-4b78e0739963"],
            }),
            subject: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            roles: &["Billing.Editor", "auditor"],
            permissions: &[],
            limit: Some(&["invoice.read", "invoice.write"]),
        },
        Case {
            name: "Entra ID, an application that acts for itself",
            builder: builder(),
            claims: json!({
                "aud": audience, "iss": issuer, "azp": "6e74172b", "azpacr": "1", "idtyp": "app", "tid": "72f988bf",
                "oid": "f5c9b3c6-6f0a-4c1e-9d7a-2b1d0c9e8f7a", "sub": "f5c9b3c6-6f0a-4c1e-9d7a-2b1d0c9e8f7a",
                "roles": ["Billing.Import"], "ver": "2.0",
            }),
            subject: "f5c9b3c6-6f0a-4c1e-9d7a-2b1d0c9e8f7a",
            roles: &["Billing.Import"],
            permissions: &[],
            limit: None,
        },
    ]
}

fn okta_cognito_google() -> [Case; 3] {
    let pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcD";
    [
        Case {
            name: "Okta",
            builder: builder()
                .issuer("https://acme.okta.com/oauth2/default")
                .audience("api://default")
                .claims(ClaimMap::okta()),
            claims: json!({
                "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": "https://acme.okta.com/oauth2/default",
                "aud": "api://default", "cid": "nmdP1fcyvdVO11AL7ECm", "uid": "00ujmkLgagxeRrAg20g3",
                "scp": ["openid", "invoice:read"], "sub": "ada@acme.example", "groups": ["Everyone", "Billing Editors"],
            }),
            subject: "ada@acme.example",
            roles: &["Everyone", "Billing Editors"],
            permissions: &[],
            limit: Some(&["openid", "invoice:read"]),
        },
        Case {
            name: "Cognito",
            builder: Jwt::builder().clock(clock).trust(
                Issuer::new(pool)
                    .keys(Keys::secret(SECRET))
                    .audience_claim("client_id")
                    .audience("7lhlkkfbfb4q5kpp90urffao")
                    .require("token_use", "access")
                    .claims(ClaimMap::cognito().rename_permission("billing/read", "invoice:read")),
            ),
            claims: json!({
                "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["editors"], "iss": pool, "version": 2,
                "client_id": "7lhlkkfbfb4q5kpp90urffao", "origin_jti": "aaaaaaaa", "token_use": "access",
                "scope": "openid billing/read", "auth_time": 1_799_999_000, "jti": "bbbbbbbb", "username": "ada",
            }),
            subject: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            roles: &["editors"],
            permissions: &[],
            limit: Some(&["openid", "invoice:read"]),
        },
        Case {
            name: "Google",
            builder: builder()
                .issuer("https://accounts.google.com")
                .audience("1234987819200.apps.googleusercontent.com")
                .claims(ClaimMap::google()),
            claims: json!({
                "iss": "https://accounts.google.com", "azp": "1234987819200.apps.googleusercontent.com",
                "aud": "1234987819200.apps.googleusercontent.com", "sub": "10769150350006150715113082367",
                "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "hd": "acme.example", "email": "ada@acme.example", "email_verified": "true",
            }),
            subject: "10769150350006150715113082367",
            roles: &[],
            permissions: &[],
            limit: None,
        },
    ]
}

fn standards() -> [Case; 2] {
    [
        Case {
            name: "RFC 9068",
            builder: builder()
                .issuer("https://authorization-server.example.com/")
                .audience("https://rs.example.com/")
                .claims(ClaimMap::rfc9068()),
            claims: json!({
                "iss": "https://authorization-server.example.com/", "sub": "5ba552d67", "aud": "https://rs.example.com/",
                "jti": "dbe39bf3a3ba4238a513f51d6e1691c4", "client_id": "s6BhdRkqt3", "scope": "openid profile reademail",
                "groups": [{ "value": "staff", "display": "Staff" }], "roles": ["editor"], "entitlements": [{ "value": "archive" }],
            }),
            subject: "5ba552d67",
            roles: &["editor", "staff", "archive"],
            permissions: &[],
            limit: Some(&["openid", "profile", "reademail"]),
        },
        Case {
            name: "Kubernetes",
            builder: builder()
                .issuer("https://kubernetes.default.svc.cluster.local")
                .audience("billing")
                .claims(ClaimMap::kubernetes().rename_role("system:serviceaccount:jobs:reporter", "reporter")),
            claims: json!({
                "aud": ["billing"], "iss": "https://kubernetes.default.svc.cluster.local", "jti": "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
                "kubernetes.io": {
                    "namespace": "jobs", "node": { "name": "127.0.0.1", "uid": "58456cb0" },
                    "pod": { "name": "reporter-58456cb0", "uid": "887a11c5" }, "serviceaccount": { "name": "reporter", "uid": "a087d5a0" },
                },
                "sub": "system:serviceaccount:jobs:reporter",
            }),
            subject: "system:serviceaccount:jobs:reporter",
            roles: &["reporter"],
            permissions: &[],
            limit: None,
        },
    ]
}

#[tokio::test]
async fn each_provider_is_read_as_its_documentation_shows() {
    let cases = keycloak_and_auth0().into_iter().chain(entra()).chain(okta_cognito_google()).chain(standards());
    for case in cases {
        let identity = identify(&case.builder.build().unwrap(), &bearing(&token(case.claims))).await;
        let found = identity.principal().unwrap_or_else(|| panic!("{}: {identity:?}", case.name));
        assert_eq!(found.subject(), case.subject, "{}", case.name);
        assert_eq!(found.role_names().collect::<Vec<_>>(), case.roles, "{}", case.name);
        assert_eq!(found.permission_names().collect::<Vec<_>>(), case.permissions, "{}", case.name);
        assert_eq!(found.permission_limit().map(Iterator::collect::<Vec<_>>).as_deref(), case.limit, "{}", case.name);
        assert_eq!(found.malformed_sources().count(), 0, "{}", case.name);
    }
}

/// Entra ID lists up to 200 groups in a token, each by an identifier of 36 signs.
#[tokio::test]
async fn the_largest_token_of_a_provider_is_read() {
    let groups: Vec<_> = (0..200).map(|number| format!("0760b6cf-170e-4a14-91b3-{number:012}")).collect();
    let jwt = builder().claims(ClaimMap::entra()).build().unwrap();
    let identity = identify(&jwt, &bearing(&token(json!({ "groups": groups, "x": "y".repeat(1_500) })))).await;
    let found = identity.principal().unwrap_or_else(|| panic!("{identity:?}"));
    assert_eq!(found.role_names().collect::<Vec<_>>(), groups);
}
