//! Bearer tokens that are JSON Web Tokens (RFC 7519, RFC 8725).
//!
//! The way of a token: `bearer` takes it out of the request, `inspector` knows it again or has it verified. `token`
//! reads it, `verifier` finds the issuer that it names, `key_set` the keys that can prove it, `expectation` asks
//! whether it is meant for us and now, a claim map turns what it says into a principal.

mod algorithm;
mod authenticator;
mod backend;
mod builder;
mod cache;
mod error;
mod expectation;
mod inspector;
mod issuer;
mod key;
mod key_set;
mod keys;
mod object;
#[cfg(feature = "jwks")]
mod remote;
mod revocation;
#[cfg(test)]
mod tests;
mod token;
mod verifier;

pub use algorithm::JwtAlgorithm;
pub use authenticator::Jwt;
#[cfg(feature = "jwks")]
pub use builder::Awaited;
pub use builder::{AtOnce, JwtBuilder};
pub use cache::TokenCache;
pub use error::{JwtError, JwtErrorKind};
pub use issuer::Issuer;
pub use keys::Keys;
#[cfg(feature = "jwks")]
pub use remote::RemoteKeys;
pub use revocation::{Revocation, RevokedTokens, TokenFacts};
