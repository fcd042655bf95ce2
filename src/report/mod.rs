//! What is told about decisions: one event a denial, to `tracing` or any other [`Reporter`].

mod escape;
mod event;
mod hint;
mod reporter;
#[cfg(test)]
mod tests;
mod tracing;
mod user;

pub use self::tracing::TracingReporter;
pub use event::{Event, EventKind, Mode};
pub(crate) use hint::preflight;
pub use reporter::Reporter;
pub use user::UserId;
