//! axum-casbin: a model, a list of policies, and a cache of decisions behind a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum_casbin::{CasbinAxumLayer, CasbinVals};
use casbin::{Adapter, DefaultModel, MemoryAdapter};
use http::{Request, StatusCode};
use tower::{Layer, service_fn};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{Asks, Callers, RULES, asks, leaf, router, with_extensions},
};

const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act
";

static SERIAL: AtomicU64 = AtomicU64::new(0);

const ANYONE: &str = "anyone";

async fn layer() -> CasbinAxumLayer {
    let line = |words: [&str; 3]| words.map(str::to_owned).to_vec();
    let mut adapter = MemoryAdapter::default();
    for index in 0..RULES {
        let path = format!("/route-{index}/:id");
        let subject = if asks(index) == Asks::Nothing { ANYONE } else { "admin" };
        adapter.add_policy("p", "p", line([subject, &path, "GET"])).await.expect("it is in memory");
    }
    for (name, role) in [("ada", "admin"), ("vera", "viewer")] {
        adapter.add_policy("g", "g", vec![name.to_owned(), role.to_owned()]).await.expect("it is in memory");
    }
    let model = DefaultModel::from_str(MODEL).await.expect("the model is sound");
    CasbinAxumLayer::new(model, adapter).await.expect("model and policies fit")
}

fn request(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    let mut request = with_extensions(callers, case)?;
    let subject = match callers.of(case) {
        Some(known) => Some(known.user.name.clone()),
        None => (case == Case::Public).then(|| ANYONE.to_owned()),
    };
    if let Some(subject) = subject {
        request.extensions_mut().insert(CasbinVals { subject, domain: None });
    }
    Some(request)
}

/// A path that nobody has asked for yet, as with every identifier.
fn unique(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case == Case::Anonymous {
        return None;
    }
    let mut request = request(callers, case)?;
    let user = format!("user-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
    let path = request.uri().path().replace("ada", &user);
    *request.uri_mut() = path.parse().expect("paths are sound");
    Some(request)
}

pub fn contenders() -> Vec<Contender> {
    let service = || async { layer().await.layer(service_fn(leaf)) };
    let around = || async { layer().await.layer(router()) };
    [
        Contender::new(Group::Service, Kind::Peer, "axum-casbin, cached decision", service, request),
        Contender::new(Group::Service, Kind::Peer, "axum-casbin, new path", service, unique).slow(),
        Contender::new(Group::Router, Kind::Peer, "axum-casbin, cached decision", around, request),
    ]
    .map(|contender| {
        contender.answers(Case::Masked, StatusCode::FORBIDDEN).note("is told the subject; hides no routes")
    })
    .into()
}
