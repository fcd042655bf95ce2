//! An axum app behind `examples/policy.json`, and tokens to try it: `cargo run --example quickstart`.
//!
//! Change the policy and run it again: the table and the statuses are not written here, but asked of the app.

use std::{
    error::Error,
    io::IsTerminal,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, body::Body, extract::Path, http, routing::any, routing::get};
use http::{Request, StatusCode};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_authz::{Access, AuthzLayer, Policy, Principal, Protected, authn::Jwt, report};

mod support;

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policy.json");
const SECRET: &[u8] = b"an example has no better secret than this";

/// A name and a role; nobody has neither.
type Caller = (&'static str, &'static str);

const NOBODY: Caller = ("", "");
const VERA: Caller = ("vera", "viewer");
const EVE: Caller = ("eve", "editor");
const ADA: Caller = ("ada", "admin");

const LINES: [(Caller, &[(&str, &str)]); 4] = [
    (
        NOBODY,
        &[
            ("GET", "/health"),
            ("GET", "/me"),
            ("PUT", "/me"),
            ("GET", "/no/such/path"),
            ("GET", "/internal/stats"),
            ("GET", "/%69nternal/stats"),
        ],
    ),
    (
        VERA,
        &[
            ("GET", "/invoices"),
            ("POST", "/invoices"),
            ("GET", "/users/vera"),
            ("GET", "/users/eve"),
            ("GET", "/internal/stats"),
        ],
    ),
    (EVE, &[("POST", "/invoices"), ("DELETE", "/users/vera")]),
    (ADA, &[("DELETE", "/users/vera"), ("GET", "/internal/stats")]),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The tokens below are signed by `jsonwebtoken`, which must be told where features of this crate give it two backends.
    aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "a backend is chosen already")?;
    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    let rehearsal = app(|_: &report::Event<'_>| {})?;
    print_table(&rehearsal).await?;
    print_lines(&rehearsal, &base).await?;
    support::log_decisions();
    axum::serve(listener, app(report::TracingReporter::new())?).await?;
    Ok(())
}

/// The whole app: routes, and the policy around them.
fn app(reporter: impl report::Reporter) -> Result<Protected, Box<dyn Error>> {
    let router = Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/me", get(|me: Principal| async move { format!("you are {}\n", me.subject()) }))
        .route("/invoices", get(|| async { Json(json!([{ "id": 1 }])) }).post(|| async { StatusCode::CREATED }))
        .route("/users/{id}", get(show_user).delete(|| async { StatusCode::NO_CONTENT }))
        .route("/internal/{*rest}", any(|| async { "secret\n" }));
    let authz = AuthzLayer::builder(Policy::from_json_file(POLICY)?)
        .authenticator(Jwt::hs256(SECRET).build()?)
        .reporter(reporter)
        .build()?;
    Ok(authz.protect(router))
}

async fn show_user(access: Access, Path(id): Path<String>) -> Json<Value> {
    Json(json!({ "id": id, "can_be_deleted": access.has("admin") }))
}

/// What everybody gets on every route of the policy.
async fn print_table(app: &Protected) -> Result<(), Box<dyn Error>> {
    let policy: Value = serde_json::from_str(&std::fs::read_to_string(POLICY)?)?;
    let mut keys: Vec<_> =
        policy.get("routes").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key).collect();
    keys.sort_by_key(|key| key.split_once(' ').map(|(_, path)| path));
    println!("{:<24}nobody    viewer    editor    admin", "policy.json");
    for key in keys {
        let (methods, path) = key.split_once(' ').unwrap_or_default();
        let method = methods.split(',').next().filter(|method| *method != "ANY").unwrap_or("GET");
        print!("{key:<24}");
        for caller in [NOBODY, VERA, EVE, ADA] {
            let name = if caller == NOBODY { "x" } else { caller.0 };
            let path = path.replace("{id}", name).replace("{*rest}", name);
            print!("{}", coloured(status(app, caller, method, &path).await?));
        }
        println!();
    }
    println!("{:<24}({{id}} is the name of who calls)\n", "");
    Ok(())
}

async fn print_lines(app: &Protected, base: &str) -> Result<(), Box<dyn Error>> {
    for (caller, requests) in LINES {
        println!("# {}", if caller == NOBODY { "nobody".to_owned() } else { format!("{}, {}", caller.0, caller.1) });
        for (method, path) in requests {
            let status = status(app, caller, method, path).await?;
            let header =
                authorization(caller)?.map_or_else(String::new, |value| format!("-H 'Authorization: {value}'"));
            support::curl(method, &format!("{base}{path}"), &header, status.as_u16());
        }
    }
    Ok(())
}

/// A status as wide as a column, green where the request is allowed.
fn coloured(status: StatusCode) -> String {
    let text = format!("{:<10}", status.as_u16());
    let colour = if status.is_success() { 32 } else { 31 };
    if std::io::stdout().is_terminal() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text }
}

/// What the app answers.
async fn status(app: &Protected, caller: Caller, method: &str, path: &str) -> Result<StatusCode, Box<dyn Error>> {
    let request = Request::builder().method(method).uri(path);
    let request =
        authorization(caller)?.into_iter().fold(request, |request, value| request.header("authorization", value));
    Ok(app.clone().oneshot(request.body(Body::empty())?).await?.status())
}

fn authorization((name, role): Caller) -> Result<Option<String>, Box<dyn Error>> {
    if name.is_empty() {
        return Ok(None);
    }
    let tomorrow = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(24 * 60 * 60);
    let claims = json!({ "sub": name, "roles": [role], "exp": tomorrow.as_secs() });
    let token = jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET))?;
    Ok(Some(format!("Bearer {token}")))
}
