//! Does what a printed `curl` line does, so that no curl is needed.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// Cookies by the name of the file that holds them.
pub(crate) type Cookies = HashMap<String, String>;

/// A line that an example prints, and what it says behind `# ->`.
#[derive(Default)]
pub(crate) struct Curl {
    method: Option<String>,
    url: Uri,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    cookies_to: Option<String>,
    cookies_from: Option<String>,
    http2: bool,
    pub(crate) expected: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// With the trailers.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Curl {
    pub(crate) fn parse(line: &str) -> Self {
        let (line, expected) = line.split_once(" # -> ").expect("a line says what it gets");
        let (input, command) = line.split_once("curl ").unwrap();
        let input = match input {
            "" => Bytes::new(),
            r"printf '\0\0\0\0\0' | " => Bytes::from_static(&[0; 5]),
            other => panic!("{other}"),
        };
        let mut curl = Self { expected: expected.to_owned(), ..Self::default() };
        let mut words = words(command).into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("an option has a value");
            match word.as_str() {
                "-i" | "--path-as-is" => {}
                "--http2-prior-knowledge" => curl.http2 = true,
                "--compressed" => curl.header("accept-encoding", "gzip"),
                "-o" | "-D" => drop(value()),
                "-X" => curl.method = Some(value()),
                "-c" => curl.cookies_to = Some(value()),
                "-b" => curl.cookies_from = Some(value()),
                "-H" => {
                    let header = value();
                    let (name, value) = header.split_once(": ").expect("a header has a value");
                    curl.header(name, value);
                }
                "-d" => {
                    curl.header("content-type", "application/x-www-form-urlencoded");
                    curl.body = Some(value().into());
                }
                "--json" => {
                    curl.header("content-type", "application/json");
                    curl.header("accept", "application/json");
                    curl.body = Some(value().into());
                }
                "--data-binary" => curl.body = Some(input.clone()).filter(|_| value() == "@-"),
                url if url.starts_with("http://") => curl.url = url.parse().unwrap(),
                other => panic!("the option `{other}` is not known here"),
            }
        }
        curl
    }

    fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) async fn send(&self, cookies: &mut Cookies) -> Answer {
        let answer = Answer::read(self.exchange(self.request(cookies)).await).await;
        if let Some(file) = &self.cookies_to {
            let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
            cookies.insert(file.clone(), cookie.split(';').next().unwrap().to_owned());
        }
        answer
    }

    fn request(&self, cookies: &Cookies) -> Request<Full<Bytes>> {
        let uri =
            if self.http2 { self.url.clone() } else { self.url.path_and_query().unwrap().as_str().parse().unwrap() };
        let method = self.method.as_deref().unwrap_or("GET");
        let mut request = Request::builder().method(method).uri(uri);
        if !self.http2 {
            request = request.header(header::HOST, self.url.authority().unwrap().as_str());
        }
        let sent = self.cookies_from.iter().map(|file| ("cookie", cookies[file].as_str()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = headers.chain(sent).fold(request, |request, (name, value)| request.header(name, value));
        request.body(Full::from(self.body.clone().unwrap_or_default())).unwrap()
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.url.authority().unwrap().as_str()).await.unwrap();
        if self.http2 {
            let (mut sender, connection) =
                conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            return sender.send_request(request).await.unwrap();
        }
        let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }
}

impl Answer {
    async fn read(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let mut headers = head.headers;
        headers.extend(body.trailers().cloned().unwrap_or_default());
        Self { status: head.status, headers, body: body.to_bytes() }
    }

    /// As examples say it.
    pub(crate) fn said(&self) -> String {
        let status = self.status.as_u16();
        match self.headers.get("grpc-status") {
            Some(grpc) => format!("{status}, grpc-status: {}", grpc.to_str().unwrap()),
            None => status.to_string(),
        }
    }
}

/// The words of a shell line, of which some stand in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
