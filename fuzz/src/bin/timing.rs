//! Whether time tells a masked route from a path that does not exist.
//!
//! `cargo run --release --no-default-features --bin timing -- [PAIRS]` asks for both by turns, a million times each if it
//! is not told otherwise, in process and over a loopback connection, and prints a table. In process a nanosecond counts;
//! it fails where the effect over the connection, the closest that a caller can come, is more than small.
//!
//! `timing -- only masked|missing nobody|viewer COUNT` asks in process, for instructions to be counted: under
//! `valgrind --tool=callgrind`, what 3,000 requests take beyond 1,000 is that of 2,000.

use std::{
    convert::Infallible,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, response::Response, routing::any};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::runtime::Builder;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};
use tower_authz::{AuthzLayer, Head, Policy, Principal};

type App = BoxCloneSyncService<Request<Body>, Response, Infallible>;

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": {} }, "routes": {
    "GET /open": "public",
    "ANY /masked/{id}": { "allow": ["admin", { "claims": { "sub": "{id}" } }], "deny_as": "not_found" } } }"#;

/// So many requests by turns make a block; medians of blocks are compared.
const BLOCK: usize = 1000;

/// The chance of the masked answer to be the slower one that fails: Vargha and Delaney call 0.56 small, 0.64 medium. (The
/// standardized difference of means says less: a few slow requests make the deviation large.)
const MOST: f64 = 0.64;

struct Row {
    name: &'static str,
    credentials: Option<&'static str>,
}

const ROWS: [Row; 2] =
    [Row { name: "nobody", credentials: None }, Row { name: "a viewer", credentials: Some("ada viewer") }];

/// A masked and a missing path of one length.
const PATHS: [&str; 2] = ["/masked/1234", "/absent/1234"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [only, path, caller, count] = &*arguments
        && only == "only"
    {
        ask_only(usize::from(path == "missing"), usize::from(caller == "viewer"), count.parse().unwrap_or(1));
        return ExitCode::SUCCESS;
    }
    let pairs = arguments.first().and_then(|pairs| pairs.parse().ok()).unwrap_or(1_000_000_usize);
    println!("{pairs} masked and {pairs} missing requests each, by turns; nanoseconds\n");
    println!(
        "| where | caller | masked, median | missing, median | difference of medians of 1,000 (95%) | Cohen's d | P(masked slower) | KS |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut passes = true;
    for row in &ROWS {
        let mut app = app();
        let in_process = |path: &str| runtime.block_on(ask(&mut app, request(path, row.credentials)));
        let (masked, missing) = measure(pairs, in_process);
        Report::of(&masked, &missing).print("in process", row.name);
    }
    let mut connection = TcpStream::connect(serve()).expect("a connection");
    connection.set_nodelay(true).expect("no delay");
    for row in &ROWS {
        let (masked, missing) = measure(pairs, |path| exchange(&mut connection, path, row.credentials));
        let report = Report::of(&masked, &missing);
        report.print("loopback", row.name);
        passes &= (1.0 - MOST..MOST).contains(&report.slower);
    }
    if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks for one path again and again, in process.
fn ask_only(path: usize, caller: usize, count: usize) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut app = app();
    for _ in 0..count {
        runtime.block_on(ask(&mut app, request(PATHS[path], ROWS[caller].credentials)));
    }
}

fn app() -> App {
    let by_header = |head: Head<'_>| {
        let mut words = head.headers().get("authorization")?.to_str().ok()?.split(' ');
        Some(Principal::new(words.next()?).roles(words))
    };
    let policy = Policy::from_json_str(POLICY).expect("a policy");
    let layer = AuthzLayer::builder(policy).authenticator(by_header).build().expect("a layer");
    let router = Router::new().route("/masked/{id}", any(|| async { "masked" })).route("/open", any(|| async {}));
    App::new(layer.protect(router))
}

/// How long each request took, in the order in which they were sent.
fn measure(pairs: usize, mut ask: impl FnMut(&str) -> Duration) -> (Vec<f64>, Vec<f64>) {
    let mut times = [Vec::with_capacity(pairs), Vec::with_capacity(pairs)];
    let warm_up = pairs / 20;
    let mut state = 1_u64;
    for turn in 0..warm_up + pairs {
        // Which comes first is random, so that neither always follows the other.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let first = usize::from(state >> 63 == 1);
        for which in [first, 1 - first] {
            let took = ask(PATHS[which]);
            if turn >= warm_up {
                times[which].push(took.as_nanos() as f64);
            }
        }
    }
    let [masked, missing] = times;
    (masked, missing)
}

