//! What tonic's client makes of denials, and that allowed calls stream.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    client::Grpc,
    server::NamedService,
    service::Routes,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use tower_authz::{AuthzLayer, Guard};

use super::{
    callers::{awaited_caller, builder, layer},
    support::{Events, serve},
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } }, "routes": {
    "POST /test.Echo/Say": { "allow": "viewer", "message": "Nur für „viewer“: 100 %." },
    "POST /test.Echo/Count": "viewer",
    "POST /test.Echo/Chat": "viewer",
    "POST /test.Echo/Open": "public",
    "GET /test.Echo/Get": "public",
    "POST /test.Echo/Guarded": "viewer",
    "POST /test.Echo/Hidden": { "allow": "admin", "deny_as": "not_found" } } }"#;

/// What `tonic-build` would generate: texts as messages, one method of each kind.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut grpc = tonic::server::Grpc::new(codec());
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/test.Echo/Count" => grpc.server_streaming(service_fn(count), request).await,
                "/test.Echo/Chat" => grpc.streaming(service_fn(chat), request).await,
                _ => grpc.unary(service_fn(say), request).await,
            })
        })
    }
}

async fn say(request: Request<String>) -> Result<Response<String>, Status> {
    Ok(Response::new(format!("you said {}", request.into_inner())))
}

async fn count(request: Request<String>) -> Result<Response<impl Stream<Item = Result<String, Status>>>, Status> {
    let end = request.into_inner().parse().map_err(|_| Status::invalid_argument("no number"))?;
    Ok(Response::new(stream::iter(0..end).map(|n: u32| Ok(n.to_string()))))
}

async fn chat(request: Request<Streaming<String>>) -> Result<Response<Streaming<String>>, Status> {
    Ok(Response::new(request.into_inner()))
}

fn codec() -> ProstCodec<String, String> {
    ProstCodec::default()
}

fn request<T>(message: T, who: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", who.parse().unwrap());
    request
}

async fn client(to: SocketAddr) -> Grpc<Channel> {
    let channel = Channel::from_shared(format!("http://{to}")).unwrap().connect().await.unwrap();
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    client
}

async fn call(to: SocketAddr, path: &'static str, who: &str) -> Result<String, Status> {
    let path = PathAndQuery::from_static(path);
    let answer = client(to).await.unary(request("hi".to_owned(), who), path, codec()).await;
    answer.map(Response::into_inner)
}

/// tonic's own server.
async fn tonic_server(authz: AuthzLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(Server::builder().layer(authz).add_service(Echo).serve_with_incoming(TcpIncoming::from(listener)));
    to
}

fn routes() -> axum::Router {
    Routes::new(Echo).into_axum_router()
}

async fn servers() -> Vec<(&'static str, SocketAddr)> {
    let awaited = builder(POLICY).authenticator(awaited_caller).build().unwrap();
    vec![
        ("tonic's server", tonic_server(layer(POLICY)).await),
        ("tonic's server, authenticated late", tonic_server(awaited).await),
        ("protect", serve(layer(POLICY).protect(routes())).await),
        ("protect and a guard", serve(layer(POLICY).protect(routes().layer(Guard::role("viewer")))).await),
    ]
}

