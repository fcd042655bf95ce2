//! Bad days of an OpenID provider: keys that rotate under load, outages, floods of invented keys. Wrong answers are none,
//! and how often the provider is asked is bounded and printed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::json;
use tokio::{
    task::{JoinSet, yield_now},
    time::sleep,
};
use tower::ServiceExt;
use tower_authz::{
    AuthzLayer, Policy, Protected,
    authn::{ClaimMap, Jwt, JwtAlgorithm, RemoteKeys},
};

use crate::provider::Provider;

const RESOURCE: &str = "https://api.example/invoices";
const POLICY: &str = r#"{
    "version": 1,
    "roles": { "clerk": { "permissions": ["invoices:read"] } },
    "routes": { "GET /invoices": "invoices:read" }
}"#;
const COOL_DOWN: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_under_load_without_a_wrong_answer() {
    let mut provider = Provider::start().await;
    let service = Service::trusting(&provider, keys()).await;
    let tokens = Tokens::default();
    tokens.push(token(&mut provider).await);
    let load = Load::of(&service, &tokens);
    let rotations = 10;
    for _ in 0..rotations {
        provider.tell("rotate").await;
        tokens.push(token(&mut provider).await);
        sleep(COOL_DOWN + Duration::from_millis(100)).await;
    }
    let answers = load.stop().await;
    let requests = provider.requests().await;
    answers.check("rotation");
    println!("rotation: {rotations} times, {requests:?}");
    assert!(requests.refreshes() <= rotations + 1, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_withdrawn_count_no_more() {
    let mut provider = Provider::start().await;
    let often = keys().refresh_between(Duration::from_millis(200), Duration::from_millis(200));
    let service = Service::trusting(&provider, often).await;
    let old = token(&mut provider).await;
    assert_eq!(service.ask(&old).await, StatusCode::OK);
    provider.tell("rotate").await;
    let new = token(&mut provider).await;
    let both = Tokens::default();
    both.push(old.clone());
    both.push(new.clone());
    let load = Load::of(&service, &both);
    sleep(Duration::from_secs(1)).await;
    load.stop().await.check("both keys published");
    provider.tell("retire").await;
    let took = service.until(&old, StatusCode::UNAUTHORIZED).await;
    println!("withdrawal: noticed after {took:?}");
    assert_eq!(service.ask(&new).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_changes_no_answer() {
    let mut provider = Provider::start().await;
    let impatient = keys()
        .refresh_between(Duration::from_millis(100), Duration::from_millis(100))
        .back_off(Duration::from_millis(100), Duration::from_secs(1))
        .timeout(Duration::from_millis(300));
    let service = Service::trusting(&provider, impatient).await;
    let tokens = Tokens::default();
    for _ in 0..20 {
        tokens.push(token(&mut provider).await);
    }
    assert_eq!(service.ask(&tokens.newest()).await, StatusCode::OK);
    let load = Load::of(&service, &tokens);
    for outage in ["down", "up", "failing", "hanging"] {
        let (before, began) = (provider.requests().await, Instant::now());
        provider.tell(outage).await;
        sleep(Duration::from_secs(2)).await;
        let (requests, lasted) = (provider.requests().await.since(before), began.elapsed());
        println!("{outage} for {lasted:?}: {requests:?}");
        assert!(requests.refreshes() <= refreshes(lasted, Duration::from_millis(100)), "{outage}: {requests:?}");
        let unknown = service.ask(&service.invented(0)).await;
        assert_eq!(unknown, StatusCode::UNAUTHORIZED, "there are keys, and this is none of them: {outage}");
    }
    provider.tell("up").await;
    provider.tell("rotate").await;
    let new = token(&mut provider).await;
    let took = service.until(&new, StatusCode::OK).await;
    let answers = load.stop().await;
    answers.check("outage");
    println!("outage: a new key {took:?} after the end of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_while_the_provider_is_down_waits_for_keys() {
    let mut provider = Provider::start().await;
    let token = token(&mut provider).await;
    provider.tell("down").await;
    let patient = keys().back_off(Duration::from_millis(100), Duration::from_secs(1));
    let service = Service::trusting(&provider, patient).await;
    for _ in 0..5 {
        let (status, headers) = service.answer(&token).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(headers.contains_key(header::RETRY_AFTER));
        assert!(!headers.contains_key(header::WWW_AUTHENTICATE));
    }
    provider.tell("up").await;
    let took = service.until(&token, StatusCode::OK).await;
    println!("start: keys {took:?} after the provider came up, {:?}", provider.requests().await);
    assert_eq!(service.ask(&service.invented(0)).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_invented_keys_neither_loads_the_provider_nor_delays_a_rotation() {
    let mut provider = Provider::start().await;
    let service = Service::trusting(&provider, keys()).await;
    let tokens = Tokens::default();
    tokens.push(token(&mut provider).await);
    assert_eq!(service.ask(&tokens.newest()).await, StatusCode::OK);
    let (before, began) = (provider.requests().await, Instant::now());
    let (load, flood) = (Load::of(&service, &tokens), Flood::of(&service));
    let mut longest = Duration::ZERO;
    for _ in 0..4 {
        sleep(COOL_DOWN / 3).await;
        provider.tell("rotate").await;
        let new = token(&mut provider).await;
        longest = longest.max(service.until(&new, StatusCode::OK).await);
        tokens.push(new);
    }
    let invented = flood.stop().await;
    let (answers, lasted) = (load.stop().await, began.elapsed());
    let requests = provider.requests().await.since(before);
    answers.check("flood");
    println!("flood: {invented} invented keys in {lasted:?}, {requests:?}, new keys after {longest:?} at most");
    assert!(longest < COOL_DOWN * 4, "{longest:?}");
    assert!(requests.refreshes() <= refreshes(lasted, COOL_DOWN), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_tokens_of_a_provider_those_for_this_service_count_with_their_scopes() {
    let mut provider = Provider::start().await;
    let service = Service::trusting(&provider, keys()).await;
    let another = format!("{RESOURCE}/ledger");
    let cases = [
        (token(&mut provider).await, StatusCode::OK),
        (provider.token(RESOURCE, "invoices:write").await, StatusCode::FORBIDDEN),
        (provider.token(&another, "invoices:read").await, StatusCode::UNAUTHORIZED),
        (provider.bound_token(RESOURCE, "invoices:read").await, StatusCode::UNAUTHORIZED),
    ];
    for (token, expected) in cases {
        assert_eq!(service.ask(&token).await, expected, "{token}");
        let stranger = Service::trusting(&Provider::start().await, keys()).await;
        assert_eq!(stranger.ask(&token).await, StatusCode::UNAUTHORIZED, "to who trusts another provider: {token}");
    }
}

/// How many are allowed in some time, of which one may be under way at its beginning and one at its end.
fn refreshes(time: Duration, apart: Duration) -> u64 {
    2 + u64::try_from(time.as_millis() / apart.as_millis()).unwrap()
}

fn keys() -> RemoteKeys {
    RemoteKeys::discovered().cool_down(COOL_DOWN)
}

async fn token(provider: &mut Provider) -> String {
    provider.token(RESOURCE, "invoices:read").await
}

/// An API behind the layer.
#[derive(Clone)]
struct Service {
    app: Protected,
    issuer: String,
}

impl Service {
    async fn trusting(provider: &Provider, keys: RemoteKeys) -> Self {
        let issuer = provider.issuer.clone();
        let jwt = Jwt::remote(&issuer, keys)
            .algorithms([
                JwtAlgorithm::Rs256,
                JwtAlgorithm::Es256,
                JwtAlgorithm::EdDsa,
                JwtAlgorithm::Ps256,
                JwtAlgorithm::Es384,
            ])
            .audience(RESOURCE)
            .claims(ClaimMap::new().permissions("scope"));
        let authz = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap())
            .authenticator(jwt.build().await.unwrap())
            .build()
            .unwrap();
        Self { app: authz.protect(Router::new().route("/invoices", get(async || "invoices"))), issuer }
    }

    async fn answer(&self, token: &str) -> (StatusCode, HeaderMap) {
        let request = Request::get("/invoices").header(header::AUTHORIZATION, format!("Bearer {token}"));
        let response = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, _) = response.into_parts();
        (head.status, head.headers)
    }

    async fn ask(&self, token: &str) -> StatusCode {
        self.answer(token).await.0
    }

    /// How long it takes until a token is answered so.
    async fn until(&self, token: &str, status: StatusCode) -> Duration {
        let began = Instant::now();
        while self.ask(token).await != status {
            assert!(began.elapsed() < Duration::from_secs(20), "{status} never comes");
            sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    /// A token by a key that there never was.
    fn invented(&self, number: usize) -> String {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("invented-{number}") });
        let claims = json!({ "iss": self.issuer, "aud": RESOURCE, "sub": "mallory", "exp": 4_102_444_800_u32 });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 256]))
    }
}

/// Good tokens, of which there are ever more.
#[derive(Clone, Default)]
struct Tokens(Arc<Mutex<Vec<String>>>);

impl Tokens {
    fn push(&self, token: String) {
        self.0.lock().unwrap().push(token);
    }

    fn newest(&self) -> String {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn pick(&self, number: usize) -> String {
        let tokens = self.0.lock().unwrap();
        tokens[number % tokens.len()].clone()
    }
}

/// Callers with good tokens, who do not stop to ask.
struct Load {
    callers: JoinSet<Answers>,
    over: Arc<AtomicBool>,
}

#[derive(Default)]
struct Answers {
    all: usize,
    wrong: Vec<StatusCode>,
}

impl Answers {
    fn check(&self, drill: &str) {
        println!("{drill}: {} answers, {} wrong", self.all, self.wrong.len());
        assert!(self.all > 100 && self.wrong.is_empty(), "{:?}", self.wrong);
    }
}

impl Load {
    fn of(service: &Service, tokens: &Tokens) -> Self {
        let (mut callers, over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for caller in 0..4 {
            let (service, tokens, over) = (service.clone(), tokens.clone(), Arc::clone(&over));
            callers.spawn(async move {
                let mut answers = Answers::default();
                while !over.load(Ordering::Relaxed) {
                    let status = service.ask(&tokens.pick(caller + answers.all)).await;
                    answers.all += 1;
                    answers.wrong.extend(Some(status).filter(|status| *status != StatusCode::OK));
                    sleep(Duration::from_micros(500)).await;
                }
                answers
            });
        }
        Self { callers, over }
    }

    async fn stop(self) -> Answers {
        self.over.store(true, Ordering::Relaxed);
        let answers = self.callers.join_all().await;
        Answers {
            all: answers.iter().map(|answers| answers.all).sum(),
            wrong: answers.into_iter().flat_map(|answers| answers.wrong).collect(),
        }
    }
}

/// Callers with tokens by keys that there never were: tens of thousands, and until it is over.
struct Flood {
    callers: JoinSet<usize>,
    over: Arc<AtomicBool>,
}

impl Flood {
    fn of(service: &Service) -> Self {
        let (mut callers, over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for caller in 0..4 {
            let (service, over) = (service.clone(), Arc::clone(&over));
            callers.spawn(async move {
                let mut invented = 0;
                while invented < 5_000 || !over.load(Ordering::Relaxed) {
                    let token = service.invented(caller + 4 * invented);
                    assert_eq!(service.ask(&token).await, StatusCode::UNAUTHORIZED);
                    invented += 1;
                    yield_now().await;
                }
                invented
            });
        }
        Self { callers, over }
    }

    async fn stop(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.callers.join_all().await.into_iter().sum()
    }
}
