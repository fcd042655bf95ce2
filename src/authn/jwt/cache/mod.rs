//! Remembering tokens that were looked at.
//!
//! Good and rejected tokens are kept apart, so that a flood of bad ones cannot drive out good ones. Each verifier has
//! tables of its own, and a token is compared as a whole: no collision can lend one caller the identity of another.

mod settings;
mod table;
mod tokens;

pub use settings::TokenCache;
pub(super) use tokens::Tokens;
