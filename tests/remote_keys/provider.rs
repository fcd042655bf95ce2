//! A provider on a real listener that does as it is told, and counts what it is asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::keys::jwk;

/// A provider, and what it does now.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<Told>,
    server: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Told {
    key_set: Mutex<Answer>,
    /// Changes to the metadata.
    metadata: Mutex<Value>,
    asked: AtomicUsize,
    asked_for_keys: AtomicUsize,
    /// Requests for keys that are being answered, and the most of them at one time.
    answering: AtomicUsize,
    most_at_once: AtomicUsize,
    /// What the last request for keys brought along.
    headers: Mutex<HeaderMap>,
}

/// What a provider answers when it is asked for its keys.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) after: Duration,
    pub(crate) endless: bool,
}

impl Answer {
    pub(crate) fn text(body: impl Into<String>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), after: Duration::ZERO, endless: false }
    }

    pub(crate) fn keys(names: &[&str]) -> Self {
        Self::text(json!({ "keys": names.iter().map(|name| jwk(name)).collect::<Vec<_>>() }).to_string())
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// The body never ends.
    pub(crate) fn endless(self) -> Self {
        Self { endless: true, ..self }
    }
}

impl Provider {
    /// A provider that publishes these keys.
    pub(crate) async fn with(names: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self::down_at(listener.local_addr().unwrap(), names);
        provider.serve(listener);
        provider
    }

    /// A provider that nobody answers for yet.
    pub(crate) async fn down(names: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::down_at(listener.local_addr().unwrap(), names)
    }

    fn down_at(address: SocketAddr, names: &[&str]) -> Self {
        let state = Told {
            key_set: Mutex::new(Answer::keys(names)),
            metadata: Mutex::new(json!({})),
            asked: AtomicUsize::new(0),
            asked_for_keys: AtomicUsize::new(0),
            answering: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            headers: Mutex::default(),
        };
        Self { address, state: Arc::new(state), server: Arc::default() }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}/realms/acme", self.address)
    }

    pub(crate) fn jwks(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    fn serve(&self, listener: TcpListener) {
        let router = self.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        *self.server.lock().unwrap() = Some(server);
    }

    /// The provider as a service.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/realms/acme/.well-known/openid-configuration", get(openid))
            .route("/.well-known/oauth-authorization-server/realms/acme", get(oauth))
            .route("/keys", get(keys))
            .with_state((self.issuer(), Arc::clone(&self.state)))
    }

    /// Comes up at the address that it had before.
    pub(crate) async fn come_up(&self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    /// Goes down. Open connections stay, so it also fails on those.
    pub(crate) fn go_down(&self) {
        self.answer(Answer::text("").status(503));
        if let Some(server) = self.server.lock().unwrap().take() {
            server.abort();
        }
    }

    pub(crate) fn publish(&self, names: &[&str]) {
        self.answer(Answer::keys(names));
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.state.key_set.lock().unwrap() = answer;
    }

    /// Changes the metadata: `null` takes a member away, the member `status` is the status.
    pub(crate) fn metadata(&self, changes: Value) {
        *self.state.metadata.lock().unwrap() = changes;
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How often it was asked for keys.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.state.asked_for_keys.load(Ordering::SeqCst)
    }

    /// How many requests for keys there were at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    /// Counts anew.
    pub(crate) fn forget(&self) {
        self.state.asked.store(0, Ordering::SeqCst);
        self.state.asked_for_keys.store(0, Ordering::SeqCst);
    }

    /// A header of the last request for keys.
    pub(crate) fn last_header(&self, name: &str) -> Option<String> {
        self.state.headers.lock().unwrap().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

type Shared = State<(String, Arc<Told>)>;

async fn openid(State((issuer, told)): Shared) -> Response {
    told.asked.fetch_add(1, Ordering::SeqCst);
    let changes = told.metadata.lock().unwrap().clone();
    let host = issuer.trim_end_matches("/realms/acme");
    let mut metadata = json!({ "issuer": issuer, "jwks_uri": format!("{host}/keys") });
    let members = metadata.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    let status = members.remove("status").and_then(|status| status.as_u64()).unwrap_or(200);
    members.retain(|_, value| !value.is_null());
    (StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap(), metadata.to_string()).into_response()
}

async fn oauth(State((issuer, told)): Shared) -> Response {
    told.asked.fetch_add(1, Ordering::SeqCst);
    let host = issuer.trim_end_matches("/realms/acme");
    json!({ "issuer": issuer, "jwks_uri": format!("{host}/keys") }).to_string().into_response()
}

async fn keys(State((_, told)): Shared, headers: HeaderMap) -> Response {
    told.asked.fetch_add(1, Ordering::SeqCst);
    told.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    *told.headers.lock().unwrap() = headers;
    let answer = told.key_set.lock().unwrap().clone();
    let now = told.answering.fetch_add(1, Ordering::SeqCst) + 1;
    told.most_at_once.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(answer.after).await;
    told.answering.fetch_sub(1, Ordering::SeqCst);
    let body = if answer.endless {
        let chunks = futures_util::stream::unfold((), move |()| {
            let chunk = answer.body.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Some((Ok::<_, std::convert::Infallible>(chunk), ()))
            }
        });
        Body::from_stream(chunks)
    } else {
        Body::from(answer.body)
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
