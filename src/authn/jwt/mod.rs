//! Bearer tokens that are JSON Web Tokens (RFC 7519, RFC 8725).
//!
//! The way of a token: `bearer` takes it out of the request, `signature` proves who made it, `expectation` asks
//! whether it is meant for us and now, `source` reads roles and permissions out of its claims.

mod authenticator;
mod builder;
mod expectation;
mod object;
mod signature;
mod source;

pub use authenticator::Jwt;
pub use builder::{JwtBuilder, JwtError, JwtErrorKind};
