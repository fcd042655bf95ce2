//! A tower stack on hyper, without axum, behind a proxy that says who is calling: `cargo run --example tower_stack`.

use std::{convert::Infallible, error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tower::ServiceBuilder;
use tower_authz::{
    AuthzLayer, Policy, Principal,
    authn::{Client, PeerAddr, Separator, TrustedHeaders},
};
use tower_http::{
    add_extension::AddExtensionLayer,
    compression::CompressionLayer,
    request_id::{MakeRequestUuid, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

mod support;

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
    "routes": {
        "GET /": { "public": "the front page" },
        "GET /reports/{id}": "viewer",
        "DELETE /reports/{id}": { "all_of": ["admin"], "networks": ["127.0.0.0/8", "::1/128"] },
        "GET /metrics": { "allow": "admin", "deny_as": "not_found" }
    }
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let proxies = ["127.0.0.0/8", "::1/128"];
    let authz = AuthzLayer::builder(Policy::from_json_str(POLICY)?)
        .authenticator(
            TrustedHeaders::from_proxies(proxies).subject("x-user").roles("x-roles", Separator::Comma).build()?,
        )
        .client(Client::peer())
        .build()?;
    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    print_lines(&base);
    support::log_decisions();
    loop {
        let (stream, peer) = listener.accept().await?;
        let service = ServiceBuilder::new()
            .layer(AddExtensionLayer::new(PeerAddr(peer)))
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(TraceLayer::new_for_http())
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(10)))
            .layer(CompressionLayer::new())
            .layer(authz.any_body())
            .layer(CompressionLayer::new())
            .service_fn(reports);
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await {
                tracing::debug!(error, "connection lost");
            }
        });
    }
}

async fn reports(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let who = request.extensions().get::<Principal>().map_or("nobody", Principal::subject);
    let text = format!("{who} asked the service of reports for {} {}\n", request.method(), request.uri().path());
    Ok(Response::new(Full::from(text)))
}

fn print_lines(base: &str) {
    let (viewer, admin) = ("-H 'x-user: vera' -H 'x-roles: viewer'", "-H 'x-user: ada' -H 'x-roles: admin'");
    let twice = "-H 'x-user: vera' -H 'x-user: ada' -H 'x-roles: admin'";
    for (method, path, options, status) in [
        ("GET", "/", "", 200),
        ("GET", "/", "--compressed", 200),
        ("GET", "/reports/1", "", 401),
        ("GET", "/reports/1", "--compressed", 401),
        ("GET", "/reports/1", viewer, 200),
        ("DELETE", "/reports/1", viewer, 403),
        ("DELETE", "/reports/1", admin, 200),
        ("GET", "/reports/1", twice, 400),
        ("PUT", "/reports/1", "", 405),
        ("GET", "/metrics", viewer, 404),
        ("GET", "/metrics", admin, 200),
    ] {
        support::curl(method, &format!("{base}{path}"), options, status);
    }
}
