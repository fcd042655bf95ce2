//! What is reported: each file a behaviour.

mod fields;
mod forging;
mod levels;
mod users;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use http::Method;
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

use super::{Event, Reporter, TracingReporter};
use crate::decision::{Denial, Reason, RuleInfo};

const GET: Method = Method::GET;

/// An event as a subscriber gets it: fields with the kind of their value.
#[derive(Clone, Debug, PartialEq)]
struct Captured {
    level: Level,
    target: String,
    fields: BTreeMap<&'static str, String>,
}

impl Captured {
    fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }
}

impl Visit for Captured {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), format!("str {value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.insert(field.name(), format!("u64 {value}"));
    }
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Captured>>>);

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let target = metadata.target().to_owned();
        let mut captured = Captured { level: *metadata.level(), target, fields: BTreeMap::new() };
        event.record(&mut captured);
        self.0.lock().unwrap().push(captured);
    }
}

/// Listens with `subscriber` on this thread alone. A call site that is first met on a thread without a subscriber would
/// be off for all threads, so that one which hears nothing serves the others.
pub(super) fn listening<S: Subscriber + Send + Sync, T>(subscriber: S, run: impl FnOnce() -> T) -> T {
    static OTHERS: std::sync::Once = std::sync::Once::new();
    OTHERS.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        tracing::callsite::rebuild_interest_cache();
    });
    tracing::subscriber::with_default(subscriber, run)
}

/// The one event that `reporter` makes of `event`.
fn capture_by(reporter: &TracingReporter, event: &Event<'_>) -> Captured {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    listening(subscriber, || reporter.report(event));
    let mut events = capture.0.lock().unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn capture(event: &Event<'_>) -> Captured {
    capture_by(&TracingReporter::new(), event)
}

fn rule() -> RuleInfo {
    RuleInfo {
        index: 0,
        name: "delete users".into(),
        pattern: "/users/{id}".into(),
        required: "admin".into(),
        message: Some("Deleting users requires the 'admin' role.".into()),
    }
}

fn denial(reason: Reason) -> Denial {
    Denial { rule: Some(rule().into()), ..Denial::new(reason) }
}
