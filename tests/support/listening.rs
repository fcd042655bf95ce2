//! For tests in which each listens on its own thread.

use std::sync::Once;

/// A call site that is first met on a thread without a subscriber would be off for all threads, so that one which hears
/// nothing serves the others.
pub(crate) fn listen_everywhere() {
    static OTHERS: Once = Once::new();
    OTHERS.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        tracing::callsite::rebuild_interest_cache();
    });
}
