//! A proxy that guards a service which reads paths in its own way: `cargo run --example reverse_proxy`.
//!
//! The upstream decodes paths twice, drops `;parameters` and resolves dot segments, as servers do. Asked directly,
//! it serves `/admin` to those who write it in a roundabout way; through the guard it does not.

use std::{convert::Infallible, error::Error};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, uri::Authority};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tower::{Layer, Service, service_fn};
use tower_authz::{AuthzLayer, Policy, Principal, authn};

mod support;

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "admin": {} },
    "routes": { "GET /public/{*path}": { "public": "for everyone" }, "ANY /admin/{*path}": "admin" }
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authz = AuthzLayer::builder(Policy::from_json_str(POLICY)?)
        .authenticator(authn::from_fn(|head| {
            (head.headers().get("x-api-key")? == "admin-key").then(|| Principal::new("ada").roles(["admin"]))
        }))
        .build()?;
    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    let inside = TcpListener::bind("127.0.0.1:0").await?;
    let upstream = inside.local_addr()?.to_string();
    print_lines(&base, &format!("http://{upstream}"));
    support::log_decisions();

    let authority: Authority = upstream.parse()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let proxy = service_fn(move |request| forward(client.clone(), authority.clone(), request));
    tokio::spawn(serve(inside, service_fn(serve_file)));
    Ok(serve(listener, authz.any_body().layer(proxy)).await?)
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    upstream: Authority,
    mut request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    let mut parts = request.uri().clone().into_parts();
    (parts.scheme, parts.authority) = (Some(http::uri::Scheme::HTTP), Some(upstream));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    match client.request(request).await {
        Ok(response) => Ok(response.map(BodyExt::boxed)),
        Err(error) => {
            tracing::error!(%error, "no answer from upstream");
            let mut response = Response::new(Full::default().map_err(|never| match never {}).boxed());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok(response)
        }
    }
}

async fn serve_file(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let once = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy();
    let mut path = Vec::new();
    for segment in twice.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or_default()) {
        match segment {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(segment),
        }
    }
    let known = matches!(path.first(), Some(&"public" | &"admin"));
    let mut response = Response::new(Full::from(format!("this is /{}\n", path.join("/"))));
    *response.status_mut() = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(response)
}

async fn serve<S, B>(listener: TcpListener, service: S) -> std::io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Error + Send + Sync> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

fn print_lines(base: &str, upstream: &str) {
    let admin = "-H 'x-api-key: admin-key'";
    for (path, options, status) in [
        ("/public/page", "", 200),
        ("/public/a%20b;v=1", "", 200),
        ("/admin/panel", "", 401),
        ("/admin/panel", admin, 200),
    ] {
        support::curl("GET", &format!("{base}{path}"), options, status);
    }
    println!("# the same of the upstream, and of the guard");
    for (path, status) in [
        ("/public/../admin/panel", 400),
        ("/public/%2e%2e/admin/panel", 400),
        ("/public/%252e%252e/admin/panel", 400),
        ("/public/..;/admin/panel", 400),
        ("/public%2F..%2Fadmin/panel", 400),
        ("/public/..%5cadmin/panel", 400),
        ("/%61dmin/panel", 404),
        ("//admin/panel", 404),
        ("/admin;v=1/panel", 404),
        ("/admin%2Fpanel", 404),
    ] {
        support::curl("GET", &format!("{upstream}{path}"), "--path-as-is", 200);
        support::curl("GET", &format!("{base}{path}"), "--path-as-is", status);
    }
}
