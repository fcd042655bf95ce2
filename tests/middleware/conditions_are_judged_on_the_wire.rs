//! Time, networks, step-up and predicates, over a real socket; and what a layer needs to be built.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{Router, routing::any};
use serde_json::json;
use tokio::net::TcpListener;
use tower_authz::{AuthzLayer, BuildErrorKind, Head, Policy, PolicyHandle, Principal, authn::Client};
use tracing::Level;

use super::{
    callers::{caller, policy},
    support::{Ask, Events, serve},
};

fn router() -> Router {
    Router::new().route("/{*path}", any(|| async { "reached" }))
}

fn grant(grant: &str) -> Policy {
    policy(&format!(r#"{{ "version": 1, "roles": {{ "viewer": {{}} }}, "routes": {{ "GET /x/{{id}}": {grant} }} }}"#))
}

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: u64 = 1_767_225_600;

#[tokio::test]
async fn grants_begin_and_end_to_the_second() {
    let seconds = Arc::new(AtomicU64::new(0));
    let (read, set) = (Arc::clone(&seconds), |at: u64| seconds.store(at, Ordering::SeqCst));
    let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst));
    let policy = grant(r#"{ "all_of": ["viewer"], "from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z" }"#);
    let authz = AuthzLayer::builder(policy).authenticator(caller).clock(clock).build().unwrap();
    let to = serve(authz.protect(router())).await;
    let day = 24 * 60 * 60;
    for (at, status) in
        [(NEW_YEAR - 1, 403), (NEW_YEAR, 200), (NEW_YEAR + day - 1, 200), (NEW_YEAR + day, 403), (0, 403)]
    {
        set(at);
        assert_eq!(Ask::get("/x/1").header("authorization", "Role viewer").send(to).await.status, status, "{at}");
    }
}

#[tokio::test]
async fn a_login_that_is_too_old_or_too_weak_is_asked_for_again() {
    let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(NEW_YEAR);
    let logged_in = |head: Head<'_>| {
        let header = |name| Some(head.headers().get(name)?.to_str().unwrap().to_owned());
        let principal = Principal::new("ada").roles([header("x-role").unwrap_or_default()]);
        let principal = principal.claim("acr", header("x-acr").unwrap_or_default());
        Some(match header("x-age").and_then(|age| age.parse::<i64>().ok()) {
            Some(age) => principal.claim("auth_time", json!(i64::try_from(NEW_YEAR).unwrap() - age)),
            None => principal,
        })
    };
    let policy = grant(r#"{ "all_of": ["viewer"], "step_up": { "acr": ["mfa", "key"], "max_age_seconds": 300 } }"#);
    let to =
        serve(AuthzLayer::builder(policy).authenticator(logged_in).clock(now).build().unwrap().protect(router())).await;
    for (role, acr, age, status) in [
        ("viewer", "mfa", "0", 200),
        ("viewer", "key", "300", 200),
        ("viewer", "mfa", "301", 401),
        ("viewer", "pwd", "0", 401),
        ("viewer", "", "0", 401),
        ("viewer", "mfa", "none", 401),
        ("viewer", "mfa", "-30", 200),
        ("viewer", "mfa", "-3000", 401),
        ("other", "mfa", "0", 403),
        ("other", "pwd", "0", 403),
    ] {
        let events = Events::record();
        let ask = Ask::get("/x/1").header("x-role", role).header("x-acr", acr).header("x-age", age);
        let answer = ask.send(to).await;
        assert_eq!(answer.status, status, "{role} {acr} {age}");
        if status == 401 {
            let challenge = answer.header("www-authenticate").unwrap();
            for part in ["insufficient_user_authentication", "acr_values=\"mfa key\"", "max_age="] {
                assert!(challenge.contains(part), "{challenge}");
            }
            assert_eq!(events.denial().field("authz.reason"), Some("step-up-required"));
        }
    }
}

#[tokio::test]
async fn of_several_ways_to_step_up_the_same_is_asked_for_whatever_their_order() {
    let fresher = r#"{ "all_of": ["viewer"], "step_up": { "max_age_seconds": 300 } }"#;
    let stronger = r#"{ "all_of": ["viewer"], "step_up": { "acr": ["mfa"] } }"#;
    let freshest = r#"{ "all_of": ["viewer"], "step_up": { "max_age_seconds": 60 } }"#;
    for (one, two) in [(fresher, stronger), (stronger, fresher), (fresher, freshest), (freshest, fresher)] {
        let authz = AuthzLayer::builder(grant(&format!("[{one}, {two}]"))).authenticator(caller).build().unwrap();
        let to = serve(authz.protect(router())).await;
        let answer = Ask::get("/x/1").header("authorization", "Role viewer").send(to).await;
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("max_age=\"300\"") && !challenge.contains("acr_values"), "{one} {two}: {challenge}");
    }
}

