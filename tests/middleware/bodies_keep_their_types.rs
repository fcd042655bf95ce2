//! Bodies that can hold the bytes of a denial keep their type; `any_body()` wraps all others.

use std::convert::Infallible;

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{
    BodyExt, Empty, Full,
    combinators::{BoxBody, UnsyncBoxBody},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_authz::{AnyBody, DenialBody, Guard, Identify};
use tower_http::{compression::CompressionLayer, services::ServeDir};

use super::{
    callers::{caller, layer, request},
    support::{Ask, serve, shapes::folder},
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {} },
    "routes": { "GET /open/{*path}": "public", "GET /admin/{*path}": "viewer" } }"#;

/// Status, body and announced length of the answer.
async fn ask<S, R>(mut service: S, who: &str) -> (StatusCode, Bytes, Option<String>)
where
    S: Service<Request<()>, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes>,
    R::Error: std::fmt::Debug,
{
    let service = service.ready().await.unwrap_or_else(|never| match never {});
    let answer = service.call(request("GET", "/admin/x", who)).await.unwrap_or_else(|never| match never {});
    let length = answer.headers().get("content-length").map(|length| length.to_str().unwrap().to_owned());
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes(), length)
}

/// The service answers with `R` when it is allowed, and so does the layer when it is not.
async fn keeps_its_type<R>(inside: impl Fn() -> R + Clone + Send)
where
    R: DenialBody + http_body::Body<Data = Bytes> + 'static,
    R::Error: std::fmt::Debug,
{
    let service = service_fn(move |_: Request<()>| {
        let body = inside();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let inside = Identify::new(caller).layer(Guard::role("viewer").layer(service.clone()));
    for (status, body, length) in
        [ask(layer(POLICY).layer(service.clone()), "Role other").await, ask(inside.clone(), "Role other").await]
    {
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(body.starts_with(b"{"), "{body:?}");
        assert_eq!(length, Some(body.len().to_string()));
    }
    for answer in [ask(layer(POLICY).layer(service), "Role viewer").await, ask(inside, "Role viewer").await] {
        assert_eq!((answer.0, &*answer.1), (StatusCode::OK, &b"inside"[..]));
    }
}

#[tokio::test]
async fn bodies_that_can_hold_bytes_keep_their_type() {
    keeps_its_type(|| Body::from("inside")).await;
    keeps_its_type(|| Full::from("inside")).await;
    keeps_its_type(|| BoxBody::<Bytes, Infallible>::new(Full::from("inside"))).await;
    keeps_its_type(|| BoxBody::<Bytes, std::io::Error>::new(Full::from("inside").map_err(|never| match never {})))
        .await;
    keeps_its_type(|| UnsyncBoxBody::<Bytes, Infallible>::new(Full::from("inside"))).await;
    keeps_its_type(|| "inside".to_owned()).await;
    #[cfg(feature = "tonic")]
    keeps_its_type(|| tonic::body::Body::new(Full::from("inside"))).await;
}

/// What is wrapped tells as much about its length and its end as it did before.
#[test]
fn a_wrapped_body_is_as_long_as_it_was() {
    let denied = AnyBody::<Empty<Bytes>>::from_denial(Bytes::from_static(b"denied"));
    assert_eq!((denied.size_hint().exact(), denied.is_end_stream()), (Some(6), false));
    assert!(AnyBody::<Empty<Bytes>>::from_denial(Bytes::new()).is_end_stream());
}

async fn check<S, B>(name: &str, service: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let to = serve(service).await;
    for (path, who, status, holds) in [
        ("/open/x", "", 200, "open"),
        ("/admin/key", "Role viewer", 200, "PROTECTED"),
        ("/admin/key", "Role other", 403, "insufficient"),
        ("/admin/key", "", 401, "required"),
        ("/none", "Role viewer", 404, ""),
    ] {
        let answer = Ask::get(path).header("authorization", who).send(to).await;
        assert_eq!(answer.status, status, "{name} {path} {who}");
        let detail = answer.text().to_lowercase();
        assert!(detail.contains(&holds.to_lowercase()) || status == 403, "{name} {path} {who}: {detail}");
        assert_eq!(answer.holds("PROTECTED"), status == 200 && path == "/admin/key", "{name} {path} {who}");
    }
}

fn router() -> Router {
    Router::new().route("/open/x", get(|| async { "open" })).route("/admin/key", get(|| async { "PROTECTED" }))
}

#[tokio::test]
async fn any_other_body_is_wrapped() {
    let any = layer(POLICY).any_body();
    check("files", any.layer(ServeDir::new(folder()))).await;
    check("compressed", any.layer(CompressionLayer::new().layer(router()))).await;
    check("axum's own", any.layer(router())).await;
}

#[tokio::test]
async fn an_upstream_s_body_is_wrapped() {
    let upstream = serve(router()).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let proxy = service_fn(move |mut request: Request<Body>| {
        let client = client.clone();
        *request.uri_mut() = format!("http://{upstream}{}", request.uri().path()).parse().unwrap();
        async move { Ok::<_, Infallible>(client.request(request).await.unwrap()) }
    });
    check("proxied", layer(POLICY).any_body().layer(proxy)).await;
}
