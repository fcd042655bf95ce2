//! The whole way: token, layer, policy, answer.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{
    AuthzLayer, Policy, Principal,
    authn::{Bearer, ClaimMap, ResourceMetadata, Scopes},
};

use super::tokens::{NOW, builder, clock, token};

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "editor": { "permissions": ["invoice:write"] } },
    "routes": {
        "GET /me": "authenticated",
        "POST /payments": { "all_of": ["editor"], "step_up": { "acr": ["mfa", "hwk"], "max_age_seconds": 300 } },
        "DELETE /payments": { "allow": { "all_of": ["editor"], "step_up": { "acr": ["mfa"] } } }
    }
}"#;

type Body = Full<bytes::Bytes>;

/// Answers with what reaches the service: when the caller's token expires, and the protocols of a WebSocket.
async fn answer(request: Request<()>) -> Result<Response<Body>, Infallible> {
    let expires = request.extensions().get::<Principal>().unwrap().expires_at().unwrap();
    let seconds = expires.duration_since(clock()).unwrap().as_secs();
    let protocols: Vec<_> = request.headers().get_all("sec-websocket-protocol").iter().collect();
    Ok(Response::new(Full::from(format!("{seconds} {protocols:?}"))))
}

async fn ask(request: Request<()>) -> Response<Body> {
    let metadata = ResourceMetadata::new("https://api.example/mcp").unwrap();
    let jwt = builder().also_from(Bearer::from_websocket_protocol("bearer")).resource_metadata(metadata.url());
    let layer =
        AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(jwt.build().unwrap()).clock(clock);
    layer.build().unwrap().layer(service_fn(answer)).oneshot(request).await.unwrap()
}

fn bearing(method: &str, path: &str, claims: Value) -> Request<()> {
    let request = Request::builder().method(method).uri(path);
    request.header("authorization", format!("Bearer {}", token(claims))).body(()).unwrap()
}

