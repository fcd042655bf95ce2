//! What goes wrong around the gate stays around it: nothing is let through that should not be, no lock is left behind, and
//! the next request is served as if nothing had happened.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

use std::{
    convert::Infallible,
    future::{Ready, pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll},
    thread,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_authz::{
    Authentication, AuthzLayer, Head, Policy, Principal,
    report::{Event, EventKind},
    respond::Responder,
};
use tracing::{Metadata, Subscriber, span};

#[path = "support/listening.rs"]
mod listening;

use listening::listen_everywhere;

const POLICY: &str = r#"{ "version": 1, "roles": { "viewer": {}, "admin": {} }, "routes": {
    "GET /open": "public",
    "GET /doc": "viewer",
    "GET /checked": [ "admin", { "check": "fragile" } ],
    "GET /hidden": { "allow": { "check": "fragile" }, "deny_as": "not_found" },
    "GET /soon": { "all_of": ["viewer"], "from": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z" } } }"#;

type Answer = Response<Full<Bytes>>;

/// Somebody panics who is asked on the way of a request, where `armed`.
struct Fragile {
    armed: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Fragile {
    fn new() -> Self {
        Self { armed: Arc::new(AtomicBool::new(true)), calls: Arc::default() }
    }

    fn bomb(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let armed = Arc::clone(&self.armed);
        // Without the message of a panic on the terminal.
        move || {
            if armed.load(Ordering::SeqCst) {
                resume_unwind(Box::new("bang"))
            }
        }
    }

    fn inner(
        &self,
    ) -> impl Service<Request<()>, Response = Answer, Error = Infallible, Future: Send> + Clone + Send + use<> {
        let calls = Arc::clone(&self.calls);
        service_fn(move |_: Request<()>| {
            calls.fetch_add(1, Ordering::SeqCst);
            ready(Ok::<_, Infallible>(Answer::default()))
        })
    }

    fn forwarded(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn caller(head: Head<'_>) -> Option<Principal> {
    let role = head.headers().get("x-role")?.to_str().ok()?;
    Some(Principal::new("ada").roles([role]))
}

fn request(path: &str, role: &str) -> Request<()> {
    listen_everywhere();
    let request = Request::get(path);
    if role.is_empty() { request } else { request.header("x-role", role) }.body(()).unwrap()
}

/// The status of the answer; nothing if asking for it panicked.
fn ask<S>(service: &S, path: &str, role: &str) -> Option<u16>
where
    S: Service<Request<()>, Response = Answer, Error = Infallible> + Clone,
{
    let request = request(path, role);
    let answer = catch_unwind(AssertUnwindSafe(|| service.clone().oneshot(request).now_or_never().unwrap()));
    answer.ok().map(|answer| answer.unwrap().status().as_u16())
}

fn text_of(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"no"));
    *response.status_mut() = status;
    response
}

/// Every part of an application that a gate asks, each made to panic.
fn fragile_layers(fragile: &Fragile) -> Vec<(&'static str, AuthzLayer)> {
    let policy = || Policy::from_json_str(POLICY).unwrap();
    let builder = || AuthzLayer::builder(policy());
    let [check, at_once, later, reporter, page, answer, clock] = std::array::from_fn(|_| fragile.bomb());
    let responder = Responder::new().not_found(move |_| {
        page();
        text_of(StatusCode::NOT_FOUND)
    });
    let panicking_answer = Responder::new().custom(move |denial, _| {
        answer();
        text_of(denial.status())
    });
    let panicking_later = move |head: Head<'_>| {
        let (later, found) = (later.clone(), caller(head));
        Authentication::pending(async move {
            later();
            found.into()
        })
    };
    let panicking_at_once = move |head: Head<'_>| {
        at_once();
        caller(head)
    };
    let panicking_reporter = move |event: &Event<'_>| {
        if event.kind() == EventKind::Denied {
            reporter();
        }
    };
    let panicking_check = move |_: &tower_authz::CheckContext<'_>| {
        check();
        false
    };
    vec![
        ("a predicate", builder().authenticator(caller).check("fragile", panicking_check).build().unwrap()),
        ("an authenticator", builder().authenticator(panicking_at_once).check("fragile", |_| false).build().unwrap()),
        ("a future", builder().authenticator(panicking_later).check("fragile", |_| false).build().unwrap()),
        (
            "a reporter",
            builder().authenticator(caller).reporter(panicking_reporter).check("fragile", |_| false).build().unwrap(),
        ),
        ("a page", builder().authenticator(caller).responder(responder).check("fragile", |_| false).build().unwrap()),
        (
            "an answer",
            builder().authenticator(caller).responder(panicking_answer).check("fragile", |_| false).build().unwrap(),
        ),
        (
            "a clock",
            builder()
                .authenticator(caller)
                .clock(move || {
                    clock();
                    SystemTime::UNIX_EPOCH
                })
                .check("fragile", |_| false)
                .build()
                .unwrap(),
        ),
    ]
}

