//! The inner service is called only after a decision, only on the very instance that was polled ready, and at most
//! once for that; nothing that was reserved for a request outlives it.

use std::{
    convert::Infallible,
    future::{Future, pending, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt,
    buffer::Buffer,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
    service_fn,
    util::BoxCloneService,
};
use tower_authz::{Authentication, AuthzLayer, Guard, Head, Identify, Principal};

use super::callers::{awaited_caller, caller, policy, request};

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {} }, "routes": {
    "GET /open": "public", "GET /doc": "viewer", "GET /hidden": { "allow": "viewer", "deny_as": "not_found" } } }"#;

type Answer = Response<Full<Bytes>>;

/// Panics when it is called without having been polled ready since the last call, or by a clone of who was.
#[derive(Debug)]
struct Probe {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Probe {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let calls = Arc::<AtomicUsize>::default();
        (Self { ready: false, calls: Arc::clone(&calls) }, calls)
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<()>> for Probe {
    type Response = Answer;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Answer::default()))
    }
}

/// One layer whose authenticator knows at once, and one whose authenticator waits.
fn layers() -> [(&'static str, AuthzLayer); 2] {
    [
        ("sync", AuthzLayer::builder(policy(POLICY)).authenticator(caller).build().unwrap()),
        ("async", AuthzLayer::builder(policy(POLICY)).authenticator(awaited_caller).build().unwrap()),
    ]
}

/// Path, who calls, status.
const TABLE: &[(&str, &str, u16)] = &[
    ("/open", "", 200),
    ("/open", "Bad", 200),
    ("/doc", "Role viewer", 200),
    ("/doc", "Role other", 403),
    ("/doc", "", 401),
    ("/doc", "Bad", 401),
    ("/doc", "Down", 503),
    ("/doc", "Broken", 500),
    ("/hidden", "Role other", 404),
    ("/elsewhere", "Role viewer", 404),
    ("/doc/..", "Role viewer", 400),
];

#[tokio::test]
async fn only_a_ready_instance_is_called_and_once_for_each_allowed_request() {
    for (name, authz) in layers() {
        let (probe, calls) = Probe::new();
        let mut service = authz.layer(probe);
        for (path, who, status) in TABLE {
            let answer = service.ready().await.unwrap().call(request("GET", path, who)).await.unwrap();
            assert_eq!(answer.status(), *status, "{name} {path} {who}");
            assert_eq!(calls.swap(0, Ordering::SeqCst), usize::from(*status == 200), "{name} {path} {who}");
        }
    }
}

#[tokio::test]
async fn guards_and_identity_alone_respect_readiness_too() {
    for (who, status) in [("Role viewer", 200), ("Role other", 403), ("", 401)] {
        for identify in [Identify::new(caller), Identify::new(awaited_caller)] {
            let (probe, calls) = Probe::new();
            let mut service = ServiceBuilder::new().layer(identify).layer(Guard::role("viewer")).service(probe);
            for _ in 0..3 {
                let answer = service.ready().await.unwrap().call(request("GET", "/", who)).await.unwrap();
                assert_eq!(answer.status(), status, "{who}");
                assert_eq!(calls.swap(0, Ordering::SeqCst), usize::from(status == 200), "{who}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_reaches_the_service_before_the_sender_is_known() {
    for (who, calls_after) in [("Role viewer", 1), ("Role other", 0)] {
        let gate = Arc::new(Notify::new());
        let opened = Arc::clone(&gate);
        let authenticator = move |head: Head<'_>| {
            let (gate, identity) = (Arc::clone(&gate), caller(head));
            Authentication::pending(async move {
                gate.notified().await;
                identity
            })
        };
        let authz = AuthzLayer::builder(policy(POLICY)).authenticator(authenticator).build().unwrap();
        let (probe, calls) = Probe::new();
        let mut answer = Box::pin(authz.layer(probe).oneshot(request("GET", "/doc", who)));
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(5), &mut answer).await.is_err());
            assert_eq!(calls.load(Ordering::SeqCst), 0);
        }
        opened.notify_one();
        answer.await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), calls_after);
    }
}

#[tokio::test]
async fn a_denied_request_gives_back_what_was_reserved_for_it() {
    for (name, authz) in layers() {
        for (path, who, status) in TABLE {
            let places = Arc::new(Semaphore::new(1));
            let mut service = authz.layer(ConcurrencyLimit::with_semaphore(Probe::new().0, Arc::clone(&places)));
            let answer = service.ready().await.unwrap().call(request("GET", path, who)).await.unwrap();
            assert_eq!(answer.status(), *status);
            assert_eq!(places.available_permits(), 1, "{name} {path} {who}");
        }
    }
}

