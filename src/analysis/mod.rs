//! What can be said about a policy without serving it.
//!
//! [`evaluate`] decides a request that is only imagined, and [`explain`] says why. Both run on the compiler and the
//! decision of the layer itself, so that none can disagree with it.

mod coverage;
mod evaluate;
mod explain;
mod probe;

pub use coverage::{Coverage, CoveredGrant, CoveredRule};
pub use evaluate::{Verdict, evaluate};
pub use explain::{
    ExplainedCaller, ExplainedGrant, ExplainedPart, ExplainedReading, ExplainedRule, Explanation, Selected, explain,
};
pub use probe::Probe;
