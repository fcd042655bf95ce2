//! What a policy says and probably does not mean.

mod catalogue;
mod confusable;
mod finding;
mod grants;
mod linter;
mod masks;
mod names;
mod openness;
mod operation;
mod operations;
mod paths;
mod public;
mod security;
mod survey;

pub use catalogue::Lint;
pub use linter::Linter;
pub use operation::Operation;
