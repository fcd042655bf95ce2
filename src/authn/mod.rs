//! Finding out who is calling.
//!
//! An [`Authenticator`] looks at the head of a request and says who sent it. Closures are authenticators; the
//! functions and types here make the usual ones, and [`Chain`] puts several together.

mod ambient;
#[cfg(feature = "api-keys")]
mod api_keys;
mod authenticator;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod bearer;
mod chain;
mod claims;
mod client;
mod consumed;
mod extension;
mod forwarded;
mod function;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
mod network;
mod peer;
mod resource_metadata;
mod trusted_headers;

pub use ambient::ambient;
#[cfg(feature = "api-keys")]
pub use api_keys::{ApiKeyError, ApiKeyErrorKind, ApiKeys, ApiKeysBuilder};
pub use authenticator::{Authentication, Authenticator, BoxFuture};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub use bearer::Bearer;
pub use chain::Chain;
pub use claims::{ClaimMap, ClaimPath, ClaimSource, Scopes};
pub use client::Client;
pub(crate) use consumed::ConsumedHeaders;
pub use extension::{from_extension, from_extension_async, principal_extension};
pub use function::{from_async_fn, from_fn, none};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub use jwt::{
    AtOnce, Issuer, Jwt, JwtAlgorithm, JwtBuilder, JwtError, JwtErrorKind, Keys, Revocation, RevokedTokens, TokenCache,
    TokenFacts,
};
#[cfg(feature = "jwks")]
pub use jwt::{Awaited, RemoteKeys};
pub use network::{TrustError, TrustErrorKind};
pub use peer::{MissingAddress, PeerAddr};
pub use resource_metadata::{ResourceMetadata, ResourceMetadataError};
pub use trusted_headers::{Separator, TrustedHeaders, TrustedHeadersBuilder};
