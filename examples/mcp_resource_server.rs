//! A server of the Model Context Protocol (streamable HTTP) as a protected resource:
//! `cargo run --features jwks --example mcp_resource_server`.
//!
//! A client without a token is led to one: the 401 says where the metadata are, the metadata say which authorization
//! server to ask, and a 403 says which scope a tool needs. With `ISSUER=https://id.example` that server is trusted;
//! without, tokens to try are printed.

use std::{
    env,
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::ORIGIN},
    response::{IntoResponse, Response},
    routing::post,
};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc};
use serde_json::{Map, Value, json};
use tower_authz::{
    Access, AuthzLayer, Denial, Policy, Protected,
    authn::{ClaimMap, Jwt, ResourceMetadata},
    respond::Responder,
};

mod support;

const SECRET: &[u8] = b"an example has no better secret than this";

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "clerk": { "permissions": ["invoices:read", "invoices:write"] } },
    "routes": {
        "GET /.well-known/oauth-protected-resource/mcp": { "public": "tells where to get a token" },
        "POST /mcp": "authenticated"
    }
}"#;

/// Versions of the protocol, the newest first.
const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// What clients may call, and the scope that it needs.
struct Tool {
    name: &'static str,
    description: &'static str,
    scope: &'static str,
}

const TOOLS: [Tool; 2] = [
    Tool { name: "list_invoices", description: "Lists the open invoices.", scope: "invoices:read" },
    Tool { name: "delete_invoices", description: "Deletes all invoices.", scope: "invoices:write" },
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The tokens below are signed by `jsonwebtoken`, which must be told where features of this crate give it two backends.
    aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "a backend is chosen already")?;
    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    let app = app(&base, env::var("ISSUER").ok()).await?;
    print_lines(&base)?;
    support::log_decisions();
    axum::serve(listener, app).await?;
    Ok(())
}

async fn app(base: &str, issuer: Option<String>) -> Result<Protected, Box<dyn Error>> {
    let resource = format!("{base}/mcp");
    let metadata = ResourceMetadata::new(&resource)?.name("Invoices").scopes(["invoices:read"]);
    let metadata = issuer.iter().fold(metadata, ResourceMetadata::authorization_server);
    let jwt = match issuer {
        Some(issuer) => Jwt::discover(issuer),
        None => Jwt::hs256(SECRET),
    };
    let jwt = jwt.audience(resource).claims(ClaimMap::new().permissions("scope")).resource_metadata(metadata.url());
    let authz = AuthzLayer::builder(Policy::from_json_str(POLICY)?)
        .authenticator(jwt.build().await?)
        .responder(Responder::new().disclose(true))
        .build()?;
    let router = Router::new().route("/mcp", post(answer)).with_state(base.to_owned()).merge(metadata.into_router());
    Ok(authz.protect(router))
}

/// One message of JSON-RPC. The protocol wants web pages of other origins refused.
async fn answer(
    State(own): State<String>,
    access: Access,
    headers: HeaderMap,
    Json(message): Json<Map<String, Value>>,
) -> Result<Response, Denial> {
    if headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() != own.as_bytes()) {
        return Err(Denial::forbidden().detail("a web page of another origin called"));
    }
    let Some(id) = message.get("id") else { return Ok(StatusCode::ACCEPTED.into_response()) };
    let params = message.get("params").unwrap_or(&Value::Null);
    let outcome = match message.get("method").and_then(Value::as_str) {
        Some("initialize") => Ok(initialize(params)),
        Some("ping") => Ok(json!({})),
        Some("tools/list") => Ok(list()),
        Some("tools/call") => call(&access, params)?,
        _ => Err((-32601, "there is no such method")),
    };
    let answer = match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    };
    Ok(Json(answer).into_response())
}

fn initialize(params: &Value) -> Value {
    let wanted = params.get("protocolVersion").and_then(Value::as_str);
    let version = VERSIONS.into_iter().find(|version| Some(*version) == wanted).unwrap_or(VERSIONS[0]);
    let server = json!({ "name": "invoices", "version": env!("CARGO_PKG_VERSION") });
    json!({ "protocolVersion": version, "capabilities": { "tools": {} }, "serverInfo": server })
}

fn list() -> Value {
    let tools = TOOLS.map(|tool| {
        json!({ "name": tool.name, "description": tool.description, "inputSchema": { "type": "object" } })
    });
    json!({ "tools": tools })
}

/// Whoever may not call a tool gets a 403 that names the scope, by which clients know what to ask for.
fn call(access: &Access, params: &Value) -> Result<Result<Value, (i32, &'static str)>, Denial> {
    let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        return Ok(Err((-32602, "there is no such tool")));
    };
    access.require(tool.scope)?;
    let text = format!("{} did it for {}", tool.name, access.principal().subject());
    Ok(Ok(json!({ "content": [{ "type": "text", "text": text }] })))
}

fn print_lines(base: &str) -> Result<(), Box<dyn Error>> {
    let resource = format!("{base}/mcp");
    let version = json!({ "protocolVersion": VERSIONS[0], "capabilities": {}, "clientInfo": { "name": "curl", "version": "1" } });
    let (initialize, tools) = (message("initialize", version), message("tools/list", json!({})));
    let (list, delete) = (call_of("list_invoices"), call_of("delete_invoices"));
    let reader = token(&resource, "invoices:read")?;
    let writer = token(&resource, "invoices:read invoices:write")?;
    let stranger = token("https://api.example/mcp", "invoices:read")?;
    println!("# nobody");
    support::curl("POST", &resource, &initialize, 401);
    support::curl("GET", &format!("{base}/.well-known/oauth-protected-resource/mcp"), "", 200);
    for (who, token, lines) in [
        ("may read", &reader, vec![("POST", &initialize, 200), ("POST", &tools, 200), ("POST", &list, 200), ("POST", &delete, 403)]),
        ("may read and write", &writer, vec![("POST", &delete, 200), ("GET", &String::new(), 405)]),
        ("has a token for another service", &stranger, vec![("POST", &list, 401)]),
    ] {
        println!("# who {who}");
        for (method, body, status) in lines {
            support::curl(method, &resource, &format!("-H 'Authorization: Bearer {token}' {body}"), status);
        }
    }
    Ok(())
}