/// Path and role; none of them may be let through.
const DENIED: &[(&str, &str)] = &[
    ("/checked", "viewer"),
    ("/hidden", "viewer"),
    ("/doc", "other"),
    ("/doc", ""),
    ("/nothing", "viewer"),
    ("/soon", "viewer"),
    ("/doc/..", "viewer"),
];

#[test]
fn whoever_panics_lets_nobody_in_and_leaves_no_lock_behind() {
    let fragile = Fragile::new();
    for (who, layer) in fragile_layers(&fragile) {
        let service = layer.layer(fragile.inner());
        for _ in 0..3 {
            fragile.armed.store(true, Ordering::SeqCst);
            for (path, role) in DENIED {
                let status = ask(&service, path, role);
                let denied = status.is_none_or(|status| (400..=500).contains(&status));
                assert!(denied && fragile.forwarded() == 0, "{who}: {path} {role:?} {status:?}");
            }
            fragile.armed.store(false, Ordering::SeqCst);
            for (path, role) in DENIED {
                let status = ask(&service, path, role);
                assert!(status.is_some_and(|status| (400..405).contains(&status)), "{who}: {path} {role:?} {status:?}");
            }
            assert_eq!(ask(&service, "/doc", "viewer"), Some(200), "{who}");
            assert_eq!(ask(&service, "/open", ""), Some(200), "{who}");
            assert_eq!(fragile.calls.swap(0, Ordering::SeqCst), 2, "{who}");
        }
    }
}

/// A predicate is code of the application on the way of every request; it alone is answered for.
#[test]
fn a_predicate_that_panics_is_an_internal_error_and_a_mask_holds_over_it() {
    let fragile = Fragile::new();
    let (_, layer) = fragile_layers(&fragile).swap_remove(0);
    let service = layer.layer(fragile.inner());
    for (path, role, status) in [("/checked", "viewer", 500), ("/checked", "admin", 200), ("/hidden", "viewer", 404)] {
        assert_eq!(ask(&service, path, role), Some(status), "{path} {role}");
    }
}

#[test]
fn a_step_of_the_clock_moves_what_is_bound_to_it_and_nothing_else() {
    let now = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
    let clock = Arc::clone(&now);
    let builder = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(caller);
    let layer = builder.clock(move || *clock.lock().unwrap()).check("fragile", |_| false).build().unwrap();
    let fragile = Fragile::new();
    let service = layer.layer(fragile.inner());
    let second = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let begin = 1_893_456_000;
    // Forth and back, beyond what calendars reach, and before the epoch.
    for (time, status) in [
        (second(begin - 1), 403),
        (second(begin), 200),
        (second(begin + 86_399), 200),
        (second(begin + 86_400), 403),
        (second(begin + 10), 200),
        (second(400_000_000_000), 403),
        (SystemTime::UNIX_EPOCH - Duration::from_secs(1_000_000_000_000), 403),
        (second(begin), 200),
    ] {
        *now.lock().unwrap() = time;
        assert_eq!(ask(&service, "/soon", "viewer"), Some(status), "{time:?}");
        assert_eq!(ask(&service, "/doc", "viewer"), Some(200), "{time:?}");
        assert_eq!(ask(&service, "/doc", "other"), Some(403), "{time:?}");
    }
}

