//! Connections in memory, with hyper's real parsers at the other end.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    rt::{Read, ReadBufCursor, Write},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tower::ServiceExt;

use super::{shape::Served, table::Caller, target::Ask};

/// What came back, as far as it tells who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The handler that answered.
    pub(crate) route: Option<usize>,
    /// What it saw of its last parameter.
    pub(crate) param: Option<String>,
    /// The path as it saw it, where there are parameters.
    pub(crate) path: Option<String>,
}

impl Answer {
    fn read(head: &str) -> Self {
        let value = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Self {
            status: head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default(),
            route: value("x-route").and_then(|route| route.parse().ok()),
            param: value("x-param").map(str::to_owned),
            path: value("x-path").map(str::to_owned),
        }
    }
}

/// The answers to `asks`, pipelined over as few connections as the server leaves open. None is where the server closed
/// the connection without an answer.
pub(crate) async fn http1(app: &Served, asks: &[Ask], caller: Caller) -> Vec<Option<Answer>> {
    let mut answers = Vec::with_capacity(asks.len());
    while let Some(rest) = asks.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let before = answers.len();
        let mut input = Vec::with_capacity(rest.len() * 96);
        for ask in rest {
            ask.write(caller.credentials, &mut input);
        }
        let output = exchange(app.clone(), input).await;
        let mut raw = &output[..];
        for ask in rest {
            let Some((answer, tail)) = read(raw, ask.method) else { break };
            answers.push(Some(answer));
            raw = tail;
        }
        if answers.len() == before {
            answers.push(None);
        }
    }
    answers
}

async fn exchange(app: Served, input: Vec<u8>) -> Vec<u8> {
    let output = Arc::<Mutex<Vec<u8>>>::default();
    let wire = Wire { input, read: 0, output: Arc::clone(&output) };
    let serve = service_fn(move |request: Request<Incoming>| app.clone().oneshot(request.map(Body::new)));
    let mut server = http1::Builder::new();
    server.half_close(true).auto_date_header(false);
    let _what_is_no_http_is_answered_and_fails = server.serve_connection(wire, serve).await;
    std::mem::take(&mut *output.lock().unwrap())
}

/// The first answer of `raw`, and what follows it.
fn read<'a>(raw: &'a [u8], method: &str) -> Option<(Answer, &'a [u8])> {
    let end = raw.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&raw[..end]).expect("headers of ASCII");
    let answer = Answer::read(head);
    let header = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name));
    assert_eq!(header("transfer-encoding"), None, "{head}");
    let length: usize = header("content-length: ").map_or(0, |length| length.parse().unwrap());
    let length = if method == "HEAD" || answer.status == 304 { 0 } else { length };
    let (body, rest) = raw[end + 4..].split_at_checked(length)?;
    if let Some(route) = answer.route
        && !body.is_empty()
        && !body.starts_with(b"f")
    {
        assert_eq!(body, format!("the handler of route {route}").as_bytes(), "answers are out of step");
    }
    Some((answer, rest))
}

/// What a client has written, and what the server writes.
struct Wire {
    input: Vec<u8>,
    read: usize,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let rest = &self.input[self.read..];
        let length = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..length]);
        self.read += length;
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The answers to `asks` over one connection of HTTP/2. None is what it cannot say.
pub(crate) async fn http2(app: &Served, asks: &[Ask], caller: Caller) -> Vec<Option<Answer>> {
    let (client, server) = tokio::io::duplex(1 << 16);
    let app = app.clone();
    let serve = service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.oneshot(request.map(Body::new)).await.unwrap()) }
    });
    let server = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(server), serve);
    let server = tokio::spawn(server);
    let io = TokioIo::new(client);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut answers = Vec::with_capacity(asks.len());
    for ask in asks {
        answers.push(match request(ask, caller) {
            Some(request) => match sender.send_request(request).await {
                Ok(response) => Some(answer(response).await),
                Err(_) => None,
            },
            None => None,
        });
    }
    drop(sender);
    driver.abort();
    server.abort();
    answers
}

fn request(ask: &Ask, caller: Caller) -> Option<Request<Full<Bytes>>> {
    // hyper's client makes extended CONNECT and prior knowledge of authorities its own business.
    if ask.method == "CONNECT" || !ask.target.starts_with(b"/") {
        return None;
    }
    let target = std::str::from_utf8(&ask.target).ok()?;
    let uri = http::Uri::builder().scheme("http").authority("h").path_and_query(target).build().ok()?;
    let request = Request::builder().method(ask.method).uri(uri);
    let request = ask.headers_of_streams().fold(request, |request, (name, value)| request.header(name, value));
    let request = match caller.credentials {
        Some(credentials) => request.header("authorization", credentials),
        None => request,
    };
    request.body(Full::default()).ok()
}

async fn answer(response: http::Response<Incoming>) -> Answer {
    let text = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    let answer = Answer {
        status: response.status().as_u16(),
        route: text("x-route").and_then(|route| route.parse().ok()),
        param: text("x-param"),
        path: text("x-path"),
    };
    let _empty_or_known_from_http1 = response.into_body().collect().await;
    answer
}
