//! API keys: long random texts that clients send in a header, and of which the service knows only hashes.

mod authenticator;
mod builder;
mod hash;

pub use authenticator::ApiKeys;
pub use builder::{ApiKeyError, ApiKeyErrorKind, ApiKeysBuilder};