/// Is ready after so many polls, if ever.
#[derive(Clone)]
struct Unready {
    polls: Option<usize>,
    calls: Arc<AtomicUsize>,
}

impl Service<Request<()>> for Unready {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        cx.waker().wake_by_ref();
        match &mut self.polls {
            Some(0) => Poll::Ready(Ok(())),
            Some(polls) => {
                *polls -= 1;
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert_eq!(self.polls, Some(0), "called without being ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Answer::default()))
    }
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_not_called_and_holds_up_nobody_else() {
    let layer = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(caller);
    let layer = layer.check("fragile", |_| false).build().unwrap();
    let fragile = Fragile::new();
    let other = layer.layer(fragile.inner());
    for (path, role, status) in [("/doc", "viewer", 200), ("/open", "", 200), ("/doc", "other", 403), ("/doc", "", 401)]
    {
        for polls in [None, Some(3), Some(0)] {
            let calls = Arc::<AtomicUsize>::default();
            let service = layer.layer(Unready { polls, calls: Arc::clone(&calls) });
            let mut future = Box::pin(service.oneshot(request(path, role)));
            for _ in 0..polls.unwrap_or(100) {
                assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending(), "{path} {role:?}");
                assert_eq!(calls.load(Ordering::SeqCst), 0, "{path} {role:?}");
                assert_eq!(ask(&other, path, role), Some(status));
            }
            if polls.is_some() {
                assert_eq!(future.await.unwrap().status().as_u16(), status, "{path} {role:?}");
            }
            assert_eq!(calls.load(Ordering::SeqCst), usize::from(polls.is_some() && status == 200), "{path} {role:?}");
        }
    }
}

/// Blocks whoever logs until it is let go.
struct Blocking {
    entered: Mutex<mpsc::Sender<()>>,
    release: Mutex<mpsc::Receiver<()>>,
}

impl Subscriber for Blocking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tower_authz"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.entered.lock().unwrap().send(()).unwrap();
        self.release.lock().unwrap().recv().unwrap();
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_subscriber_that_blocks_holds_up_its_own_request_alone() {
    let layer = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(caller);
    let layer = layer.check("fragile", |_| false).build().unwrap();
    let fragile = Fragile::new();
    let service = layer.layer(fragile.inner());
    let (entered, is_entered) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let blocked = {
        let service = service.clone();
        thread::spawn(move || {
            let subscriber = Blocking { entered: Mutex::new(entered), release: Mutex::new(released) };
            tracing::subscriber::with_default(subscriber, || ask(&service, "/doc", "other"))
        })
    };
    is_entered.recv_timeout(Duration::from_secs(20)).unwrap();
    // Others are denied, let in, and judged by another policy while one waits.
    for _ in 0..100 {
        assert_eq!(ask(&service, "/doc", "other"), Some(403));
        assert_eq!(ask(&service, "/doc", "viewer"), Some(200));
    }
    assert!(!blocked.is_finished());
    release.send(()).unwrap();
    assert_eq!(blocked.join().unwrap(), Some(403));
}

#[tokio::test]
async fn what_is_dropped_at_any_poll_forwards_nothing_more() {
    let waits = |head: Head<'_>| {
        let found = caller(head);
        let mut polls = 0;
        Authentication::pending(async move {
            poll_fn(|cx| {
                polls += 1;
                cx.waker().wake_by_ref();
                if polls > 3 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            found.into()
        })
    };
    let layer = AuthzLayer::builder(Policy::from_json_str(POLICY).unwrap()).authenticator(waits);
    let layer = layer.check("fragile", |_| false).build().unwrap();
    for polls in 0..6 {
        let calls = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&calls);
        let never = service_fn(move |_: Request<()>| {
            counted.fetch_add(1, Ordering::SeqCst);
            pending::<Result<Answer, Infallible>>()
        });
        let mut future = Box::pin(layer.layer(never).oneshot(request("/doc", "viewer")));
        for _ in 0..polls {
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
        }
        drop(future);
        tokio::task::yield_now().await;
        assert_eq!(calls.load(Ordering::SeqCst), usize::from(polls > 3), "after {polls} polls");
    }
}
