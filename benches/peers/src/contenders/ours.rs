//! tower-authz, in each of its forms.

use axum::body::Body;
use http::Request;
use tower::{Layer, service_fn};
use tower_authz::{
    AuthzLayer, Guard, Identify, Policy,
    authn::{Jwt, Separator, TokenCache, TrustedHeaders, principal_extension},
    report::Event,
};

use crate::{
    case::{Case, Group},
    contender::{Contender, Kind},
    token::{AUDIENCE, ISSUER, SECRET},
    work::{Callers, RULES, document_with_conditions, leaf, policy, router, with_extensions, with_headers, with_token},
};

type Request_ = fn(&mut Callers, Case) -> Option<Request<Body>>;

fn by_extension(policy: Policy) -> AuthzLayer {
    AuthzLayer::builder(policy).authenticator(principal_extension()).build().expect("nothing is missing")
}

/// A layer that finds the identity in the extensions.
pub fn usual() -> AuthzLayer {
    by_extension(policy(RULES, 4))
}

/// A layer that reads bearer tokens.
pub fn by_token(cache: TokenCache) -> AuthzLayer {
    let jwt =
        Jwt::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE).cache(cache).build().expect("the settings are sound");
    AuthzLayer::builder(policy(RULES, 4)).authenticator(jwt).build().expect("nothing is missing")
}

fn by_headers() -> AuthzLayer {
    let headers = TrustedHeaders::from_proxies(["10.0.0.0/8"])
        .subject("x-auth-user")
        .roles("x-auth-roles", Separator::Comma)
        .build()
        .expect("the settings are sound");
    AuthzLayer::builder(policy(RULES, 4)).authenticator(headers).build().expect("nothing is missing")
}

fn silent() -> AuthzLayer {
    let builder = AuthzLayer::builder(policy(RULES, 4)).authenticator(principal_extension());
    builder.reporter(|_: &Event<'_>| ()).build().expect("nothing is missing")
}

/// A guard looks at one route, and knows neither public nor hidden ones.
fn guarded(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if matches!(case, Case::Public | Case::Masked) { None } else { with_extensions(callers, case) }
}

/// Inside axum's routing a mask does not hold, so it is not asked for.
fn unmasked(callers: &mut Callers, case: Case) -> Option<Request<Body>> {
    if case == Case::Masked { None } else { with_extensions(callers, case) }
}

fn sized(rules: usize) -> Request_ {
    match rules {
        10 => |callers, case| Some(with_headers(callers, case, 10)),
        100_000 => |callers, case| Some(with_headers(callers, case, 100_000)),
        _ => |callers, case| Some(with_headers(callers, case, RULES)),
    }
}

fn bare_service() -> Vec<Contender> {
    let guard = || async { Identify::new(principal_extension()).layer(Guard::role("admin").layer(service_fn(leaf))) };
    vec![
        ours(Group::Service, "tower-authz", || async { usual().layer(service_fn(leaf)) }, with_extensions),
        ours(
            Group::Service,
            "tower-authz, reports to a closure",
            || async { silent().layer(service_fn(leaf)) },
            with_extensions,
        ),
        ours(Group::Service, "tower-authz `Guard`", guard, guarded).note("behind `Identify`, without a policy"),
    ]
}

fn ours<S, F>(group: Group, name: &'static str, build: impl Fn() -> F + 'static, request: Request_) -> Contender
where
    F: Future<Output = S> + 'static,
    S: tower::Service<Request<Body>, Response = axum::response::Response, Error: std::fmt::Debug>
        + Clone
        + Send
        + 'static,
{
    Contender::new(group, Kind::Ours, name, build, request)
}

fn routers() -> Vec<Contender> {
    let guard = || async { router().route_layer(Guard::role("admin")).layer(Identify::new(principal_extension())) };
    vec![
        ours(Group::Router, "tower-authz around the router", || async { usual().layer(router()) }, with_extensions),
        ours(Group::Router, "tower-authz `protect`", || async { usual().protect(router()) }, with_extensions)
            .note("around the router, and the route that matched compared inside it"),
        ours(Group::Inside, "tower-authz `Router::layer`", || async { router().layer(usual()) }, unmasked),
        ours(Group::Inside, "tower-authz `route_layer`", || async { router().route_layer(usual()) }, unmasked),
        ours(Group::Inside, "tower-authz `Guard`, `route_layer`", guard, guarded)
            .note("behind `Identify` as `Router::layer`, without a policy"),
    ]
}

fn sizes() -> Vec<Contender> {
    let of = |name, rules, roles| {
        let build = move || async move { by_extension(policy(rules, roles)).layer(service_fn(leaf)) };
        ours(Group::Sizes, name, build, sized(rules))
    };
    let conditions = || async {
        let policy = Policy::from_json_str(&document_with_conditions(RULES)).expect("the policy is sound");
        by_extension(policy).layer(service_fn(leaf))
    };
    vec![
        of("tower-authz, 10 rules", 10, 4),
        of("tower-authz, 1,000 rules", RULES, 4),
        of("tower-authz, 100,000 rules", 100_000, 4),
        of("tower-authz, 64 roles", RULES, 64),
        of("tower-authz, 1,000 roles", RULES, 1_000),
        ours(Group::Sizes, "tower-authz, conditions", conditions, sized(RULES)).note("two claims, no such role, until"),
        ours(
            Group::Sizes,
            "tower-authz, trusted headers",
            || async { by_headers().layer(service_fn(leaf)) },
            sized(RULES),
        ),
    ]
}

fn tokens() -> Vec<Contender> {
    let cached = || async { by_token(TokenCache::new()).layer(service_fn(leaf)) };
    let digests = || async { by_token(TokenCache::new().digests()).layer(service_fn(leaf)) };
    let uncached = || async { by_token(TokenCache::off()).layer(service_fn(leaf)) };
    vec![
        ours(Group::Token, "tower-authz, cached", cached, with_token),
        ours(Group::Token, "tower-authz, cached digests", digests, with_token),
        ours(Group::Token, "tower-authz, uncached", uncached, with_token),
    ]
}

pub fn contenders() -> Vec<Contender> {
    [bare_service(), routers(), sizes(), tokens()].into_iter().flatten().collect()
}
