//! What people write today: `axum::middleware::from_fn` with a map of routes.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use tower::{Layer, service_fn};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    work::{Asks, RULES, User, asks, leaf, path, pattern, router, with_extensions},
};

/// What a route asks for.
#[derive(Clone, Debug)]
struct Rule {
    roles: Vec<String>,
    hidden: bool,
}

type Rules = Arc<HashMap<String, Rule>>;

/// The rules, by method and what `key` makes of the index.
fn rules(key: impl Fn(usize) -> String) -> Rules {
    let rule = |index| match asks(index) {
        Asks::Nothing => Rule { roles: Vec::new(), hidden: false },
        Asks::Admin => Rule { roles: vec!["admin".to_owned()], hidden: false },
        Asks::AdminMasked => Rule { roles: vec!["admin".to_owned()], hidden: true },
    };
    Arc::new((0..RULES).map(|index| (format!("GET {}", key(index)), rule(index))).collect())
}

/// Forwards the request, or answers it.
async fn decide(rules: Rules, route: String, request: Request, next: Next) -> Response {
    let Some(rule) = rules.get(&format!("{} {route}", request.method())) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if rule.roles.is_empty() {
        return next.run(request).await;
    }
    let Some(user) = request.extensions().get::<User>().cloned() else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    };
    if rule.roles.iter().any(|role| user.roles.contains(role)) {
        return next.run(request).await;
    }
    if rule.hidden { StatusCode::NOT_FOUND.into_response() } else { StatusCode::FORBIDDEN.into_response() }
}

/// As `Router::layer`, where axum says which route matched.
pub fn around() -> Router {
    let rules = rules(pattern);
    let authorize = move |request: Request, next: Next| {
        let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
        decide(Arc::clone(&rules), route.unwrap_or_default(), request, next)
    };
    router().layer(from_fn(authorize))
}

pub fn contenders() -> Vec<Contender> {
    let by_path = || async {
        let exact = |index| match asks(index) {
            Asks::Nothing => path(Case::Public, RULES),
            Asks::AdminMasked => path(Case::Masked, RULES),
            Asks::Admin => format!("/route-{index}/ada"),
        };
        let rules = rules(exact);
        let authorize = move |request: Request, next: Next| {
            let route = request.uri().path().to_owned();
            decide(Arc::clone(&rules), route, request, next)
        };
        from_fn(authorize).layer(service_fn(leaf))
    };
    let of = |group| Contender::new(group, Kind::ByHand, "`from_fn` by hand", || async { around() }, with_extensions);
    vec![
        Contender::new(Group::Service, Kind::ByHand, "`from_fn` by hand", by_path, with_extensions)
            .note("exact paths only: without a router there are no patterns"),
        of(Group::Router).note("as `Router::layer`, where axum says which route matched"),
        of(Group::Inside).note("as `Router::layer`"),
    ]
}
