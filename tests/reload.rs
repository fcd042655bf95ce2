//! Policy files that change under a running service.
#![cfg(feature = "watch")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of a test may fail it")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use events::{Event, Events};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_authz::{
    AuthzLayer, Policy, Principal, authn,
    reload::{PolicyWatch, PolicyWatchBuilder, Reload, ReloadOutcome, WatchError},
};
use tracing::Level;
use tracing_subscriber::prelude::*;

#[path = "support/events.rs"]
#[allow(dead_code, reason = "every test uses a part of it")]
mod events;

const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that goes when it is dropped.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tower-authz-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn policy(realm: &str) -> String {
    format!(r#"{{ "version": 1, "realm": "{realm}", "routes": {{ "GET /{realm}": "authenticated" }} }}"#)
}

fn builder(file: &Path) -> PolicyWatchBuilder {
    PolicyWatch::builder(file).debounce(Duration::from_millis(20))
}

/// Renames a new file over the old one, as editors do.
fn exchange(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn realm(watch: &PolicyWatch) -> String {
    watch.handle().current().realm().unwrap().to_owned()
}

#[test]
fn every_way_to_change_the_file_is_noticed() {
    let dir = Dir::new("ways");
    let file = dir.file("policy.json");
    fs::write(&file, policy("first")).unwrap();
    let watch = builder(&file).start().unwrap();
    assert_eq!(realm(&watch), "first");

    fs::write(&file, policy("in-place")).unwrap();
    wait_for("written in place", || realm(&watch) == "in-place");

    exchange(&file, &policy("renamed"));
    wait_for("renamed over", || realm(&watch) == "renamed");

    fs::remove_file(&file).unwrap();
    wait_for("vanished", || watch.handle().status().last_error.is_some());
    assert_eq!(realm(&watch), "renamed");

    fs::write(&file, policy("back")).unwrap();
    wait_for("come back", || realm(&watch) == "back");
    assert_eq!(watch.handle().status().last_error, None);
}

#[cfg(unix)]
#[test]
fn the_exchange_of_links_that_kubernetes_does_is_noticed() {
    use std::os::unix::fs::symlink;
    let dir = Dir::new("links");
    for version in ["one", "two"] {
        fs::create_dir(dir.file(&format!("..{version}"))).unwrap();
        fs::write(dir.file(&format!("..{version}")).join("policy.json"), policy(version)).unwrap();
    }
    symlink("..one", dir.file("..data")).unwrap();
    symlink("..data/policy.json", dir.file("policy.json")).unwrap();
    let watch = builder(&dir.file("policy.json")).start().unwrap();
    assert_eq!(realm(&watch), "one");

    symlink("..two", dir.file("..data_tmp")).unwrap();
    fs::rename(dir.file("..data_tmp"), dir.file("..data")).unwrap();
    fs::remove_dir_all(dir.file("..one")).unwrap();
    wait_for("exchanged", || realm(&watch) == "two");

    exchange(&dir.file("..two").join("policy.json"), &policy("three"));
    wait_for("changed behind the link", || realm(&watch) == "three");
}

#[cfg(unix)]
#[test]
fn the_exchange_of_a_linked_directory_above_is_noticed() {
    use std::os::unix::fs::symlink;
    let dir = Dir::new("above");
    for version in ["one", "two"] {
        fs::create_dir(dir.file(version)).unwrap();
        fs::write(dir.file(version).join("policy.json"), policy(version)).unwrap();
    }
    symlink("one", dir.file("current")).unwrap();
    let watch = builder(&dir.file("current").join("policy.json")).start().unwrap();
    symlink("two", dir.file("next")).unwrap();
    fs::rename(dir.file("next"), dir.file("current")).unwrap();
    wait_for("exchanged", || realm(&watch) == "two");
}

#[test]
fn a_file_that_is_no_good_never_replaces_a_good_policy() {
    let dir = Dir::new("bad");
    let file = dir.file("policy.json");
    fs::write(&file, policy("good")).unwrap();
    let watch = builder(&file).start().unwrap();
    let good = watch.handle().current();
    let whole = policy("next");
    for (what, bad) in [
        ("empty", ""),
        ("blank", " \n"),
        ("half-written", &whole[..whole.len() / 2]),
        ("not a policy", "{}"),
        ("a problem", r#"{ "version": 1, "routes": { "GET /": "admin" } }"#),
        ("needs a predicate", r#"{ "version": 1, "routes": { "GET /": { "check": "open" } } }"#),
        ("needs addresses", r#"{ "version": 1, "routes": { "GET /": { "networks": ["10.0.0.0/8"] } } }"#),
    ] {
        let authz = AuthzLayer::builder(watch.handle()).authenticator(authn::principal_extension()).build().unwrap();
        fs::write(&file, bad).unwrap();
        let reload = watch.reload();
        assert!(matches!(reload.outcome, ReloadOutcome::Unusable(_) | ReloadOutcome::Refused(..)), "{what}");
        assert_eq!(reload.revision(), good.revision(), "{what}");
        assert_eq!(watch.handle().current().revision(), good.revision(), "{what}");
        assert_eq!(watch.handle().status().last_error, reload.error(), "{what}");
        drop(authz);
    }
    fs::remove_file(&file).unwrap();
    assert!(watch.reload().error().is_some());
    fs::write(&file, policy("good")).unwrap();
    assert!(matches!(watch.reload().outcome, ReloadOutcome::Unchanged));
    assert_eq!(watch.handle().status().last_error, None);
}

#[test]
fn a_watch_begins_with_a_good_policy_or_not_at_all() {
    let dir = Dir::new("begin");
    assert!(matches!(builder(&dir.file("none.json")).start(), Err(WatchError::Policy(_))));
    fs::write(dir.file("bad.json"), "{").unwrap();
    assert!(matches!(builder(&dir.file("bad.json")).start(), Err(WatchError::Policy(_))));
    assert!(matches!(builder(&dir.file("no/such/policy.json")).start(), Err(WatchError::System(_))));
}

#[test]
fn why_a_file_cannot_be_watched_is_said_with_its_cause() {
    let dir = Dir::new("why");
    fs::write(dir.file("bad.json"), "{").unwrap();
    for (file, begins) in [("bad.json", "the policy "), ("no/such/policy.json", "the policy cannot be watched: ")] {
        let error = builder(&dir.file(file)).start().unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        let text = error.to_string();
        assert!(text.starts_with(begins) && !cause.is_empty() && text.ends_with(&cause), "{text} / {cause}");
    }
}

/// One event an attempt, told to whoever asks for it on its own thread.
#[test]
fn every_attempt_is_told() {
    /// What the file says then; what is told about it: level, name, a part of the detail, and cells wider and narrower.
    type Row<'a> = (String, Level, &'a str, Option<&'a str>, [Option<&'a str>; 2]);
    let dir = Dir::new("told");
    let file = dir.file("policy.json");
    let rule =
        |grant: &str| format!(r#"{{ "version": 1, "roles": {{ "a": {{}} }}, "routes": {{ "GET /x": "{grant}" }} }}"#);
    fs::write(&file, rule("a")).unwrap();
    let guard =
        |_: &Policy, next: &Policy| if next.realm().is_some() { Err("not this one".to_owned()) } else { Ok(()) };
    let watch = PolicyWatch::builder(&file).debounce(PATIENCE).guard(guard).start().unwrap();
    let first = watch.handle().current().revision().to_owned();
    let rows: [Row<'_>; 5] = [
        (rule("a"), Level::DEBUG, "authz.policy.unchanged", None, [None, None]),
        (rule("authenticated"), Level::INFO, "authz.policy.replaced", None, [Some("2"), Some("0")]),
        (rule("nobody"), Level::INFO, "authz.policy.replaced", None, [Some("0"), Some("2")]),
        ("{}".to_owned(), Level::ERROR, "authz.policy.not_replaced", Some("missing-key"), [None, None]),
        (policy("other"), Level::ERROR, "authz.policy.not_replaced", Some("not this one"), [None, None]),
    ];
    let mut before = first;
    for (text, level, name, detail, [widened, narrowed]) in rows {
        fs::write(&file, &text).unwrap();
        let events = Events::record();
        let reload = watch.reload();
        let told: Vec<Event> = events.take();
        let [event] = &told[..] else { panic!("{told:#?}") };
        assert_eq!((event.level, event.field("event.name")), (level, Some(name)), "{text}");
        assert_eq!(event.field("authz.policy.file"), Some(&*file.display().to_string()), "{text}");
        assert_eq!(event.field("authz.policy.revision"), Some(reload.revision()), "{text}");
        assert_eq!(event.field("authz.policy.revision"), Some(watch.handle().current().revision()), "{text}");
        assert_eq!(event.field("authz.policy.previous"), widened.map(|_| &*before), "{text}");
        assert_eq!([event.field("authz.policy.widened"), event.field("authz.policy.narrowed")], [widened, narrowed]);
        let told = event.field("authz.detail");
        assert!(told.unwrap_or_default().contains(detail.unwrap_or_default()), "{told:?}");
        assert_eq!(told, reload.error().as_deref(), "{text}");
        before = reload.revision().to_owned();
    }
}

#[test]
fn a_guard_keeps_a_good_policy_out_and_the_observer_is_told() {
    let dir = Dir::new("guard");
    let file = dir.file("policy.json");
    fs::write(&file, policy("one")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let guard = |old: &Policy, new: &Policy| {
        assert_ne!(old.revision(), new.revision());
        if new.realm() == Some("evil") { Err("not this one".to_owned()) } else { Ok(()) }
    };
    let observer = move |reload: &Reload| told.send((reload.revision().to_owned(), reload.error())).unwrap();
    let watch = builder(&file).guard(guard).on_reload(observer).start().unwrap();
    let one = watch.handle().current();
    exchange(&file, &policy("evil"));
    assert_eq!(outcomes.recv_timeout(PATIENCE).unwrap(), (one.revision().to_owned(), Some("not this one".to_owned())));
    exchange(&file, &policy("two"));
    let (revision, error) = outcomes.recv_timeout(PATIENCE).unwrap();
    assert_eq!((revision.as_str(), error), (watch.handle().current().revision(), None));
    assert_eq!(realm(&watch), "two");
}

/// What an application has to say of a reload is its own code, on the thread that watches.
#[test]
fn whoever_panics_at_a_reload_keeps_its_policy_out_and_ends_no_watch() {
    let dir = Dir::new("panic");
    let file = dir.file("policy.json");
    fs::write(&file, policy("one")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let guard = |_: &Policy, new: &Policy| {
        if new.realm() == Some("bomb") { resume_unwind(Box::new(())) } else { Ok(()) }
    };
    let observer = move |reload: &Reload| {
        thread_local!(static EVENTS: Events = Events::record());
        let events = EVENTS.with(Events::take);
        let is_told = events.iter().any(|event| event.field("event.name") == Some("authz.policy.watch_panicked"));
        if !matches!(reload.outcome, ReloadOutcome::Unchanged) {
            told.send((reload.error(), is_told)).unwrap();
        }
        resume_unwind(Box::new(()));
    };
    let watch = builder(&file).guard(guard).on_reload(observer).start().unwrap();
    for (next, error, in_force) in
        [("two", None, "two"), ("bomb", Some("a guard panicked"), "two"), ("three", None, "three")]
    {
        exchange(&file, &policy(next));
        let (told, panic_is_told) = outcomes.recv_timeout(PATIENCE).unwrap();
        assert_eq!((told.as_deref(), panic_is_told), (error, next != "two"), "{next}");
        assert_eq!(realm(&watch), in_force);
        assert_eq!(watch.handle().status().last_error.as_deref(), error, "{next}");
    }
    exchange(&file, &policy("bomb"));
    assert_eq!(watch.reload().error().as_deref(), Some("a guard panicked"));
    assert_eq!(realm(&watch), "three");
}

/// Panics at every event.
struct Trap;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Trap {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        resume_unwind(Box::new(()));
    }
}

#[test]
fn a_subscriber_that_panics_at_a_reload_leaves_no_lock_behind() {
    let _events = Events::record();
    let dir = Dir::new("trap");
    let file = dir.file("policy.json");
    fs::write(&file, policy("one")).unwrap();
    let watch = PolicyWatch::builder(&file).debounce(PATIENCE).start().unwrap();
    for (next, trapped) in [("two", true), ("three", true), ("four", false)] {
        fs::write(&file, policy(next)).unwrap();
        let trap = || tracing::subscriber::with_default(tracing_subscriber::registry().with(Trap), || watch.reload());
        let reloaded = catch_unwind(AssertUnwindSafe(|| if trapped { trap() } else { watch.reload() }));
        assert_eq!((reloaded.is_err(), realm(&watch).as_str()), (trapped, next));
        assert_eq!(watch.handle().status().last_error, None);
    }
}

#[test]
fn a_policy_that_widens_access_is_refused_where_that_is_asked_for() {
    let rule = |grant: &str| {
        format!(
            r#"{{ "version": 1, "roles": {{ "a": {{}}, "b": {{}} }}, "routes": {{ "GET /x": {grant}, "GET /y": "a" }} }}"#
        )
    };
    let dir = Dir::new("widen");
    let file = dir.file("policy.json");
    for (refuse, next, replaced) in [
        (true, r#"["a", "b"]"#, false),
        (true, r#""nobody""#, true),
        (true, r#"{ "all_of": ["a", "b"] }"#, true),
        (true, r#""b""#, false),
        (false, r#"["a", "b"]"#, true),
    ] {
        fs::write(&file, rule(r#""a""#)).unwrap();
        let watch = builder(&file).refuse_widening(refuse).start().unwrap();
        let before = watch.handle().current();
        exchange(&file, &rule(next));
        let reload = watch.reload();
        assert_eq!(watch.handle().current().revision() != before.revision(), replaced, "{next} {reload:?}");
        assert_eq!(watch.handle().status().last_error.is_some(), !replaced, "{next}");
    }
}

#[test]
fn a_refusal_says_in_how_many_places_access_would_be_wider() {
    let dir = Dir::new("places");
    let file = dir.file("policy.json");
    let rules = |grants: [&str; 3]| {
        let [x, y, z] = grants;
        format!(
            r#"{{ "version": 1, "roles": {{ "a": {{}}, "b": {{}} }},
                 "routes": {{ "GET /x": "{x}", "GET /y": "{y}", "PUT,DELETE /z": "{z}" }} }}"#
        )
    };
    for (next, why) in [
        (["authenticated", "a", "a"], "the policy widens access in 2 places, the first of which is `GET,HEAD /x`"),
        (["a", "authenticated", "a"], "the policy widens access in 2 places, the first of which is `GET,HEAD /y`"),
        (
            ["authenticated", "authenticated", "a"],
            "the policy widens access in 4 places, the first of which is `GET,HEAD /x`",
        ),
        (["authenticated"; 3], "the policy widens access in 6 places, the first of which is `GET,HEAD /x`"),
    ] {
        fs::write(&file, rules(["a"; 3])).unwrap();
        let watch = builder(&file).debounce(PATIENCE).refuse_widening(true).start().unwrap();
        fs::write(&file, rules(next)).unwrap();
        assert_eq!(watch.reload().error().as_deref(), Some(why), "{next:?}");
    }
}

/// The time is long enough to see the difference between one attempt and one for each change.
#[test]
fn changes_that_come_together_are_loaded_once_after_the_file_is_left_alone() {
    let dir = Dir::new("together");
    let file = dir.file("policy.json");
    fs::write(&file, policy("first")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let observer = move |reload: &Reload| told.send((Instant::now(), reload.revision().to_owned())).unwrap();
    let quiet = Duration::from_secs(1);
    let watch = PolicyWatch::builder(&file).debounce(quiet).on_reload(observer).start().unwrap();
    let mut latest = Instant::now();
    for realm in ["second", "third", "fourth"] {
        thread::sleep(Duration::from_millis(50));
        latest = Instant::now();
        exchange(&file, &policy(realm));
    }
    let (loaded, revision) = outcomes.recv_timeout(PATIENCE).unwrap();
    assert_eq!(realm(&watch), "fourth");
    assert_eq!(revision, watch.handle().current().revision());
    assert!(loaded.duration_since(latest) >= quiet, "{:?}", loaded.duration_since(latest));
    assert_eq!(outcomes.recv_timeout(quiet * 2).map(|(_, revision)| revision), Err(mpsc::RecvTimeoutError::Timeout));
}

#[test]
fn a_file_that_is_never_left_alone_is_loaded_all_the_same() {
    let dir = Dir::new("busy");
    let file = dir.file("policy.json");
    fs::write(&file, policy("first")).unwrap();
    let debounce = Duration::from_millis(100);
    let watch = PolicyWatch::builder(&file).debounce(debounce).start().unwrap();
    let start = Instant::now();
    while realm(&watch) == "first" {
        assert!(start.elapsed() < PATIENCE, "twenty times the debounce time have long passed");
        exchange(&file, &policy("busy"));
        thread::sleep(debounce / 10);
    }
}

/// Others write into the directory of the policy all the time: what they do is no reason to look at it.
#[cfg(target_os = "linux")]
#[test]
fn what_happens_to_other_files_makes_no_attempt() {
    let dir = Dir::new("others");
    let file = dir.file("policy.json");
    fs::write(&file, policy("first")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let watch = builder(&file).on_reload(move |_| told.send(()).unwrap()).start().unwrap();
    for other in ["other.json", "policy.json.swp", "policy"] {
        fs::write(dir.file(other), "{").unwrap();
        fs::read(dir.file(other)).unwrap();
        fs::remove_file(dir.file(other)).unwrap();
    }
    fs::read(&file).unwrap();
    assert_eq!(outcomes.recv_timeout(Duration::from_millis(500)), Err(mpsc::RecvTimeoutError::Timeout));
    exchange(&file, &policy("second"));
    assert_eq!(outcomes.recv_timeout(PATIENCE), Ok(()));
    assert_eq!(realm(&watch), "second");
}

/// Whoever has the file open for writing has not said everything yet. Linux tells when it is closed.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_being_written_is_waited_for() {
    use std::io::Write as _;
    let dir = Dir::new("writing");
    let file = dir.file("policy.json");
    fs::write(&file, policy("first")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let watch = PolicyWatch::builder(&file)
        .debounce(Duration::from_millis(200))
        .on_reload(move |reload: &Reload| told.send(reload.error()).unwrap())
        .start()
        .unwrap();
    let text = policy("second");
    let (beginning, end) = text.split_at(text.len() / 2);
    let mut open = fs::File::create(&file).unwrap();
    open.write_all(beginning.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(outcomes.try_recv(), Err(mpsc::TryRecvError::Empty), "half of it is no policy");
    open.write_all(end.as_bytes()).unwrap();
    drop(open);
    assert_eq!(outcomes.recv_timeout(PATIENCE).unwrap(), None);
    assert_eq!(realm(&watch), "second");
}

#[test]
fn a_watch_that_is_dropped_ends_and_leaves_the_policy() {
    let dir = Dir::new("end");
    let file = dir.file("policy.json");
    fs::write(&file, policy("one")).unwrap();
    let (told, outcomes) = mpsc::channel();
    let watch = builder(&file).on_reload(move |_| told.send(()).unwrap()).start().unwrap();
    let handle = watch.handle().clone();
    drop(watch);
    assert_eq!(outcomes.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
    exchange(&file, &policy("two"));
    assert_eq!(handle.current().realm(), Some("one"));
}

/// Under the even policies nobody but `even` may in, under the odd ones nobody but `odd`; each answers in its realm.
fn numbered(number: usize) -> String {
    let (role, message) = if number.is_multiple_of(2) { ("even", "even only") } else { ("odd", "odd only") };
    format!(
        r#"{{ "version": 1, "realm": "r{number}", "roles": {{ "even": {{}}, "odd": {{}} }}, "routes": {{
            "GET /a": {{ "allow": "{role}", "message": "{message}" }}, "GET /b": "public" }} }}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_answer_belongs_to_one_good_policy() {
    const REQUESTS: usize = 100_000;
    const RELOADS: usize = 1_000;
    let dir = Dir::new("load");
    let file = dir.file("policy.json");
    fs::write(&file, numbered(0)).unwrap();
    let watch = Arc::new(PolicyWatch::builder(&file).debounce(Duration::from_millis(1)).start().unwrap());
    let authz = AuthzLayer::builder(watch.handle()).authenticator(authn::principal_extension()).build().unwrap();
    let answered = Arc::new(AtomicUsize::new(0));
    let reloading = tokio::task::spawn_blocking({
        let (watch, file, answered) = (Arc::clone(&watch), file.clone(), Arc::clone(&answered));
        move || {
            let mut replaced = 0;
            for number in 1..=RELOADS {
                let text = numbered(number);
                let broken = number.is_multiple_of(3);
                exchange(&file, if broken { &text[..text.len() - number % 60 - 1] } else { &text });
                let before = watch.handle().current().revision().to_owned();
                let reload = watch.reload();
                assert!(!broken || reload.revision() == before || reload.error().is_none());
                replaced += usize::from(watch.handle().current().revision() != before);
                // If the other half has failed, nobody answers any more.
                let is_asking = || Arc::strong_count(&answered) > 1;
                while answered.load(Ordering::Relaxed) < number * REQUESTS / RELOADS / 2 && is_asking() {
                    thread::yield_now();
                }
            }
            replaced
        }
    });
    let mut both = [0_usize; 2];
    let service = authz.layer(service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("reached")))
    }));
    let mut sent = 0;
    while sent < REQUESTS || !reloading.is_finished() {
        let role = ["even", "odd"][sent % 2];
        let mut request = Request::get("/a").body(()).unwrap();
        request.extensions_mut().insert(Principal::new("ada").roles([role]));
        let answer = service.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        match status {
            StatusCode::OK => assert_eq!(body, "reached"),
            StatusCode::FORBIDDEN => {
                let other = if role == "even" { "odd only" } else { "even only" };
                assert!(String::from_utf8_lossy(&body).contains(other), "an answer of no one policy: {body:?}");
            }
            other => panic!("{other}"),
        }
        both[usize::from(status == StatusCode::OK)] += 1;
        sent += 1;
        answered.store(sent, Ordering::Relaxed);
    }
    let replaced = reloading.await.unwrap();
    assert!(sent >= REQUESTS && both[0] > 0 && both[1] > 0, "{sent} {both:?}");
    assert!(replaced > RELOADS / 4, "{replaced} of {RELOADS} replaced");
    eprintln!("{sent} requests, {RELOADS} reloads, {replaced} policies put in force, {both:?} denied and allowed");
}
