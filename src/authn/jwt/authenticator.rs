//! Bearer tokens as a way in.

use std::{fmt, sync::Arc};

use http::{HeaderName, header::AUTHORIZATION};

#[cfg(feature = "jwks")]
use super::{builder::Awaited, remote::RemoteKeys};
use super::{builder::JwtBuilder, inspector::Inspector, issuer::Issuer, keys::Keys};
use crate::{
    authn::{Authentication, Authenticator, Bearer, bearer},
    challenge::Challenge,
    identity::Identity,
    target::Head,
};

/// Bearer tokens (RFC 6750) that are signed JSON Web Tokens (RFC 7519).
///
/// The token is read from `Authorization: Bearer`, and from elsewhere only where the operator [says
/// so](JwtBuilder::also_from). Other schemes are left to other authenticators: without a bearer token the caller is
/// anonymous. `exp` and a subject are required, `nbf` is honoured, and the algorithm is the operator's choice, never
/// the token's. Tokens longer than 8 KiB, with duplicate members, with critical extensions, or bound to a key of their
/// sender (`cnf`, as for `DPoP`) are refused. All claims are kept on the principal. Tokens that were verified are
/// [remembered](super::TokenCache).
///
/// Signatures are verified by aws-lc-rs (feature `jwt`), or in pure Rust (feature `jwt-rust-crypto`), which takes 6 to 7
/// times as long for RSA. Where both features are on, aws-lc-rs verifies.
///
/// ```
/// use tower_authz::{Authentication, Authenticator, Head, Identity, authn::Jwt};
///
/// let secret = b"an example: use random bytes here";
/// let jwt = Jwt::hs256(secret).issuer("https://id.example").audience("billing").realm("billing").build()?;
/// assert_eq!(jwt.challenges()[0].to_string(), r#"Bearer realm="billing""#);
///
/// let request = http::Request::get("/").header("authorization", "Bearer abc").body(()).unwrap();
/// assert!(matches!(jwt.authenticate(Head::from(&request)), Authentication::Ready(Identity::Rejected(_))));
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone)]
pub struct Jwt {
    pub(super) inspector: Arc<Inspector>,
    pub(super) places: Arc<[Bearer]>,
    pub(super) challenge: Challenge,
    pub(super) strip_authorization: bool,
}

impl Jwt {
    /// Tokens that are signed with HMAC and SHA-256, by whoever knows `secret`: at least 32 random bytes.
    pub fn hs256(secret: &[u8]) -> JwtBuilder {
        JwtBuilder::beginning_with(Issuer::unnamed().keys(Keys::secret(secret)))
    }

    /// Tokens of an issuer that publishes its keys by `OpenID` Connect Discovery.
    #[cfg(feature = "jwks")]
    pub fn discover(issuer: impl Into<String>) -> JwtBuilder<Awaited> {
        JwtBuilder::beginning_with(Issuer::discover(issuer))
    }

    /// Tokens of an issuer whose keys are remote, and found as `keys` says.
    #[cfg(feature = "jwks")]
    pub fn remote(issuer: impl Into<String>, keys: RemoteKeys) -> JwtBuilder<Awaited> {
        JwtBuilder::beginning_with(Issuer::new(issuer).keys(keys))
    }

    /// Tokens of the issuers that are [trusted](JwtBuilder::trust).
    pub fn builder() -> JwtBuilder {
        JwtBuilder::new()
    }
}

impl Authenticator for Jwt {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        match bearer::find(&self.places, head) {
            Ok(Some(token)) => self.inspector.identify(token),
            Ok(None) => Identity::Anonymous.into(),
            Err(error) => error.into(),
        }
    }

    fn challenges(&self) -> Vec<Challenge> {
        vec![self.challenge.clone()]
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        if self.strip_authorization { vec![AUTHORIZATION] } else { Vec::new() }
    }

    fn consumed_protocols(&self) -> Vec<String> {
        self.places.iter().filter_map(Bearer::marker).map(str::to_owned).collect()
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").field("inspector", &self.inspector).finish_non_exhaustive()
    }
}
