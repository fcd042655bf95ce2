//! The seam for sinks of events.

use std::sync::Arc;

use super::event::Event;

/// A sink for what the layer decides: logs, metrics, an audit trail.
///
/// It is called while the request waits, so it must not block. Closures work.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use tower_authz::report::{Event, EventKind, Reporter};
///
/// static DENIALS: AtomicUsize = AtomicUsize::new(0);
///
/// let count = |event: &Event<'_>| {
///     if event.kind() == EventKind::Denied {
///         DENIALS.fetch_add(1, Ordering::Relaxed);
///     }
/// };
/// # fn check(_: impl Reporter) {}
/// # check(count);
/// ```
pub trait Reporter: Send + Sync + 'static {
    /// Takes note of `event`.
    fn report(&self, event: &Event<'_>);

    /// Whether [`EventKind::Allowed`](super::EventKind::Allowed) is of interest now; if not, the layer need not make
    /// such events.
    fn wants_allowed(&self) -> bool {
        true
    }
}

impl<F> Reporter for F
where
    F: Fn(&Event<'_>) + Send + Sync + 'static,
{
    fn report(&self, event: &Event<'_>) {
        self(event);
    }
}

impl Reporter for Arc<dyn Reporter> {
    fn report(&self, event: &Event<'_>) {
        (**self).report(event);
    }

    fn wants_allowed(&self) -> bool {
        (**self).wants_allowed()
    }
}
