//! The claims of well-known providers.

use super::{
    map::{ClaimMap, Scopes},
    source::ClaimSource,
};

impl ClaimMap {
    /// Keycloak: the roles of the realm, and those of `client`.
    ///
    /// `scope` is not read: it names what goes into the token, such as `profile`, and no permissions.
    ///
    /// Access tokens are meant for `billing` (`aud`) where Keycloak is told so: by a mapper of the type *Audience*, or since
    /// the user has roles of that client and logs in with another one. Identity tokens are meant for the client that asked,
    /// and their claim `typ` is `ID`; so demand the one of access tokens.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://id.example/realms/acme")
    ///     .keys(keys())
    ///     .audience("billing")
    ///     .require("typ", "Bearer")
    ///     .claims(ClaimMap::keycloak("billing"));
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn keycloak(client: impl Into<String>) -> Self {
        Self::new().roles("realm_access.roles").roles(["resource_access".to_owned(), client.into(), "roles".to_owned()])
    }

    /// Auth0: the roles that an action puts into the claim `roles` under a namespace of yours, and the `permissions` of
    /// its role-based access control.
    ///
    /// The permissions are those that the user's roles give in Auth0, so they are held as they are, whether the client has
    /// asked for them or not; the setting *Add Permissions in the Access Token* of the API puts them there. `scope` is not
    /// read. With role-based access control it lists those of them that the client has asked for, which counts where clients
    /// are not all yours. For these, read it instead:
    /// `ClaimMap::new().roles(["https://billing.example/roles"]).permissions("scope")`. Without role-based access control
    /// clients get whatever scopes they ask for, and they must not be read so.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://acme.eu.auth0.com/")
    ///     .keys(keys())
    ///     .audience("https://billing.example")
    ///     .claims(ClaimMap::auth0("https://billing.example"));
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn auth0(namespace: &str) -> Self {
        Self::new().roles([format!("{}/roles", namespace.trim_end_matches('/'))]).permissions("permissions")
    }

    /// Microsoft Entra ID: the app roles in `roles`, the identifiers of groups in `groups`, the delegated scopes in
    /// `scp`.
    ///
    /// `scp` limits: a user grants it to an application, and cannot grant what it does not have. Tokens of
    /// applications that act for themselves have no `scp`, so they are not limited. The subject is `oid`, the same
    /// for every application, with `sub` in its place where there is none. Give groups readable names with
    /// [`rename_role`](Self::rename_role). Who is in more than 200 groups has none of them in the token; then `groups` counts
    /// as malformed, and no grant with `none_of` is held.
    ///
    /// The API needs a registration of its own: where it shares that of the client, identity tokens have the same audience and
    /// roles, and no `scp` that limits them. Only access tokens name the client (`azp`), so that the one client can also be
    /// [required](crate::authn::Issuer::require).
    ///
    /// Each tenant is an issuer of its own, also where the application is one of many tenants. Tokens of version 1 have the same claims
    /// and another issuer, with a slash at the end: `https://sts.windows.net/{tenant}/`, whose keys are at
    /// `https://login.microsoftonline.com/common/discovery/keys`. Their audience may be the URI of the application
    /// (`api://…`).
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    /// let issuer = Issuer::new(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
    ///     .keys(keys())
    ///     .audience("6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .claims(ClaimMap::entra().rename_role("0760b6cf-170e-4a14-91b3-4b78e0739963", "admin"));
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn entra() -> Self {
        let map = Self::new().subject("oid").subject("sub").roles("roles").roles("groups");
        map.scopes("scp", Scopes::LimitIfPresent)
    }

