//! Whatever is wrapped, however it is wrapped and served: the same requests are let through.

use std::{convert::Infallible, future::IntoFuture, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    extract::{ConnectInfo, Path, State},
    handler::HandlerWithoutStateExt,
    response::{IntoResponse, Response},
    routing::{any, any_service, get},
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode};
use tokio::net::TcpListener;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_authz::Protected;
use tower_http::{
    compression::CompressionLayer,
    cors::CorsLayer,
    request_id::{MakeRequestUuid, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

use super::{
    callers::layer,
    support::{Ask, http2, serve},
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": {
    "GET /open": "public", "GET /doc/{id}": "viewer", "POST /doc/{id}": "viewer", "GET /nobody": "nobody" } }"#;

type App = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Method, target, who calls, status.
const TABLE: &[(&str, &str, &str, u16)] = &[
    ("GET", "/open", "", 200),
    ("GET", "/open", "Bad", 200),
    ("GET", "/doc/7", "Role viewer", 200),
    ("POST", "/doc/7", "Role viewer", 200),
    ("HEAD", "/doc/7", "Role viewer", 200),
    ("GET", "/doc/7", "Role other", 403),
    ("HEAD", "/doc/7", "Role other", 403),
    ("GET", "/doc/7", "", 401),
    ("DELETE", "/doc/7", "Role viewer", 405),
    ("GET", "/nobody", "Role viewer", 403),
    ("GET", "/none", "Role viewer", 404),
    ("GET", "/doc/7/..", "Role viewer", 400),
];

async fn reached() -> &'static str {
    "reached"
}

async fn told(State(text): State<&'static str>) -> &'static str {
    text
}

fn routes() -> Router {
    Router::new()
        .route("/open", get(reached))
        .route("/doc/{id}", get(reached).post(|Path(_): Path<u64>| reached()))
        .route("/nobody", get(reached))
}

fn documents() -> Router {
    Router::new().route("/{id}", get(reached).post(reached))
}

fn nested() -> Router {
    Router::new().route("/open", get(reached)).nest("/doc", documents())
}

/// Services of every shape behind the layer.
fn shapes() -> Vec<(&'static str, App)> {
    let authz = layer(POLICY);
    let plain = service_fn(|request: Request<Body>| async move {
        let text = if request.method() == Method::HEAD { "" } else { "reached" };
        Ok::<_, Infallible>(text.into_response())
    });
    let stateful = Router::new()
        .route("/open", get(told))
        .route("/doc/{id}", get(told).post(told))
        .with_state("reached")
        .route("/nobody", get(reached));
    let half = Router::new().route("/open", get(reached)).merge(Router::new().route("/nobody", get(reached)));
    let by_method = any(reached).layer(authz.clone());
    let by_route = routes().route_layer(authz.clone());
    vec![
        ("a plain service", App::new(authz.layer(plain))),
        ("layer(router)", App::new(authz.layer(routes()))),
        ("layer(router with state)", App::new(authz.layer(stateful.clone()))),
        ("router.layer", App::new(routes().layer(authz.clone()).fallback(any(reached).layer(authz.clone())))),
        ("router.route_layer", App::new(by_route.fallback_service(authz.layer(reached.into_service())))),
        ("a method router's layer", App::new(Router::new().route("/{*path}", by_method))),
        ("protect(router)", App::new(authz.protect(routes()))),
        ("protect(router with state)", App::new(authz.protect(stateful))),
        ("protect(nest)", App::new(authz.protect(nested()))),
        ("layer(nest)", App::new(authz.layer(nested()))),
        ("protect(merge)", App::new(authz.protect(half.clone().merge(Router::new().nest("/doc", documents()))))),
        ("protect(nest_service)", App::new(authz.protect(half.nest_service("/doc", documents())))),
        ("protect(fallback)", App::new(authz.protect(Router::new().fallback(reached)))),
        ("protect(fallback_service)", App::new(authz.protect(Router::new().fallback_service(plain)))),
        ("protect(method service)", App::new(authz.protect(Router::new().route("/{*path}", any_service(plain))))),
        ("fallback_service(layer)", App::new(Router::new().fallback_service(authz.layer(routes())))),
        ("protect twice", App::new(authz.protect(authz.protect(routes()).into_router()))),
        ("into_router", App::new(authz.protect(routes()).into_router())),
        (
            "a stack",
            boxed(ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(authz.clone()).service(routes())),
        ),
        ("layers around protect", layered(authz.protect(routes()))),
        ("any_body", boxed(authz.any_body().layer(CompressionLayer::new().layer(routes())))),
    ]
}

/// Everything that a real service has around it.
fn layered(app: Protected) -> App {
    let in_time = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::GATEWAY_TIMEOUT }))
        .layer(tower::timeout::TimeoutLayer::new(Duration::from_secs(30)));
    App::new(
        app.layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(30)))
            .layer(CompressionLayer::new())
            .layer(CorsLayer::new().allow_origin(HeaderValue::from_static("https://app.example")))
            .layer(in_time)
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(TraceLayer::new_for_http()),
    )
}

/// A service with a body of its own, as axum's.
fn boxed<S, B>(service: S) -> App
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    App::new(service.map_response(|response: http::Response<B>| response.map(Body::new)))
}

#[tokio::test]
async fn services_of_every_shape_let_the_same_requests_through() {
    for (name, app) in shapes() {
        check(name, serve(app).await).await;
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn every_way_to_serve_a_protected_app_guards_it() {
    let app = || layer(POLICY).protect(routes());
    let (listener, to) = listen().await;
    tokio::spawn(axum::serve(listener, app()).into_future());
    check("serve(protected)", to).await;

    let (listener, to) = listen().await;
    tokio::spawn(axum::serve(listener, app().into_make_service()).into_future());
    check("into_make_service", to).await;

    let (listener, to) = listen().await;
    tokio::spawn(axum::serve(listener, app().layer(CompressionLayer::new())).into_future());
    check("serve(layered)", to).await;

    let (listener, to) = listen().await;
    let make = app().layer(CorsLayer::permissive()).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, make).into_future());
    check("into_make_service_with_connect_info", to).await;
}

#[tokio::test]
async fn handlers_learn_the_address_of_the_peer() {
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let app = layer(POLICY).protect(Router::new().route("/open", get(peer)));
    let (listener, to) = listen().await;
    let make = app.layer(CompressionLayer::new()).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, make).into_future());
    assert_eq!(Ask::get("/open").send(to).await.text(), "127.0.0.1");
}

#[tokio::test]
async fn layers_around_a_protected_app_see_denials_and_answers_alike() {
    let to = serve(layered(layer(POLICY).protect(routes()))).await;
    for (target, status) in [("/open", 200), ("/doc/7", 401), ("/none", 404)] {
        let answer = Ask::get(target).header("origin", "https://app.example").send(to).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{target}");
    }
    let preflight = Ask::new("OPTIONS", "/doc/7")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET");
    assert_eq!(preflight.send(to).await.status, 200, "CORS is outside, so it answers");
}

async fn check(name: &str, to: SocketAddr) {
    for (method, target, who, status) in TABLE {
        let asked = format!("{name}: {method} {target} {who}");
        let answer = Ask::new(method, *target).header("authorization", who).send(to).await;
        assert_eq!(answer.status, *status, "{asked}");
        assert_eq!(answer.holds("reached"), *status == 200 && *method != "HEAD", "{asked}");
        let mut request = http2::request(method, to, target);
        if !who.is_empty() {
            request = request.header("authorization", *who);
        }
        assert_eq!(http2::send(to, request.body(()).unwrap()).await.status, *status, "HTTP/2 {asked}");
    }
}
