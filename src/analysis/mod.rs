//! What can be said about a policy without serving it.
//!
//! [`evaluate`] decides a request that is only imagined, and [`explain`] says why. [`Diff`] proves what changes from one
//! policy to another, and for whom; a [`Matrix`] shows who may call what; a [`Linter`] finds what a policy says and probably does not mean. All run on the
//! compiler and the decision of the layer itself, so that none can disagree with it.

mod access;
mod coverage;
mod diff;
mod evaluate;
mod explain;
mod lint;
mod matrix;
mod probe;

pub use coverage::{Coverage, CoveredGrant, CoveredRule};
pub use diff::{Change, Diff, DiffCaller};
pub use evaluate::{Verdict, evaluate};
pub use explain::{
    ExplainedCaller, ExplainedGrant, ExplainedPart, ExplainedReading, ExplainedRule, Explanation, Selected, explain,
};
pub use lint::{Lint, Linter, Operation};
pub use matrix::{Matrix, MatrixCell, MatrixRow};
pub use probe::Probe;
