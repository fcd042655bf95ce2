//! The policy: document, compiler, route lookup and the pure decision.

#[cfg(feature = "testing")]
mod app_routes;
mod builder;
mod capture;
mod check;
mod compile;
pub(crate) mod compiled;
mod decide;
pub(crate) mod document;
mod error;
mod grammar;
mod guard;
mod handle;
mod hierarchy;
mod judge;
mod lookup;
mod names;
mod part;
mod pattern;
#[expect(clippy::module_inception, reason = "the handle is named after what it holds")]
mod policy;
mod problems;
mod required;
mod revision;
mod routes;
mod select;
mod shapes;
mod spelling;
#[cfg(test)]
mod tests;
mod trie;

#[cfg(feature = "testing")]
pub(crate) use app_routes::compare_routes;
pub use builder::{Grant, PolicyBuilder, RoleBuilder, Rule};
pub(crate) use capture::{EmptySegment, Params};
pub use check::CheckContext;
pub(crate) use check::Checks;
pub(crate) use compiled::Compiled;
pub use compiled::Unlisted;
pub(crate) use compiled::{ClaimTest, ClaimValue, Conditions, Grant as CompiledGrant, Route, Rule as CompiledRule};
pub use decide::Enforcement;
pub(crate) use decide::{Decision, Permit, Trial, decide, shadow_differences, unusable};
pub(crate) use error::Source;
pub use error::{PolicyError, PolicyErrorKind};
pub(crate) use grammar::{At, RouteKey, Verb};
pub(crate) use guard::{Name, Requirement, Terms};
pub(crate) use handle::PolicyUser;
pub use handle::{PolicyHandle, PolicyStatus};
pub(crate) use judge::Judge;
pub(crate) use judge::{Caller, Case, Circumstances, ClientAddress, Scrutiny};
pub(crate) use names::KEYWORDS;
pub(crate) use part::{Distance, Part};
pub(crate) use pattern::{Pattern, Piece};
pub use policy::Policy;
pub(crate) use problems::Problems;
pub(crate) use required::{in_rfc_3339, in_words, part_in_words};
pub(crate) use revision::Revision;
pub(crate) use select::{Selection, Selections, select};
