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
    authn::{ClaimMap, Issuer, Jwt, Keys, ResourceMetadata},
    respond::Responder,
};

mod support;

/// Whose tokens are printed.
const ISSUER: &str = "https://id.example";
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

static TOOLS: [Tool; 2] = [
    Tool { name: "list_invoices", description: "Lists the open invoices.", scope: "invoices:read" },
    Tool { name: "delete_invoices", description: "Deletes all invoices.", scope: "invoices:write" },
];

impl Tool {
    fn named(name: Option<&Value>) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| name.and_then(Value::as_str) == Some(tool.name))
    }

    /// Whoever lacks the scope gets a 403 that names it, by which clients know what to ask for.
    fn call(&self, access: &Access) -> Result<Value, Denial> {
        access.require(self.scope)?;
        let text = format!("{} for {}", self.name, access.principal().subject());
        Ok(json!({ "content": [{ "type": "text", "text": text }] }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The tokens below are signed by `jsonwebtoken`, which must be told where features of this crate give it two backends.
    aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "a backend is chosen already")?;
    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    let issuer = env::var("ISSUER").ok();
    let app = app(&base, issuer.as_deref())?;
    match issuer {
        Some(issuer) => println!("trusting {issuer}"),
        None => print_lines(&format!("{base}/mcp"))?,
    }
    support::log_decisions();
    axum::serve(listener, app).await?;
    Ok(())
}

fn app(base: &str, issuer: Option<&str>) -> Result<Protected, Box<dyn Error>> {
    let resource = format!("{base}/mcp");
    let metadata = ResourceMetadata::new(&resource)?
        .name("Invoices")
        .authorization_server(issuer.unwrap_or(ISSUER))
        .scopes(["invoices:read"]);
    let issuer = match issuer {
        Some(issuer) => Issuer::discover(issuer),
        None => Issuer::new(ISSUER).keys(Keys::secret(SECRET)),
    };
    let jwt = Jwt::builder()
        .trust(issuer.audience(resource).claims(ClaimMap::new().permissions("scope")))
        .resource_metadata(metadata.url());
    let authz = AuthzLayer::builder(Policy::from_json_str(POLICY)?)
        .authenticator(jwt.build()?)
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
        Some("tools/call") => match Tool::named(params.get("name")) {
            Some(tool) => Ok(tool.call(&access)?),
            None => Err((-32602, "there is no such tool")),
        },
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
    let show = |tool: &Tool| json!({ "name": tool.name, "description": tool.description, "inputSchema": { "type": "object" } });
    json!({ "tools": TOOLS.iter().map(show).collect::<Vec<_>>() })
}

fn print_lines(resource: &str) -> Result<(), Box<dyn Error>> {
    let reader = token(resource, "invoices:read")?;
    let writer = token(resource, "invoices:read invoices:write")?;
    let stranger = token("https://api.example/mcp", "invoices:read")?;
    let initialize = message("initialize", &json!({ "protocolVersion": VERSIONS[0] }));
    let tools = message("tools/list", &json!({}));
    let read = message("tools/call", &json!({ "name": "list_invoices" }));
    let delete = message("tools/call", &json!({ "name": "delete_invoices" }));
    let post =
        |token: &str, message: &str, status| support::curl("POST", resource, &format!("{token}{message}"), status);
    println!("# without a token, and where to get one");
    post("", &initialize, 401);
    support::curl("GET", &resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"), "", 200);
    println!("# with a token for reading");
    for (message, status) in [(&initialize, 200), (&tools, 200), (&read, 200), (&delete, 403)] {
        post(&reader, message, status);
    }
    println!("# with a token for writing, too");
    post(&writer, &delete, 200);
    support::curl("GET", resource, writer.trim_end(), 405);
    println!("# with a token for another service");
    post(&stranger, &read, 401);
    Ok(())
}

fn message(method: &str, params: &Value) -> String {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    format!("--json '{message}'")
}

/// What an authorization server would give to ada.
fn token(resource: &str, scope: &str) -> Result<String, Box<dyn Error>> {
    let tomorrow = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(24 * 60 * 60);
    let claims = json!({ "iss": ISSUER, "aud": resource, "sub": "ada", "scope": scope, "exp": tomorrow.as_secs() });
    let token = jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET))?;
    Ok(format!("-H 'Authorization: Bearer {token}' "))
}
