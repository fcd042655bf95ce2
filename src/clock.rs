//! Where the time of a decision comes from.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Tells the time to grants with `from`, `until` or `step_up`; it is asked only when the policy has one.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_authz::Clock;
///
/// let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// assert_eq!((move || noon).now(), noon);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

impl<F> Clock for F
where
    F: Fn() -> SystemTime + Send + Sync + 'static,
{
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A time in seconds since 1970, with or without a fraction (`NumericDate`, RFC 7519, section 2).
pub(crate) fn numeric_date(value: &Value) -> Option<SystemTime> {
    let since = match value.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    SystemTime::UNIX_EPOCH.checked_add(since?)
}