#[tokio::test]
async fn denials_have_the_codes_of_grpc() {
    for (name, to) in servers().await {
        for (path, who, code, reason) in [
            ("/test.Echo/Say", "", Code::Unauthenticated, "no-credentials"),
            ("/test.Echo/Say", "Bad", Code::Unauthenticated, "invalid-credentials"),
            ("/test.Echo/Say", "Role other", Code::PermissionDenied, "insufficient-role"),
            ("/test.Echo/None", "Role admin", Code::Unimplemented, "not-listed"),
            ("/test.Echo/Get", "Role admin", Code::Unimplemented, "method-not-listed"),
            ("/test.Echo/Hidden", "Role viewer", Code::Unimplemented, "insufficient-role"),
            ("/test.Echo/Say", "Two", Code::InvalidArgument, "ambiguous-credentials"),
            ("/test.Echo/../Say", "Role admin", Code::InvalidArgument, "path-rejected"),
            ("/test.Echo/Say", "Down", Code::Unavailable, "authenticator-unavailable"),
            ("/test.Echo/Say", "Broken", Code::Internal, "internal-error"),
        ] {
            let events = Events::record();
            let status = call(to, path, who).await.unwrap_err();
            assert_eq!(status.code(), code, "{name}: {path} {who}: {status:?}");
            let denial = events.denial();
            assert_eq!(denial.field("authz.reason"), Some(reason), "{name}: {path} {who}");
            assert_eq!(denial.field("http.response.status_code"), Some("200"), "{name}: as gRPC sends it");
        }
        assert_eq!(call(to, "/test.Echo/Say", "Role admin").await.unwrap(), "you said hi", "{name}");
    }
}

#[tokio::test]
async fn the_message_of_a_rule_arrives_whole_and_a_guard_s_too() {
    let guarded = || routes().layer(Guard::role("admin").message("Frag ’nen Admin."));
    for (to, path, message) in [
        (tonic_server(layer(POLICY)).await, "/test.Echo/Say", "Nur für „viewer“: 100 %."),
        (serve(layer(POLICY).protect(guarded())).await, "/test.Echo/Say", "Nur für „viewer“: 100 %."),
        (serve(layer(POLICY).protect(guarded())).await, "/test.Echo/Guarded", "Frag ’nen Admin."),
    ] {
        let who = if path.ends_with("Guarded") { "Role viewer" } else { "Role other" };
        let status = call(to, path, who).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::PermissionDenied, message));
    }
}

#[tokio::test]
async fn a_masked_method_is_one_that_does_not_exist() {
    for (name, to) in servers().await {
        let told = |status: Status| {
            let mut headers = status.metadata().clone().into_headers();
            headers.remove("date");
            (status.code(), status.message().to_owned(), headers)
        };
        let masked = told(call(to, "/test.Echo/Hidden", "Role viewer").await.unwrap_err());
        let missing = told(call(to, "/test.Echo/Nothing", "Role viewer").await.unwrap_err());
        assert_eq!(masked, missing, "{name}");
        assert!(call(to, "/test.Echo/Hidden", "Role viewer,admin").await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn allowed_calls_stream_both_ways() {
    for (name, to) in servers().await {
        let path = PathAndQuery::from_static("/test.Echo/Count");
        let counted = client(to).await.server_streaming(request("3".to_owned(), "Role viewer"), path, codec()).await;
        let counted: Vec<_> = counted.unwrap().into_inner().map(Result::unwrap).collect().await;
        assert_eq!(counted, ["0", "1", "2"], "{name}");

        let (send, mut receive) = mpsc::channel::<String>(1);
        let said = stream::poll_fn(move |cx| receive.poll_recv(cx));
        let path = PathAndQuery::from_static("/test.Echo/Chat");
        let mut heard =
            client(to).await.streaming(request(said, "Role viewer"), path, codec()).await.unwrap().into_inner();
        for word in ["one", "two"] {
            send.send(word.to_owned()).await.unwrap();
            let answer = timeout(Duration::from_secs(10), heard.message()).await.unwrap().unwrap();
            assert_eq!(answer.as_deref(), Some(word), "{name}: before the next is sent");
        }
        drop(send);
        assert_eq!(heard.message().await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn streaming_calls_are_denied_before_anything_is_sent() {
    for (name, to) in servers().await {
        let said = stream::pending::<String>();
        let path = PathAndQuery::from_static("/test.Echo/Chat");
        let mut client = client(to).await;
        let denied = client.streaming(request(said, "Role other"), path, codec());
        let status = timeout(Duration::from_secs(10), denied).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}
