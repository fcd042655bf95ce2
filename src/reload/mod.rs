//! Policy files that are watched, and loaded again when they change.
//!
//! A file that is bad, empty, half-written or gone never replaces the policy in force.

mod attempt;
mod directories;
mod watch;

pub use attempt::{Reload, ReloadOutcome};
pub use watch::{PolicyWatch, PolicyWatchBuilder, WatchError};
