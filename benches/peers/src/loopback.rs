//! Over a loopback socket: requests a second with a whole server around the work.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use axum::{ServiceExt as _, body::Body};
use http::{Request, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};
use tower::{Layer, util::MapRequestLayer};
use tower_authz::authn::TokenCache;

use crate::{
    case::Case,
    contender::Kind,
    contenders::{Optimum, OptimumRules, Tokens, aliri_around, by_hand_around, by_token, cookie, login_around, usual},
    work::{AppService, Callers, RULES, path, router},
};

const CONNECTIONS: usize = 16;
const SPELL: Duration = Duration::from_millis(50);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Traffic {
    /// A header names who is calling, and an outer layer puts the identity into the extensions.
    Identity,
    /// A bearer token.
    Token,
    /// A cookie of a session.
    Cookie,
}

/// What one contender answered.
#[derive(Clone, Debug)]
pub struct Answered {
    pub name: &'static str,
    pub traffic: Traffic,
    pub case: Case,
    /// Requests a second, as a ratio to no middleware just before; one a round.
    rates: Vec<f64>,
    /// The same for requests a second of the server's processor time, where the system tells it.
    efficiencies: Vec<f64>,
}

impl Answered {
    pub fn rate(&self) -> f64 {
        median(&self.rates)
    }

    pub fn efficiency(&self) -> Option<f64> {
        (!self.efficiencies.is_empty()).then(|| median(&self.efficiencies))
    }
}

struct Server {
    name: &'static str,
    kind: Kind,
    traffic: Traffic,
    address: SocketAddr,
    /// Where Linux tells the processor time of the thread.
    times: PathBuf,
}

impl Server {
    /// The processor time that the server has used, in nanoseconds.
    fn spent(&self) -> Option<f64> {
        fs::read_to_string(&self.times).ok()?.split_whitespace().next()?.parse().ok()
    }
}

/// Puts the identity into the extensions that a header names, as an outer layer that authenticates does.
fn identified(inner: impl AppService) -> impl AppService {
    let callers = std::sync::Arc::new(Callers::new());
    MapRequestLayer::new(move |mut request: Request<Body>| {
        let known = match request.headers().get("x-user").map(header::HeaderValue::as_bytes) {
            Some(b"ada") => &callers.admin,
            Some(_) => &callers.viewer,
            None => return request,
        };
        request.extensions_mut().insert(known.bits);
        request.extensions_mut().insert(known.user.clone());
        request.extensions_mut().insert(known.principal.clone());
        request
    })
    .layer(inner)
}

/// Serves on a thread of its own, until the program ends.
fn serve(name: &'static str, kind: Kind, traffic: Traffic, service: impl AppService) -> io::Result<Server> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let _ = tell.send(fs::read_link("/proc/thread-self").unwrap_or_default());
        runtime.block_on(async { axum::serve(TcpListener::from_std(listener)?, service.into_make_service()).await })
    });
    let times = Path::new("/proc").join(told.recv().map_err(io::Error::other)?).join("schedstat");
    Ok(Server { name, kind, traffic, address, times })
}

fn servers(building: &Runtime) -> io::Result<Vec<Server>> {
    use Traffic::{Cookie, Identity, Token};
    let rules = || OptimumRules::new(RULES);
    let tokens = Optimum::with_tokens(router(), rules(), Tokens::new());
    let cached = || by_token(TokenCache::new());
    Ok(vec![
        serve("no middleware", Kind::Floor, Identity, identified(router()))?,
        serve("the optimum", Kind::Optimum, Identity, identified(Optimum::new(router(), rules())))?,
        serve("`from_fn` by hand", Kind::ByHand, Identity, identified(by_hand_around()))?,
        serve("tower-authz around the router", Kind::Ours, Identity, identified(usual().layer(router())))?,
        serve("tower-authz `protect`", Kind::Ours, Identity, identified(usual().protect(router())))?,
        serve("no middleware", Kind::Floor, Token, router())?,
        serve("the optimum", Kind::Optimum, Token, tokens)?,
        serve("tower-authz, cached", Kind::Ours, Token, cached().layer(router()))?,
        serve("tower-authz `protect`, cached", Kind::Ours, Token, cached().protect(router()))?,
        serve("tower-authz, uncached", Kind::Ours, Token, by_token(TokenCache::off()).layer(router()))?,
        serve("aliri_tower", Kind::Peer, Token, aliri_around())?,
        serve("no middleware", Kind::Floor, Cookie, router())?,
        serve("axum-login", Kind::Peer, Cookie, building.block_on(login_around()))?,
    ])
}

