//! Which claims say who the caller is and what it may do.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    path::{ClaimPath, Unreadable},
    source::{ClaimSource, PlainText},
};
use crate::{
    identity::{CredentialError, CredentialErrorKind},
    principal::Principal,
};

/// Which claims, of a token above all, are the subject, the roles and the permissions.
///
/// Role sources give only roles, scope and permission sources only permissions. A source of the wrong shape gives
/// nothing and is reported, and no grant with `none_of` is held then; so does one that the issuer keeps elsewhere
/// (`_claim_names`, `OpenID` Connect Core 1.0, section 5.6.2). All claims are kept on the principal besides.
///
/// There is one for each well-known provider; [`Jwt::discover`](crate::authn::Jwt::discover) shows the whole set-up.
///
/// ```
/// use tower_authz::authn::{ClaimMap, Scopes};
///
/// let map = ClaimMap::new()
///     .subject("user_id")
///     .roles("realm_access.roles")
///     .roles(["https://billing.example/roles"])
///     .rename_role("7f3a-admins", "admin")
///     .scopes("scope", Scopes::Limit);
/// # let _ = map;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ClaimMap {
    subject: Vec<ClaimPath>,
    roles: Vec<ClaimSource>,
    permissions: Vec<ClaimSource>,
    scopes: Vec<ClaimSource>,
    scopes_are: Option<Scopes>,
    role_names: HashMap<String, String>,
    permission_names: HashMap<String, String>,
    only_renamed: bool,
}

/// What the scopes of a token do where its roles say something, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scopes {
    /// They add permissions. Right where the issuer gives scopes only to those who have the rights.
    Grant,
    /// They limit what the roles give: a permission is held only if the roles give it and the scopes name it. Right
    /// where clients choose the scopes, as in OAuth. A token without scopes holds no permission. For `none_of` a
    /// permission counts as held all the same, so that nobody is let in for asking for less.
    Limit,
    /// As [`Scopes::Limit`], but a token without any claim for scopes is not limited. Right where the issuer gives
    /// tokens without scopes to services alone.
    LimitIfPresent,
}

impl ClaimMap {
    /// The subject is `sub`; no claim gives roles or permissions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The claim that names the subject, instead of `sub`. Said again, it names a claim that counts where those
    /// before it are missing.
    pub fn subject(mut self, path: impl Into<ClaimPath>) -> Self {
        self.subject.push(path.into());
        self
    }

    /// Adds a claim that gives roles.
    pub fn roles(mut self, source: impl Into<ClaimSource>) -> Self {
        self.roles.push(source.into());
        self
    }

    /// Adds a claim that gives permissions, which are held beside those that the roles give.
    pub fn permissions(mut self, source: impl Into<ClaimSource>) -> Self {
        self.permissions.push(source.into());
        self
    }

    /// Adds a claim of scopes, and says what all scopes do. Where no claim gives roles or [permissions](Self::permissions)
    /// there is nothing to limit, so they grant.
    pub fn scopes(mut self, source: impl Into<ClaimSource>, are: Scopes) -> Self {
        self.scopes.push(source.into());
        self.scopes_are(are)
    }

    /// Adds a claim of scopes whose meaning is said by [`Self::scopes_are`].
    pub fn scopes_from(mut self, source: impl Into<ClaimSource>) -> Self {
        self.scopes.push(source.into());
        self
    }

    /// Says anew what all scopes do, such as those of a preset.
    pub fn scopes_are(self, are: Scopes) -> Self {
        Self { scopes_are: Some(are), ..self }
    }

    /// What the issuer calls `theirs` is the role `ours` in the policy. The name of the issuer counts no more.
    pub fn rename_role(mut self, theirs: impl Into<String>, ours: impl Into<String>) -> Self {
        self.role_names.insert(theirs.into(), ours.into());
        self
    }

    /// What the issuer calls `theirs` is the permission `ours` in the policy. The name of the issuer counts no more.
    pub fn rename_permission(mut self, theirs: impl Into<String>, ours: impl Into<String>) -> Self {
        self.permission_names.insert(theirs.into(), ours.into());
        self
    }

    /// Names that are not [renamed](Self::rename_role) count for nothing. Right for issuers that others administer: whoever
    /// names roles there could else name one of the policy.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_authz::authn::ClaimMap;
    ///
    /// let map = ClaimMap::new().roles("groups").rename_role("acme-staff", "partner").only_renamed();
    /// let claims = json!({ "sub": "ada", "groups": ["acme-staff", "admin"] });
    /// let ada = map.principal(claims.as_object().unwrap().clone())?;
    /// assert!(ada.has_role("partner") && !ada.has_role("admin"));
    /// # Ok::<(), tower_authz::CredentialError>(())
    /// ```
    pub fn only_renamed(self) -> Self {
        Self { only_renamed: true, ..self }
    }