fn challenge(response: &Response<Body>) -> String {
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_must_be_of_the_class_and_the_age_that_a_grant_asks_for() {
    let cases = [
        (json!({ "acr": "mfa", "auth_time": NOW - 300 }), StatusCode::OK),
        (json!({ "acr": "hwk", "auth_time": NOW }), StatusCode::OK),
        (json!({ "acr": "mfa", "auth_time": NOW - 301 }), StatusCode::UNAUTHORIZED),
        (json!({ "acr": "mfa", "auth_time": (NOW - 300).to_string().parse::<f64>().unwrap() + 0.5 }), StatusCode::OK),
        (
            json!({ "acr": "mfa", "auth_time": (NOW - 301).to_string().parse::<f64>().unwrap() + 0.5 }),
            StatusCode::UNAUTHORIZED,
        ),
        (json!({ "acr": "pwd", "auth_time": NOW }), StatusCode::UNAUTHORIZED),
        (json!({ "acr": ["mfa"], "auth_time": NOW }), StatusCode::UNAUTHORIZED),
        (json!({ "acr": "mfa" }), StatusCode::UNAUTHORIZED),
        (json!({ "acr": "mfa", "auth_time": (NOW).to_string() }), StatusCode::UNAUTHORIZED),
        (json!({ "auth_time": NOW }), StatusCode::UNAUTHORIZED),
        (json!({ "acr": "mfa", "auth_time": NOW, "roles": [] }), StatusCode::FORBIDDEN),
    ];
    for (mut claims, expected) in cases {
        if claims.get("roles").is_none() {
            claims["roles"] = json!(["editor"]);
        }
        let response = ask(bearing("POST", "/payments", claims.clone())).await;
        assert_eq!(response.status(), expected, "{claims}");
        if expected == StatusCode::UNAUTHORIZED {
            let challenge = challenge(&response);
            for part in [r#"error="insufficient_user_authentication""#, r#"acr_values="mfa hwk""#, r#"max_age="300""#] {
                assert!(challenge.contains(part), "{challenge}");
            }
        }
    }
}

#[tokio::test]
async fn every_challenge_says_where_the_metadata_is() {
    let none = Request::get("/me").header("host", "attacker.example").body(()).unwrap();
    let bad = Request::get("/me").header("authorization", "Bearer x").body(()).unwrap();
    let weak = bearing("DELETE", "/payments", json!({ "roles": ["editor"] }));
    for request in [none, bad, weak] {
        let response = ask(request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let expected = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp""#;
        assert!(challenge(&response).contains(expected), "{}", challenge(&response));
    }
}

#[tokio::test]
async fn the_service_sees_when_the_token_expires_and_its_own_protocols_alone() {
    use http_body_util::BodyExt;
    let request =
        Request::get("/me").header("sec-websocket-protocol", format!("chat.v1, bearer, {}", token(json!({}))));
    let response = ask(request.body(()).unwrap()).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), r#"60 ["chat.v1"]"#);
}

#[test]
fn the_metadata_of_a_resource_is_where_and_what_rfc_9728_says() {
    let cases = [
        ("https://api.example", Some("https://api.example/.well-known/oauth-protected-resource")),
        ("https://api.example/", Some("https://api.example/.well-known/oauth-protected-resource")),
        ("https://api.example:8443/a/b", Some("https://api.example:8443/.well-known/oauth-protected-resource/a/b")),
        ("https://api.example/a/", Some("https://api.example/.well-known/oauth-protected-resource/a/")),
        ("http://localhost:3000/mcp", Some("http://localhost:3000/.well-known/oauth-protected-resource/mcp")),
        ("http://127.0.0.1/mcp", Some("http://127.0.0.1/.well-known/oauth-protected-resource/mcp")),
        ("http://api.example", None),
        ("https://api.example/?x=1", None),
        ("https://api.example/#x", None),
        ("https://user@api.example", None),
        ("https://api.example/:id", None),
        ("https://api.example/*id", None),
        ("https://api.example/{id}", None),
        ("ftp://api.example", None),
        ("/mcp", None),
        ("api.example", None),
        ("", None),
    ];
    for (resource, expected) in cases {
        match (ResourceMetadata::new(resource), expected) {
            (Ok(metadata), Some(expected)) => assert_eq!(metadata.url(), expected),
            (Err(error), None) => assert!(error.to_string().starts_with(&format!("`{resource}` is not an https URL"))),
            (found, _) => panic!("{resource}: {found:?}"),
        }
    }
    let metadata = ResourceMetadata::new("https://api.example/mcp").unwrap();
    let metadata = metadata.authorization_server("https://id.example").scopes(["a", "b"]).name("Billing");
    let expected = json!({
        "resource": "https://api.example/mcp", "authorization_servers": ["https://id.example"], "scopes_supported": ["a", "b"],
        "resource_name": "Billing", "bearer_methods_supported": ["header"],
    });
    assert_eq!(serde_json::from_str::<Value>(&metadata.to_json()).unwrap(), expected);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn axum_serves_the_metadata_to_everyone() {
    use axum::{Router, body::Body};
    use http_body_util::BodyExt;
    // Where a path ends in a slash, there are clients that leave it out (RFC 8414, section 3.1).
    for (resource, paths) in [
        ("https://api.example/mcp", vec!["/.well-known/oauth-protected-resource/mcp"]),
        (
            "https://api.example/mcp/",
            vec!["/.well-known/oauth-protected-resource/mcp/", "/.well-known/oauth-protected-resource/mcp"],
        ),
        ("https://api.example/", vec!["/.well-known/oauth-protected-resource"]),
    ] {
        let metadata = ResourceMetadata::new(resource).unwrap();
        let app: Router = Router::new().merge(metadata.clone().into_router());
        for path in paths {
            let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), metadata.to_json());
        }
    }
}

/// The client chooses the scopes, so what it leaves out must open nothing.
#[tokio::test]
async fn a_token_with_fewer_scopes_never_opens_more() {
    const FROZEN: &str = r#"{
        "version": 1,
        "roles": { "editor": { "permissions": ["edit"] }, "frozen": { "permissions": ["freeze"] } },
        "routes": { "POST /invoices": { "all_of": ["edit"], "none_of": ["freeze"] } }
    }"#;
    let claims = ClaimMap::new().roles("roles").scopes("scope", Scopes::LimitIfPresent);
    let jwt = builder().claims(claims).build().unwrap();
    let layer = AuthzLayer::builder(Policy::from_json_str(FROZEN).unwrap()).authenticator(jwt).clock(clock);
    let app = layer.build().unwrap().layer(service_fn(answer));
    for (claims, expected) in [
        (json!({ "roles": ["editor"] }), StatusCode::OK),
        (json!({ "roles": ["editor"], "scope": "edit" }), StatusCode::OK),
        (json!({ "roles": ["editor"], "scope": "freeze" }), StatusCode::FORBIDDEN),
        (json!({ "roles": ["editor", "frozen"] }), StatusCode::FORBIDDEN),
        (json!({ "roles": ["editor", "frozen"], "scope": "edit freeze" }), StatusCode::FORBIDDEN),
        (json!({ "roles": ["editor", "frozen"], "scope": "edit" }), StatusCode::FORBIDDEN),
    ] {
        let answer = app.clone().oneshot(bearing("POST", "/invoices", claims.clone())).await.unwrap();
        assert_eq!(answer.status(), expected, "{claims}");
    }
}
