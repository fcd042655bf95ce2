//! Where the time of a decision comes from.

use std::time::SystemTime;

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