    /// Reads roles from this claim alone.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(in crate::authn) fn only_roles(self, source: impl Into<ClaimSource>) -> Self {
        Self { roles: vec![source.into()], ..self }
    }

    /// Reads scopes from this claim alone.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(in crate::authn) fn only_scopes(self, source: impl Into<ClaimSource>, are: Scopes) -> Self {
        Self { scopes: vec![source.into()], scopes_are: Some(are), ..self }
    }

    /// Whether scopes are read beside roles or permissions, and it was not said what scopes do then.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(in crate::authn) fn is_undecided(&self) -> bool {
        self.has_others() && !self.scopes.is_empty() && self.scopes_are.is_none()
    }

    /// Whom these claims speak of. They are believed: whoever calls this has proved that they are true. Where it was
    /// not said what scopes do beside roles, they limit.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_authz::authn::ClaimMap;
    ///
    /// let claims = json!({ "sub": "ada", "realm_access": { "roles": ["viewer"] } });
    /// let ada = ClaimMap::keycloak("billing").principal(claims.as_object().unwrap().clone())?;
    /// assert!(ada.subject() == "ada" && ada.has_role("viewer"));
    /// # Ok::<(), tower_authz::CredentialError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the claim of the subject is missing, empty or no text.
    pub fn principal(&self, claims: Map<String, Value>) -> Result<Principal, CredentialError> {
        let mut principal = Principal::new(self.find_subject(&claims)?);
        let roles = Names::read(&self.roles, &claims, PlainText::One);
        let permissions = Names::read(&self.permissions, &claims, PlainText::Blanks);
        let scopes = Names::read(&self.scopes, &claims, PlainText::Blanks);
        principal = principal.roles(self.renamed(&roles, &self.role_names));
        principal = principal.permissions(self.renamed(&permissions, &self.permission_names));
        let named = self.renamed(&scopes, &self.permission_names);
        principal = match self.scopes_are {
            _ if self.scopes.is_empty() => principal,
            _ if !self.has_others() => principal.permissions(named),
            Some(Scopes::Grant) => principal.permissions(named),
            Some(Scopes::LimitIfPresent) if !scopes.present => principal,
            Some(Scopes::Limit | Scopes::LimitIfPresent) | None => principal.limit_permissions(named),
        };
        for source in [roles, permissions, scopes].into_iter().flat_map(|names| names.malformed) {
            principal = principal.malformed_source(source.to_string());
        }
        Ok(principal.claims(claims))
    }

    /// Whether there is something beside scopes, which these can limit.
    fn has_others(&self) -> bool {
        !self.roles.is_empty() || !self.permissions.is_empty()
    }

    /// The names as the policy has them.
    fn renamed<'a>(&'a self, names: &Names<'a>, table: &'a HashMap<String, String>) -> Vec<&'a str> {
        let own = |name: &'a str| (!self.only_renamed).then_some(name);
        names.found.iter().filter_map(|name| table.get(*name).map(String::as_str).or_else(|| own(name))).collect()
    }

    fn find_subject<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, CredentialError> {
        let found = if self.subject.is_empty() {
            Ok(claims.get("sub"))
        } else {
            self.subject.iter().map(|path| path.find(claims)).find(|found| *found != Ok(None)).unwrap_or(Ok(None))
        };
        let subject = found.ok().flatten().and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let detail = "the claim of the subject is missing, empty or no text";
        subject.ok_or_else(|| CredentialError::new(CredentialErrorKind::Malformed).detail(detail))
    }
}

/// The names in several sources.
#[derive(Debug, Default)]
struct Names<'a> {
    found: Vec<&'a str>,
    malformed: Vec<&'a ClaimPath>,
    /// Whether any of the claims is there, of whatever shape.
    present: bool,
}

impl<'a> Names<'a> {
    fn read(sources: &'a [ClaimSource], claims: &'a Map<String, Value>, plain: PlainText) -> Self {
        let mut read = Self::default();
        for source in sources {
            match source.names(claims, plain) {
                Ok(None) => {}
                Ok(Some(names)) => {
                    read.found.extend(names);
                    read.present = true;
                }
                Err(Unreadable) => {
                    read.malformed.push(source.path());
                    read.present = true;
                }
            }
        }
        read
    }
}
