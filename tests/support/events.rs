//! Records the events of the crate.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc, sync::Once};

use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// One event of target `tower_authz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Event {
    /// The text of a field, without quotes.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

type Recording = Rc<RefCell<Vec<Event>>>;

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// The events of this thread since [`Events::record`], as long as it lives. A server of the same single-threaded
/// runtime (`#[tokio::test]`) is on this thread.
///
/// One subscriber serves all threads: with one for each, a call site that is first met on a thread without would be
/// off for all.
pub(crate) struct Events(Recording);

impl Events {
    pub(crate) fn record() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Recorder)).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        let recording = Recording::default();
        RECORDING.set(Some(Rc::clone(&recording)));
        Self(recording)
    }

    /// Takes out what was recorded.
    pub(crate) fn take(&self) -> Vec<Event> {
        self.0.take()
    }

    /// Takes out the one denial that was recorded; fails the test if there is none or another.
    pub(crate) fn denial(&self) -> Event {
        let denials: Vec<_> = self.take().into_iter().filter(|event| event.message == "access denied").collect();
        let [denial] = &denials[..] else { panic!("not one denial: {denials:#?}") };
        denial.clone()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        RECORDING.set(None);
    }
}

struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "tower_authz"
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let message = fields.remove("message").unwrap_or_default();
        let event = Event { level: *event.metadata().level(), message, fields };
        RECORDING.with_borrow(|recording| recording.iter().for_each(|events| events.borrow_mut().push(event.clone())));
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}"));
    }
}
