//! Guards on single routes, without a policy: `cargo run --example guards`.

use std::error::Error;

use axum::{
    Router,
    http::HeaderName,
    routing::{delete, get},
};
use tower_authz::{
    Access, Authentication, Authenticator, Challenge, CredentialError, CredentialErrorKind, Denial, Guard, Head,
    Identify, Identity, Principal,
};

mod support;

const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Knows callers by a header.
struct ApiKeys;

impl Authenticator for ApiKeys {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        let Some(key) = head.headers().get(KEY) else { return Identity::Anonymous.into() };
        let identity: Identity = match key.as_bytes() {
            b"reader-key" => Principal::new("reader").roles(["reader"]).into(),
            b"writer-key" => Principal::new("writer").roles(["reader"]).permissions(["report:write"]).into(),
            b"admin-key" => Principal::new("admin").roles(["reader", "admin"]).into(),
            _ => CredentialError::new(CredentialErrorKind::UnknownKey).into(),
        };
        identity.into()
    }

    fn challenges(&self) -> Vec<Challenge> {
        vec![Challenge::new("ApiKey").realm("reports")]
    }

    /// The handlers, and whatever they forward to, never see the key.
    fn consumed_headers(&self) -> Vec<HeaderName> {
        vec![KEY]
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let may_write = Guard::permission("report:write").or(Guard::role("admin"));
    let read = get(|| async { "a report\n" }).route_layer(Guard::role("reader"));
    let write = delete(|| async { "deleted\n" }).route_layer(may_write.message("Ask for the right to write reports."));
    let app = Router::new()
        .route("/", get(|| async { "welcome\n" }))
        .route("/me", get(|me: Principal| async move { format!("you are {}\n", me.subject()) }))
        .route("/reports/{id}", read.merge(write))
        .route("/audit", get(audit).route_layer(Guard::authenticated()))
        .layer(Identify::new(ApiKeys));

    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    for (method, path, key, status) in [
        ("GET", "/", "", 200),
        ("GET", "/me", "", 401),
        ("GET", "/me", "reader", 200),
        ("GET", "/reports/1", "", 401),
        ("GET", "/reports/1", "stolen", 401),
        ("GET", "/reports/1", "reader", 200),
        ("DELETE", "/reports/1", "reader", 403),
        ("DELETE", "/reports/1", "writer", 200),
        ("DELETE", "/reports/1", "admin", 200),
        ("GET", "/audit", "writer", 403),
        ("GET", "/audit", "admin", 200),
    ] {
        let header = if key.is_empty() { String::new() } else { format!("-H 'x-api-key: {key}-key'") };
        support::curl(method, &format!("{base}{path}"), &header, status);
    }
    support::log_decisions();
    axum::serve(listener, app).await?;
    Ok(())
}

/// What a guard cannot know, a handler asks for.
async fn audit(access: Access) -> Result<&'static str, Denial> {
    access.require("admin")?;
    Ok("nothing happened\n")
}
