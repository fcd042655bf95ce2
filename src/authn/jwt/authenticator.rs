//! Bearer tokens as a way in.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

use super::{builder::JwtBuilder, expectation::Expectation, signature::Key, source::Sources};
use crate::{
    authn::{Authentication, Authenticator, bearer},
    challenge::Challenge,
    clock::Clock,
    identity::CredentialError,
    principal::Principal,
    target::Head,
};

/// Bearer tokens (RFC 6750) that are signed JSON Web Tokens (RFC 7519).
///
/// The token is read from `Authorization: Bearer` alone. Other schemes are left to other authenticators: without a
/// bearer token the caller is anonymous. `exp` and `sub` are required, `nbf` is honoured, and the algorithm is the
/// operator's choice, never the token's. Tokens longer than 8 KiB, with duplicate members, or with critical
/// extensions are refused. All claims are kept on the principal.
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
    pub(super) key: Key,
    pub(super) expectation: Expectation,
    pub(super) sources: Sources,
    pub(super) realm: Option<String>,
    pub(super) strip_authorization: bool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Jwt {
    /// Tokens that are signed with HMAC and SHA-256, by whoever knows `secret`: at least 32 random bytes.
    pub fn hs256(secret: &[u8]) -> JwtBuilder {
        JwtBuilder::hs256(secret)
    }

    fn identify(&self, headers: &HeaderMap) -> Result<Option<Principal>, CredentialError> {
        let Some(token) = bearer::token(headers)? else { return Ok(None) };
        let claims = self.key.claims(token)?;
        let expires = self.expectation.check(&claims, self.clock.now())?;
        self.sources.principal(claims, expires).map(Some)
    }
}

impl Authenticator for Jwt {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        self.identify(head.headers()).into()
    }

    fn challenges(&self) -> Vec<Challenge> {
        let bearer = Challenge::bearer();
        vec![match &self.realm {
            Some(realm) => bearer.realm(realm),
            None => bearer,
        }]
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        if self.strip_authorization { vec![AUTHORIZATION] } else { Vec::new() }
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("expectation", &self.expectation)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}
