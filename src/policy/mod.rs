//! The policy: document, compiler, route lookup and the pure decision.

mod builder;
mod capture;
mod check;
mod compile;
mod compiled;
mod decide;
pub(crate) mod document;
mod error;
mod grammar;
mod hierarchy;
mod judge;
mod lookup;
mod names;
mod pattern;
#[expect(clippy::module_inception, reason = "the handle is named after what it holds")]
mod policy;
mod problems;
mod required;
mod revision;
mod routes;
mod select;

pub use builder::{Grant, PolicyBuilder, RoleBuilder, Rule};
pub use compiled::Unlisted;
pub(crate) use error::Source;
pub use error::{PolicyError, PolicyErrorKind};
pub use policy::Policy;