    /// Okta: the `groups` that a claim of the authorization server lists, and the scopes in `scp`.
    ///
    /// `scp` limits: clients choose scopes, and the access policies of Okta say which client may, not which user.
    /// Applications that act for themselves have no groups, so that nothing is left of their scopes. Where only such
    /// applications call, scopes may grant: [`scopes_are`](Self::scopes_are)`(Scopes::Grant)`.
    ///
    /// The issuer must be a custom authorization server, such as `default`: access tokens of the server of the organization
    /// (`https://acme.okta.com`) are meant for Okta alone. Groups are in the token where that server has a claim `groups`.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://acme.okta.com/oauth2/default")
    ///     .keys(keys())
    ///     .audience("api://default")
    ///     .claims(ClaimMap::okta());
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn okta() -> Self {
        Self::new().roles("groups").scopes("scp", Scopes::Limit)
    }

    /// Amazon Cognito: the groups of the user pool in `cognito:groups`, and the scopes in `scope`.
    ///
    /// `scope` limits: it is what the client may ask for, whoever the user is. Users who sign in without OAuth have
    /// no scopes of yours in it; let the policy ask for roles then. Scopes have the identifier of the resource server
    /// before them; take it off with [`rename_permission`](Self::rename_permission). Applications that act for themselves
    /// have no groups, so that nothing is left of their scopes. Where only such applications call, scopes may grant:
    /// [`scopes_are`](Self::scopes_are)`(Scopes::Grant)`. Access tokens of Cognito have a `client_id` in place
    /// of an `aud`. Identity tokens have the same issuer; `token_use` tells them apart.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcD")
    ///     .keys(keys())
    ///     .audience_claim("client_id")
    ///     .audience("7lhlkkfbfb4q5kpp90urffao")
    ///     .require("token_use", "access")
    ///     .claims(ClaimMap::cognito().rename_permission("billing/read", "invoice:read"));
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn cognito() -> Self {
        Self::new().roles("cognito:groups").scopes("scope", Scopes::Limit)
    }

    /// Google: the subject alone, since its identity tokens know neither roles nor scopes.
    ///
    /// The policy can ask for `email`, `email_verified` and `hd`, the domain of an organization. Access tokens of Google are
    /// no JSON Web Tokens. Some of its identity tokens have an issuer without `https://`: where yours do, trust
    /// `accounts.google.com`, too, with the keys at `https://www.googleapis.com/oauth2/v3/certs`.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://accounts.google.com")
    ///     .keys(keys())
    ///     .audience("1234987819200.apps.googleusercontent.com")
    ///     .require("hd", "acme.example")
    ///     .claims(ClaimMap::google());
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn google() -> Self {
        Self::new()
    }

    /// Access tokens of RFC 9068: `roles`, `groups` and `entitlements` (section 2.2.3.1, where they may be objects with
    /// a `value`) are roles, `scope` is the scopes.
    ///
    /// `scope` limits where it is there (section 5): it is what the client was authorized to, not what the user may.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://authorization-server.example/")
    ///     .keys(keys())
    ///     .audience("https://rs.example/")
    ///     .access_tokens_only()
    ///     .claims(ClaimMap::rfc9068());
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn rfc9068() -> Self {
        let sources = ["roles", "groups", "entitlements"].map(|claim| ClaimSource::at(claim).with_values());
        sources.into_iter().fold(Self::new(), Self::roles).scopes("scope", Scopes::LimitIfPresent)
    }

    /// Service accounts of Kubernetes: each account is a role of its own, by its full name.
    ///
    /// Pods get tokens for an audience from a projected volume (`serviceAccountToken`). Tokens of old, which are kept in
    /// secrets, never expire, and are refused.
    ///
    /// ```
    /// # fn keys() -> tower_authz::authn::Keys { tower_authz::authn::Keys::secret(&[7; 32]) }
    /// use tower_authz::authn::{ClaimMap, Issuer, Jwt};
    ///
    /// let issuer = Issuer::new("https://kubernetes.default.svc.cluster.local")
    ///     .keys(keys())
    ///     .audience("billing")
    ///     .claims(ClaimMap::kubernetes().rename_role("system:serviceaccount:jobs:reporter", "reporter"));
    /// let jwt = Jwt::builder().trust(issuer).build()?;
    /// # Ok::<(), tower_authz::authn::JwtError>(())
    /// ```
    pub fn kubernetes() -> Self {
        Self::new().roles("sub")
    }
}