#[tokio::test]
async fn a_guard_gives_back_what_was_reserved_for_a_denied_request() {
    let places = Arc::new(Semaphore::new(1));
    let limited = ConcurrencyLimit::with_semaphore(Probe::new().0, Arc::clone(&places));
    let mut service = Guard::role("admin").layer(limited);
    let mut request = Request::new(());
    request.extensions_mut().insert(Principal::new("ada"));
    let answer = service.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(places.available_permits(), 1);
}

/// A place is reserved by whoever polls, and needed by whoever calls.
#[tokio::test]
async fn layers_around_a_protected_app_are_polled_ready_before_they_are_called() {
    for (name, authz) in layers() {
        let router = axum::Router::new().fallback(|| async {});
        let places = Arc::new(Semaphore::new(1));
        let limit = GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&places));
        let mut service = authz.protect(router).layer(limit.clone()).layer(tower::layer::util::Identity::new());
        for (path, who, status) in TABLE {
            let service = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap();
            assert_eq!(places.available_permits(), 0, "{name} {path} {who}");
            let answer = service.call(request("GET", path, who)).await.unwrap();
            assert_eq!(answer.status(), *status, "{name} {path} {who}");
            assert_eq!(places.available_permits(), 1, "{name} {path} {who}");
        }
    }
}

/// A service that never answers.
fn silent() -> BoxCloneService<Request<()>, Answer, Infallible> {
    BoxCloneService::new(service_fn(|_: Request<()>| pending()))
}

#[tokio::test]
async fn a_dropped_future_gives_back_what_was_reserved_in_every_state() {
    let never = |_: Head<'_>| Authentication::pending(pending());
    let waiting = AuthzLayer::builder(policy(POLICY)).authenticator(never).build().unwrap();
    let [(_, sync), (_, awaited)] = layers();
    for (name, authz) in [("authenticating", waiting), ("forwarded", sync), ("forwarded after waiting", awaited)] {
        for polls in [0, 1, 5] {
            let places = Arc::new(Semaphore::new(1));
            let limited = ConcurrencyLimit::with_semaphore(silent(), Arc::clone(&places));
            let mut future = Box::pin(authz.layer(limited).oneshot(request("GET", "/doc", "Role viewer")));
            for _ in 0..polls {
                assert!(poll_once(future.as_mut()).await.is_pending(), "{name}");
            }
            drop(future);
            assert_eq!(places.available_permits(), 1, "{name} after {polls} polls");
        }
    }
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

#[tokio::test]
async fn a_buffer_inside_and_outside_serves_many_at_once() {
    for (name, authz) in layers() {
        let (probe, calls) = Probe::new();
        let inside = authz.layer(Buffer::new(ConcurrencyLimit::new(probe, 1), 2));
        let both = Buffer::new(inside, 2);
        let requests = (0..40).map(|i| {
            let who = if i % 2 == 0 { "Role viewer" } else { "Role other" };
            let service = both.clone();
            async move { service.oneshot(request("GET", "/doc", who)).await.unwrap().status() }
        });
        let statuses = timeout(Duration::from_secs(10), futures_util::future::join_all(requests)).await.unwrap();
        let expected = (0..40).map(|i| if i % 2 == 0 { StatusCode::OK } else { StatusCode::FORBIDDEN });
        assert_eq!(statuses, expected.collect::<Vec<_>>(), "{name}");
        assert_eq!(calls.load(Ordering::SeqCst), 20, "{name}");
    }
}

#[tokio::test]
async fn errors_of_the_service_pass_through() {
    for (name, authz) in layers() {
        let broken = |_: Request<()>| async { Err::<Answer, _>("the disk is full") };
        let service = authz.layer(service_fn(broken));
        for (who, expected) in [("Role viewer", Err("the disk is full")), ("Role other", Ok(StatusCode::FORBIDDEN))] {
            let answer = service.clone().oneshot(request("GET", "/doc", who)).await;
            assert_eq!(answer.map(|answer| answer.status()), expected, "{name} {who}");
        }
        let overloaded = authz.layer(Overloaded).oneshot(request("GET", "/doc", "Role viewer")).await;
        assert_eq!(overloaded.map(|answer| answer.status()), Err("overloaded"), "{name}");
        let wrapped = authz.any_body().layer(Overloaded).oneshot(request("GET", "/doc", "Role viewer")).await;
        assert_eq!(wrapped.map(|answer| answer.status()), Err("overloaded"), "{name}, any body");
    }
}

/// Is never ready.
#[derive(Clone)]
struct Overloaded;

impl Service<Request<()>> for Overloaded {
    type Response = Answer;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Answer, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Err("overloaded"))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("called without being ready")
    }
}
