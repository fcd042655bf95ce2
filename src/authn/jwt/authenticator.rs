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
/// the token's. Tokens longer than 16 KiB, with duplicate members, with critical extensions, or bound to a key of their
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

    /// Tokens of an issuer that publishes where its keys are (`OpenID` Connect Discovery 1.0), and nobody else's. `issuer` is
    /// its name, letter by letter as in `iss`. How the keys are fetched, and what happens when they cannot be, is told
    /// at [`RemoteKeys`]; [`remote`](Self::remote) lets it be chosen, and [`trust`](JwtBuilder::trust) adds
    /// [further issuers](Issuer::discover).
    ///
    /// A complete set-up for each provider that there is a [`ClaimMap`](crate::authn::ClaimMap) for follows.
    ///
    /// # Keycloak
    ///
    /// What its claims give is told at [`ClaimMap::keycloak`](crate::authn::ClaimMap::keycloak).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://id.example/realms/acme")
    ///     .audience("billing")
    ///     .require("typ", "Bearer")
    ///     .claims(ClaimMap::keycloak("billing"))
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Auth0
    ///
    /// The name of the issuer ends in a slash.
    /// What its claims give is told at [`ClaimMap::auth0`](crate::authn::ClaimMap::auth0).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://acme.eu.auth0.com/")
    ///     .audience("https://billing.example")
    ///     .claims(ClaimMap::auth0("https://billing.example"))
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Microsoft Entra ID
    ///
    /// The application must ask for tokens of version 2 (`requestedAccessTokenVersion`).
    /// What its claims give, and what to do with version 1, is told at [`ClaimMap::entra`](crate::authn::ClaimMap::entra).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0")
    ///     .audience("6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .claims(ClaimMap::entra().rename_role("0760b6cf-170e-4a14-91b3-4b78e0739963", "admin"))
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Okta
    ///
    /// The issuer is a custom authorization server, such as `default`.
    /// What its claims give is told at [`ClaimMap::okta`](crate::authn::ClaimMap::okta).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://acme.okta.com/oauth2/default")
    ///     .audience("api://default")
    ///     .claims(ClaimMap::okta())
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Amazon Cognito
    ///
    /// What its claims give is told at [`ClaimMap::cognito`](crate::authn::ClaimMap::cognito).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcD")
    ///     .audience_claim("client_id")
    ///     .audience("7lhlkkfbfb4q5kpp90urffao")
    ///     .require("token_use", "access")
    ///     .claims(ClaimMap::cognito().rename_permission("billing/read", "invoice:read"))
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Google
    ///
    /// Of an organization; without `hd` anybody with an account.
    /// What its claims give is told at [`ClaimMap::google`](crate::authn::ClaimMap::google).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://accounts.google.com")
    ///     .audience("1234987819200.apps.googleusercontent.com")
    ///     .require("hd", "acme.example")
    ///     .claims(ClaimMap::google())
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Access tokens of RFC 9068
    ///
    /// What its claims give is told at [`ClaimMap::rfc9068`](crate::authn::ClaimMap::rfc9068).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let jwt = Jwt::discover("https://authorization-server.example/")
    ///     .audience("https://rs.example/")
    ///     .access_tokens_only()
    ///     .claims(ClaimMap::rfc9068())
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    ///
    /// # Kubernetes
    ///
    /// Inside a cluster, whose API server has a root of its own, and asks who asks. Where the keys are public, as for the issuers of
    /// cloud providers, the name of the issuer is enough. Where the issuer is called otherwise than the API server, and is not
    /// public, its keys are at `https://kubernetes.default.svc/openid/v1/jwks` ([`RemoteKeys::jwks`]).
    /// What its claims give is told at [`ClaimMap::kubernetes`](crate::authn::ClaimMap::kubernetes).
    ///
    /// ```no_run
    /// # use tower_authz::authn::{ClaimMap, Jwt, RemoteKeys};
    /// # async fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let pod = "/var/run/secrets/kubernetes.io/serviceaccount";
    /// let root = std::fs::read(format!("{pod}/ca.crt"))?;
    /// let keys = RemoteKeys::discovered().root_certificates(root).token_file(format!("{pod}/token"));
    /// let jwt = Jwt::remote("https://kubernetes.default.svc.cluster.local", keys)
    ///     .audience("billing")
    ///     .claims(ClaimMap::kubernetes().rename_role("system:serviceaccount:jobs:reporter", "reporter"))
    ///     .build()
    ///     .await?;
    /// # Ok(jwt)
    /// # }
    /// ```
    #[cfg(feature = "jwks")]
    pub fn discover(issuer: impl Into<String>) -> JwtBuilder<Awaited> {
        JwtBuilder::beginning_with(Issuer::discover(issuer))
    }

    /// Tokens of an issuer whose keys are fetched as `keys` says.
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

    fn credential_parameters(&self) -> Vec<String> {
        self.places.iter().filter_map(Bearer::parameter).map(str::to_owned).collect()
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").field("inspector", &self.inspector).finish_non_exhaustive()
    }
}
