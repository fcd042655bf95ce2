//! A client of HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::Answer;

/// Sends one request over a connection of its own, and reads the answer to its end. The body may not be empty
/// for extended CONNECT only in theory: no byte of it is sent before the answer.
pub(crate) async fn send(to: SocketAddr, request: Request<()>) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let driver = tokio::spawn(connection);
    sender.ready().await.unwrap();
    let response = sender.send_request(request.map(|()| Full::<Bytes>::default())).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().into(), text(value))).collect();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    driver.abort();
    Answer { status: parts.status, headers, body }
}

/// A request to `path` of the server `to`.
pub(crate) fn request(method: &str, to: SocketAddr, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://{to}{path}"))
}
