//! Bodies stream through the layer both ways, and connections can be upgraded; denied ones cannot.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{
        Request,
        ws::{WebSocket, WebSocketUpgrade},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{any, get, post},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::StatusCode;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use tower::{Layer, util::BoxCloneSyncService};
use tower_authz::{Guard, Identify};

use super::{
    callers::{awaited_caller, builder, caller, layer},
    support::serve,
};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": { "ANY /{*path}": "viewer" } }"#;

type App = BoxCloneSyncService<http::Request<Body>, Response, Infallible>;

/// Every way to put the layer around `router`.
fn guarded(router: &Router) -> Vec<(&'static str, App)> {
    let awaited = builder(POLICY).authenticator(awaited_caller).build().unwrap();
    let single = router.clone().layer(Guard::role("viewer")).layer(Identify::new(caller));
    vec![
        ("protect", App::new(layer(POLICY).protect(router.clone()))),
        ("protect, authenticated late", App::new(awaited.protect(router.clone()))),
        ("layer", App::new(layer(POLICY).layer(router.clone()))),
        ("inside", App::new(router.clone().layer(layer(POLICY)))),
        ("guard", App::new(single)),
    ]
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), what).await.unwrap()
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn web_sockets_are_upgraded_for_those_who_may() {
    let router = Router::new().route("/ws", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }));
    for (name, app) in guarded(&router) {
        let to = serve(app).await;
        let connect = |who: &'static str| {
            let mut request = format!("ws://{to}/ws").into_client_request().unwrap();
            request.headers_mut().insert("authorization", who.parse().unwrap());
            connect_async(request)
        };
        let (mut socket, _) = in_time(connect("Role viewer")).await.unwrap();
        socket.send(Message::text("hello")).await.unwrap();
        assert_eq!(in_time(socket.next()).await.unwrap().unwrap(), Message::text("hello"), "{name}");

        for (who, status) in [("Role other", StatusCode::FORBIDDEN), ("Bad", StatusCode::UNAUTHORIZED)] {
            match in_time(connect(who)).await {
                Err(Error::Http(answer)) => assert_eq!(answer.status(), status, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

/// Reads what a server sends as it comes.
async fn open(to: SocketAddr, http2: bool, body: Body, path: &str) -> http::Response<hyper::body::Incoming> {
    let io = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let request = http::Request::post(format!("http://{to}{path}"))
        .header("host", "example")
        .header("authorization", "Role viewer")
        .body(body)
        .unwrap();
    if http2 {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        return in_time(sender.send_request(request)).await.unwrap();
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    in_time(sender.send_request(request)).await.unwrap()
}

/// A body whose chunks are made when the client asks for more: each names how many bytes have been sent before.
fn on_demand(mut wanted: mpsc::Receiver<&'static str>) -> Body {
    Body::from_stream(stream::poll_fn(move |cx| wanted.poll_recv(cx).map(|text| text.map(Ok::<_, Infallible>))))
}

#[tokio::test]
async fn the_first_chunk_of_an_answer_arrives_before_the_second_is_made() {
    for http2 in [false, true] {
        let (send, receive) = mpsc::channel(1);
        let receive = std::sync::Arc::new(std::sync::Mutex::new(Some(receive)));
        let handler = move || {
            let body = on_demand(receive.lock().unwrap().take().unwrap());
            async move { body }
        };
        let to = serve(layer(POLICY).protect(Router::new().route("/stream", post(handler)))).await;
        let mut body = open(to, http2, Body::empty(), "/stream").await.into_body();
        for chunk in ["one", "two", "three"] {
            assert!(timeout(Duration::from_millis(10), body.frame()).await.is_err(), "nothing was sent yet");
            send.send(chunk).await.unwrap();
            let frame = in_time(body.frame()).await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), chunk, "HTTP/2: {http2}");
        }
        drop(send);
        assert!(in_time(body.collect()).await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn a_request_is_answered_while_its_body_is_still_being_sent() {
    let echo = |request: Request| async { request.into_body() };
    for (name, app) in guarded(&Router::new().route("/echo", post(echo))) {
        for http2 in [false, true] {
            let to = serve(app.clone()).await;
            let (send, receive) = mpsc::channel(1);
            let mut answer = open(to, http2, on_demand(receive), "/echo").await.into_body();
            for chunk in ["ping", "pong"] {
                send.send(chunk).await.unwrap();
                let frame = in_time(answer.frame()).await.unwrap().unwrap();
                assert_eq!(frame.into_data().unwrap(), chunk, "{name}, HTTP/2: {http2}");
            }
        }
    }
}

#[tokio::test]
async fn a_denied_request_is_answered_without_reading_its_body() {
    for http2 in [false, true] {
        let to = serve(layer(r#"{ "version": 1, "routes": { "ANY /x": "nobody" } }"#).protect(Router::new())).await;
        let (_never_used, receive) = mpsc::channel(1);
        assert_eq!(open(to, http2, on_demand(receive), "/x").await.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn server_sent_events_arrive_one_by_one() {
    let (send, receive) = mpsc::channel::<&'static str>(1);
    let receive = std::sync::Arc::new(std::sync::Mutex::new(Some(receive)));
    let events = move || {
        let mut receive = receive.lock().unwrap().take().unwrap();
        let events = stream::poll_fn(move |cx| receive.poll_recv(cx));
        async move { Sse::new(events.map(|text| Ok::<_, Infallible>(Event::default().data(text)))) }
    };
    let to = serve(layer(POLICY).protect(Router::new().route("/events", get(events).post(|| async {})))).await;
    let io = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("/events").header("host", "x").header("authorization", "Role viewer");
    let answer = in_time(sender.send_request(request.body(Body::empty()).unwrap())).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    for text in ["one", "two"] {
        send.send(text).await.unwrap();
        let frame = in_time(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), format!("data: {text}\n\n"));
    }
}

#[tokio::test]
async fn trailers_pass() {
    let trailers = || async {
        let mut end = http::HeaderMap::new();
        end.insert("x-sum", "7".parse().unwrap());
        let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(end))];
        Body::new(StreamBody::new(stream::iter(frames))).into_response()
    };
    let to = serve(layer(POLICY).protect(Router::new().route("/trailers", post(trailers)))).await;
    let collected = open(to, true, Body::empty(), "/trailers").await.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-sum"], "7");
}