fn sent(traffic: Traffic, case: Case) -> Vec<u8> {
    let callers = Callers::new();
    let head = format!("GET {} HTTP/1.1\r\nhost: api.example\r\naccept: application/json\r\n", path(case, RULES));
    let known = callers.of(case);
    let credential = known.map_or_else(String::new, |known| match traffic {
        Traffic::Identity => format!("x-user: {}\r\n", known.user.name),
        Traffic::Token => format!("authorization: {}\r\n", known.token.to_str().unwrap_or_default()),
        Traffic::Cookie => format!("cookie: {}\r\n", cookie(&known.user.name)),
    });
    format!("{head}{credential}\r\n").into_bytes()
}

/// One request and its answer; gives the status.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> io::Result<u16> {
    stream.write_all(request).await?;
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(status) = whole(&buffer[..filled])? {
            return Ok(status);
        }
    }
}

/// The status, if the answer is there to its end.
fn whole(bytes: &[u8]) -> io::Result<Option<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; 24];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(head) = parsed else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok()).unwrap_or(0);
    Ok((bytes.len() >= head + length).then_some(response.code.unwrap_or(0)))
}

/// Requests a second, and requests a second of the server's processor time.
fn rates(client: &Runtime, server: &Server, case: Case) -> io::Result<(f64, Option<f64>)> {
    let before = server.spent();
    let status = case.status().as_u16();
    let (answered, took) = client.block_on(spell(server.address, &sent(server.traffic, case), status))?;
    let spent = server.spent().zip(before).map(|(after, before)| after - before);
    Ok((answered / took.as_secs_f64(), spent.map(|spent| answered * 1e9 / spent)))
}

/// The requests that were answered over all connections, and the time that it took.
async fn spell(address: SocketAddr, request: &[u8], status: u16) -> io::Result<(f64, Duration)> {
    let mut connections = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CONNECTIONS {
        let (request, mut stream) = (request.to_vec(), TcpStream::connect(address).await?);
        stream.set_nodelay(true)?;
        connections.spawn(async move {
            let (mut answered, mut buffer) = (0.0, vec![0; 8 * 1024]);
            while start.elapsed() < SPELL {
                let told = exchange(&mut stream, &request, &mut buffer).await?;
                assert_eq!(told, status, "the answer over the socket");
                answered += 1.0;
            }
            io::Result::Ok(answered)
        });
    }
    let mut answered = 0.0;
    while let Some(connection) = connections.join_next().await {
        answered += connection.map_err(io::Error::other)??;
    }
    Ok((answered, start.elapsed()))
}

fn cases(server: &Server) -> &'static [Case] {
    match server.kind {
        Kind::Peer => &[Case::Allowed, Case::Forbidden],
        _ => &[Case::Allowed, Case::Anonymous, Case::Forbidden, Case::Masked],
    }
}

/// Asks every server, so many times in turn, and each time the one without middleware first.
///
/// # Errors
///
/// A socket fails.
pub fn run(rounds: usize) -> io::Result<Vec<Answered>> {
    let client = Builder::new_current_thread().enable_all().build()?;
    let servers = servers(&client)?;
    let mut answered = Vec::new();
    for server in servers.iter().filter(|server| server.kind != Kind::Floor) {
        for case in cases(server) {
            let Server { name, traffic, .. } = *server;
            let answers = Answered { name, traffic, case: *case, rates: Vec::new(), efficiencies: Vec::new() };
            answered.push((server, answers));
        }
    }
    for _ in 0..rounds {
        for (server, answers) in &mut answered {
            let is_floor = |floor: &&Server| floor.kind == Kind::Floor && floor.traffic == server.traffic;
            let Some(floor) = servers.iter().find(is_floor) else { continue };
            let (least, most) = (rates(&client, floor, Case::Allowed)?, rates(&client, server, answers.case)?);
            answers.rates.push(most.0 / least.0);
            answers.efficiencies.extend(most.1.zip(least.1).map(|(most, least)| most / least));
        }
    }
    Ok(answered.into_iter().map(|(_, answers)| answers).collect())
}

fn median(ratios: &[f64]) -> f64 {
    let mut ratios = ratios.to_vec();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}
