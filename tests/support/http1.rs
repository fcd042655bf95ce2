//! A client of HTTP/1.1 that sends exactly the bytes it is told, and hides nothing of what comes back.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Answer;

/// A request, byte for byte. The target may be any bytes but a space and a line end.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: String,
    target: Vec<u8>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self { method: method.into(), target: target.as_ref().into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Says who is calling, to [`by_header`](super::shapes::by_header).
    pub(crate) fn role(self, role: &str) -> Self {
        self.header("authorization", &format!("Role {role}"))
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            bytes.extend(b"host: example\r\n");
        }
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        if !self.body.is_empty() {
            bytes.extend(format!("content-length: {}\r\n", self.body.len()).bytes());
        }
        bytes.extend(b"connection: close\r\n\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// Sends the request over a connection of its own and reads the answer to its end.
    pub(crate) async fn send(&self, to: SocketAddr) -> Answer {
        parse(&self.raw(to).await, self.method == "HEAD").unwrap_or_else(|| panic!("no answer to {self:?}"))
    }

    /// The bytes of the answer, up to the end of the connection.
    pub(crate) async fn raw(&self, to: SocketAddr) -> Vec<u8> {
        let exchange = async {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(&self.bytes()).await.unwrap();
            let mut answer = Vec::new();
            let _reset_after_the_answer = stream.read_to_end(&mut answer).await;
            answer
        };
        tokio::time::timeout(Duration::from_secs(20), exchange).await.unwrap_or_else(|_| panic!("no end: {self:?}"))
    }

    /// The bytes of the answer without the line of the `date` header.
    pub(crate) async fn raw_without_date(&self, to: SocketAddr) -> String {
        let raw = self.raw(to).await;
        let text = String::from_utf8(raw).unwrap();
        text.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date: ")).collect()
    }
}

fn parse(raw: &[u8], is_head: bool) -> Option<Answer> {
    let end = raw.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8(raw[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.trim().into()));
    let mut answer = Answer { status, headers: headers.collect(), body: raw[end + 4..].to_vec() };
    if answer.header("transfer-encoding").is_some() {
        answer.body = unchunked(&answer.body)?;
    }
    let announced = answer.header("content-length").and_then(|length| length.parse().ok());
    let expected = announced.filter(|_| !is_head).unwrap_or(answer.body.len());
    assert_eq!(answer.body.len(), expected, "content-length lies: {answer:?}");
    Some(answer)
}

fn unchunked(mut raw: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = raw.windows(2).position(|part| part == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend(&raw[end + 2..end + 2 + size]);
        raw = &raw[end + 2 + size + 2..];
    }
}