#[tokio::test]
async fn predicates_decide_and_fail_closed() {
    let policy = grant(r#"{ "all_of": ["viewer"], "check": "lucky" }"#);
    let authz = AuthzLayer::builder(policy).authenticator(caller).check("lucky", |context| {
        assert_eq!((context.method().as_str(), context.route()), ("GET", "/x/{id}"));
        assert_eq!(context.principal().subject(), "ada");
        match context.param("id") {
            Some("7") => true,
            Some("13") => panic!("unlucky"),
            _ => false,
        }
    });
    let to = serve(authz.build().unwrap().protect(router())).await;
    for (path, who, status, reason) in [
        ("/x/7", "Role viewer", 200, ""),
        ("/x/%37", "Role viewer", 200, ""),
        ("/x/8", "Role viewer", 403, "condition-failed"),
        ("/x/13", "Role viewer", 500, "internal-error"),
        ("/x/13", "Role other", 403, "insufficient-role"),
        ("/x/13", "", 401, "no-credentials"),
    ] {
        let events = Events::record();
        let answer = Ask::get(path).header("authorization", who).send(to).await;
        assert_eq!((answer.status.as_u16(), answer.holds("reached")), (status, status == 200), "{path} {who}");
        if status != 200 {
            let denial = events.denial();
            assert_eq!(denial.field("authz.reason"), Some(reason), "{path} {who}");
            let detail = (reason == "condition-failed").then_some("check `lucky` failed");
            assert_eq!(denial.field("authz.detail").filter(|_| reason == "condition-failed"), detail, "{path} {who}");
        }
    }
}

/// A predicate may count, so what a router calls its parameters must not make it count twice.
#[tokio::test]
async fn predicates_are_asked_once_for_each_request() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let authz = AuthzLayer::builder(grant(r#"{ "check": "quota" }"#)).authenticator(caller);
    let authz = authz.check("quota", move |_| count.fetch_add(1, Ordering::SeqCst) < 1000).build().unwrap();
    for key in ["/x/{id}", "/x/{other}", "/{*path}", "/{a}/{b}"] {
        let router = Router::new().route(key, any(|| async { "reached" }));
        for app in [router.clone().layer(authz.clone()), authz.protect(router).into_router()] {
            let to = serve(app).await;
            assert_eq!(Ask::get("/x/1").header("authorization", "Role viewer").send(to).await.status, 200);
            assert_eq!(asked.swap(0, Ordering::SeqCst), 1, "{key}");
            // Each of two readings has a parameter of its own.
            assert_eq!(Ask::get("/x/%31").header("authorization", "Role viewer").send(to).await.status, 200);
            assert_eq!(asked.swap(0, Ordering::SeqCst), 2, "{key}");
        }
    }
}

const LOCAL: &str = r#"{ "all_of": ["viewer"], "networks": ["127.0.0.0/8"] }"#;
const OFFICE: &str = r#"{ "all_of": ["viewer"], "networks": ["203.0.113.0/24"] }"#;

async fn serve_by_axum(authz: &AuthzLayer, tells_peer: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let app = authz.protect(router());
    tokio::spawn(async move {
        if tells_peer {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
        } else {
            axum::serve(listener, app).await
        }
    });
    to
}

#[tokio::test]
async fn networks_are_those_of_the_peer_or_of_whom_trusted_proxies_name() {
    let behind = |proxies: &str| Client::forwarded([proxies]).unwrap();
    for (name, policy, client, forwarded, status) in [
        ("the peer is there", LOCAL, Client::peer(), "", 200),
        ("the peer is not there", OFFICE, Client::peer(), "", 403),
        ("nobody asks a header", OFFICE, Client::peer(), "203.0.113.7", 403),
        ("a trusted proxy says so", OFFICE, behind("127.0.0.1"), "203.0.113.7", 200),
        ("what the client sent itself", OFFICE, behind("127.0.0.1"), "203.0.113.7, 198.51.100.1", 403),
        ("a stranger says so", OFFICE, behind("10.0.0.0/8"), "203.0.113.7", 403),
        ("IPv4 in IPv6", OFFICE, behind("127.0.0.1"), "::ffff:203.0.113.7", 200),
    ] {
        let authz = AuthzLayer::builder(grant(policy)).authenticator(caller).client(client).build().unwrap();
        let to = serve_by_axum(&authz, true).await;
        let events = Events::record();
        let ask = Ask::get("/x/1").header("authorization", "Role viewer");
        let ask = if forwarded.is_empty() { ask } else { ask.header("x-forwarded-for", forwarded) };
        assert_eq!(ask.send(to).await.status, status, "{name}");
        if status == 403 {
            assert_eq!(events.denial().field("authz.reason"), Some("condition-failed"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_missing_address_is_a_mistake_of_the_set_up_and_names_the_fix() {
    for client in [Client::peer(), Client::forwarded(["127.0.0.1"]).unwrap()] {
        let authz = AuthzLayer::builder(grant(LOCAL)).authenticator(caller).client(client).build().unwrap();
        let to = serve_by_axum(&authz, false).await;
        let events = Events::record();
        assert_eq!(Ask::get("/x/1").header("authorization", "Role viewer").send(to).await.status, 500);
        let denial = events.denial();
        assert_eq!((denial.level, denial.field("client.address")), (Level::ERROR, None));
        let detail = denial.field("authz.detail").unwrap();
        assert!(detail.contains("into_make_service_with_connect_info::<SocketAddr>()"), "{detail}");
        // Who lacks the role is told so as ever: the address does not matter then.
        assert_eq!(Ask::get("/x/1").header("authorization", "Role other").send(to).await.status, 403);
    }
}

#[test]
fn a_layer_that_lacks_something_is_not_built() {
    let checked = r#"{ "check": "lucky" }"#;
    let builder = |grant_text: &str| AuthzLayer::builder(grant(grant_text));
    for (builder, kind, text) in [
        (
            builder("\"viewer\""),
            BuildErrorKind::NoAuthenticator,
            "the policy has rules that are not public, and no authenticator is set: call `.authenticator(…)`, with \
             `authn::principal_extension()` if a layer outside puts a principal into the request",
        ),
        (
            builder(LOCAL).authenticator(caller),
            BuildErrorKind::NoClient,
            "the policy uses `networks`, and where the address of the client comes from is not set: call \
             `.client(Client::peer())`, or `.client(Client::forwarded([…])?)` behind proxies",
        ),
        (
            builder(checked).authenticator(caller).check("unlucky", |_| true),
            BuildErrorKind::UnregisteredChecks(vec!["lucky".into()]),
            "the policy names checks that are not registered: `lucky`; call `.check(name, predicate)`",
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (&kind, text));
    }
    assert!(builder("\"public\"").build().is_ok(), "nobody need be known");
    assert!(builder("\"nobody\"").build().is_err());
    assert!(builder(checked).authenticator(caller).check("lucky", |_| true).build().is_ok());
    assert!(builder(LOCAL).authenticator(caller).client(Client::peer()).build().is_ok());
}

/// A policy that is put in force later may need what the layer was not built with: it fails closed.
#[tokio::test]
async fn a_new_policy_that_needs_more_than_the_layer_has_lets_nobody_in() {
    for (later, status) in [(r#"{ "check": "lucky" }"#, 403), (LOCAL, 500), ("\"viewer\"", 200)] {
        let handle = PolicyHandle::new(grant("\"authenticated\""));
        let authz = AuthzLayer::builder(&handle).authenticator(caller).build().unwrap();
        let to = serve(authz.protect(router())).await;
        let lack = handle.lack(&grant(later));
        assert_eq!(lack.is_some_and(|lack| lack.starts_with("the policy ")), status != 200, "{later}");
        handle.replace(grant(later));
        assert_eq!(Ask::get("/x/1").header("authorization", "Role viewer").send(to).await.status, status, "{later}");
    }
}

#[test]
fn what_any_layer_of_a_handle_lacks_is_told() {
    let handle = PolicyHandle::new(grant("\"authenticated\""));
    let layer = || AuthzLayer::builder(&handle).authenticator(caller).client(Client::peer());
    let complete = || layer().check("lucky", |_| true).build().unwrap();
    let later = grant(r#"{ "check": "lucky" }"#);
    assert_eq!(handle.lack(&later), None, "nobody enforces the policy yet");
    let (_first, lacking, _last) = (complete(), layer().build().unwrap(), complete());
    assert!(handle.lack(&later).unwrap().contains("`lucky`"));
    drop(lacking);
    assert_eq!(handle.lack(&later), None);
}
