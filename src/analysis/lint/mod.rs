//! What a policy says and probably does not mean.

mod catalogue;
mod confusable;
mod finding;
mod grants;
mod linter;
mod masks;
mod names;
mod openness;
mod operations;
mod paths;
mod public;
mod survey;

pub use catalogue::Lint;
pub use linter::Linter;
pub use operations::Operation;
