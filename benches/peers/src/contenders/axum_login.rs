//! axum-login: a session behind a cookie, a backend that knows permissions, and predicates on routes.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    routing::{MethodRouter, get},
};
use axum_login::{
    AuthManagerLayer, AuthManagerLayerBuilder, AuthUser, AuthnBackend, AuthzBackend, login_required,
    permission_required,
};
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::json;
use tower::{Layer, service_fn};
use tower_sessions::{
    MemoryStore, SessionManagerLayer, SessionStore,
    cookie::time::{Duration, OffsetDateTime},
    session::{Id, Record},
};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{AppService, Asks, Callers, RULES, asks, bare, leaf, pattern},
};

const HASH: &[u8] = b"hash of a password";
const SESSIONS: [(&str, &str, Id); 2] = [("ada", "admin", Id(1)), ("vera", "viewer", Id(2))];

#[derive(Clone, Debug)]
struct User(String);

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        HASH
    }
}

/// A backend that has everything in memory.
#[derive(Clone, Debug)]
struct Backend(Arc<HashMap<&'static str, &'static str>>);

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = ();
    type Error = Infallible;

    async fn authenticate(&self, (): ()) -> Result<Option<User>, Infallible> {
        Ok(None)
    }

    async fn get_user(&self, id: &String) -> Result<Option<User>, Infallible> {
        Ok(self.0.contains_key(id.as_str()).then(|| User(id.clone())))
    }
}

impl AuthzBackend for Backend {
    type Permission = String;

    async fn get_user_permissions(&self, user: &User) -> Result<HashSet<String>, Infallible> {
        Ok(self.0.get(user.0.as_str()).map(|role| (*role).to_owned()).into_iter().collect())
    }
}

async fn manager() -> AuthManagerLayer<Backend, MemoryStore> {
    let store = MemoryStore::default();
    for (name, _, id) in SESSIONS {
        let data = HashMap::from([("axum-login.data".to_owned(), json!({ "user_id": name, "auth_hash": HASH }))]);
        let record = Record { id, data, expiry_date: OffsetDateTime::now_utc() + Duration::days(1) };
        store.save(&record).await.expect("it is in memory");
    }
    let backend = Backend(Arc::new(SESSIONS.map(|(name, role, _)| (name, role)).into()));
    AuthManagerLayerBuilder::new(backend, SessionManagerLayer::new(store)).build()
}

/// The cookie of somebody's session.
pub fn cookie(name: &str) -> String {
    let session = SESSIONS.into_iter().find(|(known, ..)| *known == name);
    session.map(|(_, _, id)| format!("id={id}")).unwrap_or_default()
}

fn with_cookie(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    let mut request = bare(case, RULES);
    if let Some(known) = callers.of(case) {
        let cookie = HeaderValue::try_from(cookie(&known.user.name)).expect("identifiers are visible ASCII");
        request.headers_mut().insert(header::COOKIE, cookie);
    }
    Some(request)
}

/// One service alone: nothing is public.
fn protected_only(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case == Case::Public { None } else { with_cookie(callers, case) }
}

fn route(index: usize) -> MethodRouter {
    let handler = get(async || ());
    match asks(index) {
        Asks::Nothing => handler,
        Asks::Admin | Asks::AdminMasked => {
            handler.route_layer(permission_required!(Backend, "admin")).route_layer(login_required!(Backend))
        }
    }
}

/// Around a router, as its documentation shows it.
pub async fn around() -> impl AppService {
    let router = (0..RULES).fold(Router::new(), |router, index| router.route(&pattern(index), route(index)));
    manager().await.layer(router)
}

pub fn contenders() -> Vec<Contender> {
    let service = || async {
        let guarded = login_required!(Backend).layer(permission_required!(Backend, "admin").layer(service_fn(leaf)));
        manager().await.layer(guarded)
    };
    [
        Contender::new(Group::Service, Kind::Peer, "axum-login", service, protected_only),
        Contender::new(Group::Router, Kind::Peer, "axum-login", around, with_cookie),
    ]
    .map(|contender| {
        contender
            .answers(Case::Masked, StatusCode::FORBIDDEN)
            .note("finds the session of a cookie in memory; `login_required` and `permission_required`")
    })
    .into()
}
