//! Why a request is allowed or denied: everything that counts, and nothing cut short.

mod caller;
mod explanation;
mod grants;
mod selected;

pub use explanation::{
    ExplainedCaller, ExplainedGrant, ExplainedPart, ExplainedReading, ExplainedRule, Explanation, Selected,
};
pub use selected::explain;