fn request(path: &str, credentials: Option<&str>) -> Request<Body> {
    let request = Request::get(path);
    let request = match credentials {
        Some(credentials) => request.header("authorization", credentials),
        None => request,
    };
    request.body(Body::empty()).expect("a request")
}

/// Serves the application in a thread of its own.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_nonblocking(true).expect("a stream");
        stream.set_nodelay(true).expect("no delay");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream).expect("a stream"));
            let app = app();
            let serve = service_fn(move |request: Request<Incoming>| app.clone().oneshot(request.map(Body::new)));
            http1::Builder::new().serve_connection(stream, serve).await
        })
    });
    address
}

fn exchange(connection: &mut TcpStream, path: &str, credentials: Option<&str>) -> Duration {
    let who = credentials.map(|credentials| format!("authorization: {credentials}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n{who}\r\n");
    let mut answer = [0; 1024];
    let begun = Instant::now();
    connection.write_all(request.as_bytes()).expect("sent");
    let mut length = 0;
    while !answer[..length].ends_with(b"}") {
        length += connection.read(&mut answer[length..]).expect("an answer");
    }
    let took = begun.elapsed();
    assert!(answer.starts_with(b"HTTP/1.1 404"));
    took
}

async fn ask(app: &mut App, request: Request<Body>) -> Duration {
    let app = app.ready().await.expect("ready");
    let begun = Instant::now();
    let response = app.call(request).await.expect("an answer");
    let took = begun.elapsed();
    assert_eq!(response.status(), 404);
    took
}

struct Report {
    medians: [f64; 2],
    difference: f64,
    interval: [f64; 2],
    effect: f64,
    slower: f64,
    distance: f64,
}

impl Report {
    fn of(masked: &[f64], missing: &[f64]) -> Self {
        let medians = [masked, missing].map(median);
        let blocks = || masked.chunks(BLOCK).zip(missing.chunks(BLOCK));
        let differences: Vec<f64> = blocks().map(|(masked, missing)| median(masked) - median(missing)).collect();
        let difference = differences.iter().sum::<f64>() / differences.len() as f64;
        let interval = interval(&differences);
        let (slower, distance) = ranks(masked, missing);
        let effect = effect(&trimmed(masked), &trimmed(missing));
        Self { medians, difference, interval, effect, slower, distance }
    }

    fn print(&self, place: &str, name: &str) {
        println!(
            "| {place} | {name} | {:.0} | {:.0} | {:+.1} ({:+.1} to {:+.1}) | {:+.3} | {:.3} | {:.3} |",
            self.medians[0],
            self.medians[1],
            self.difference,
            self.interval[0],
            self.interval[1],
            self.effect,
            self.slower,
            self.distance
        );
    }
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(times: &[f64]) -> f64 {
    let sorted = sorted(times);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Without the slowest hundredth, which other programs of the machine made slow.
fn trimmed(times: &[f64]) -> Vec<f64> {
    let mut sorted = sorted(times);
    sorted.truncate(sorted.len() - sorted.len() / 100);
    sorted
}

/// What 95 of 100 bootstrap samples have for the mean of the differences of blocks.
fn interval(differences: &[f64]) -> [f64; 2] {
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        differences[(state >> 33) as usize % differences.len()]
    };
    let count = differences.len();
    let means: Vec<f64> = (0..2000).map(|_| (0..count).map(|_| draw()).sum::<f64>() / count as f64).collect();
    let means = sorted(&means);
    [means[50], means[1949]]
}

/// Cohen's d: the difference of the means in standard deviations.
fn effect(one: &[f64], other: &[f64]) -> f64 {
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    let variance = |times: &[f64], mean: f64| {
        times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (times.len() - 1) as f64
    };
    let means = [mean(one), mean(other)];
    (means[0] - means[1]) / ((variance(one, means[0]) + variance(other, means[1])) / 2.0).sqrt()
}

/// The chance that one of the first is larger than one of the second (Mann-Whitney's U over all pairs; 0.5 tells
/// nothing), and the largest distance between the two distributions (Kolmogorov and Smirnov).
fn ranks(one: &[f64], other: &[f64]) -> (f64, f64) {
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|time| (*time, true)).chain(other.iter().map(|time| (*time, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut seen, mut wins, mut distance) = (0.0, 0.0, 0.0, 0.0_f64);
    for same in all.chunk_by(|a, b| a.0 == b.0) {
        let ones = same.iter().filter(|(_, first)| *first).count() as f64;
        let others = same.len() as f64 - ones;
        wins += ones * (below + others / 2.0);
        below += others;
        seen += ones;
        distance = distance.max((seen / one.len() as f64 - below / other.len() as f64).abs());
    }
    (wins / (one.len() as f64 * other.len() as f64), distance)
}
