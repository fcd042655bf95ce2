//! Reading a principal out of claims, whatever shape the provider gives them.

mod map;
mod path;
mod presets;
mod source;

pub use map::{ClaimMap, Scopes};
pub use path::ClaimPath;
pub use source::ClaimSource;
