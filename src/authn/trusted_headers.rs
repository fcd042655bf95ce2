//! Identities that a trusted proxy writes into headers.

use http::{HeaderMap, HeaderName, HeaderValue, header::CONNECTION};

use super::{
    Authentication, Authenticator,
    network::{Proxies, TrustError, TrustErrorKind, header_name, read_alike},
    peer::peer,
};
use crate::{
    identity::{CredentialError, CredentialErrorKind, Identity},
    principal::Principal,
    target::Head,
};

/// How the names in a header are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Separator {
    /// Commas; blanks around a name do not count.
    Comma,
    /// Blanks, as in the `scope` of OAuth (RFC 6749, section 3.3).
    Space,
}

/// The caller is who a trusted proxy says it is, in headers.
///
/// The headers count only if the connection comes from one of the listed networks; from everyone else they are
/// ignored. They are removed from every forwarded request, in every spelling that services behind might read alike.
/// The proxy must replace what the client has sent under these names: a header that comes twice, in a second
/// spelling (`x_user` for `x-user`) or is listed in `Connection` is [`CredentialErrorKind::Ambiguous`].
///
/// A request without subject, or with an empty one, is anonymous, whatever roles it has.
///
/// ```
/// use std::net::SocketAddr;
/// use tower_authz::{Authentication, Authenticator, Head, Identity, authn::{PeerAddr, Separator, TrustedHeaders}};
///
/// let headers = TrustedHeaders::from_proxies(["10.0.0.0/8"])
///     .subject("x-auth-user")
///     .roles("x-auth-roles", Separator::Comma)
///     .build()?;
///
/// let from = |peer: &str| {
///     let peer: SocketAddr = peer.parse().unwrap();
///     let request = http::Request::get("/").header("x-auth-user", "ada").extension(PeerAddr(peer)).body(()).unwrap();
///     headers.authenticate(Head::from(&request))
/// };
/// assert!(matches!(from("10.0.0.2:40000"), Authentication::Ready(Identity::Authenticated(_))));
/// assert!(matches!(from("203.0.113.7:40000"), Authentication::Ready(Identity::Anonymous)));
/// # Ok::<(), tower_authz::authn::TrustError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustedHeaders {
    proxies: Proxies,
    subject: HeaderName,
    roles: Option<NameList>,
    permissions: Option<NameList>,
}

#[derive(Clone, Debug)]
struct NameList {
    header: HeaderName,
    separator: Separator,
}

/// Builds [`TrustedHeaders`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TrustedHeadersBuilder {
    proxies: Result<Proxies, TrustError>,
    subject: Option<String>,
    roles: Option<(String, Separator)>,
    permissions: Option<(String, Separator)>,
}

impl TrustedHeaders {
    /// Believes connections from `proxies`, networks such as `10.0.0.0/8` or single addresses.
    pub fn from_proxies<I>(proxies: I) -> TrustedHeadersBuilder
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        TrustedHeadersBuilder { proxies: Proxies::new(proxies), subject: None, roles: None, permissions: None }
    }

    fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let lists = self.roles.iter().chain(&self.permissions).map(|list| &list.header);
        std::iter::once(&self.subject).chain(lists)
    }

    fn identify(&self, headers: &HeaderMap) -> Result<Option<Principal>, CredentialError> {
        let subject = only(&self.subject, headers)?;
        let roles = NameList::find(self.roles.as_ref(), headers)?;
        let permissions = NameList::find(self.permissions.as_ref(), headers)?;
        let Some(subject) = subject.filter(|value| !value.is_empty()) else { return Ok(None) };
        let subject = readable(subject).filter(|text| text.trim() == *text).ok_or_else(|| {
            let detail = format!("the header `{}` has blanks at its ends, or more than visible ASCII", self.subject);
            CredentialError::new(CredentialErrorKind::Malformed).detail(detail)
        })?;
        let principal = with_names(Principal::new(subject), roles, Principal::roles);
        Ok(Some(with_names(principal, permissions, Principal::permissions)))
    }
}

impl TrustedHeadersBuilder {
    /// The header that names the subject.
    pub fn subject(self, header: impl Into<String>) -> Self {
        Self { subject: Some(header.into()), ..self }
    }

    /// The header that lists the roles.
    pub fn roles(self, header: impl Into<String>, separator: Separator) -> Self {
        Self { roles: Some((header.into(), separator)), ..self }
    }

    /// The header that lists permissions (scopes), which are held beside those that the roles give.
    pub fn permissions(self, header: impl Into<String>, separator: Separator) -> Self {
        Self { permissions: Some((header.into(), separator)), ..self }
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// A network cannot be read, holds every address, or none is listed; a header name cannot be read, stands for
    /// two things, or none is given for the subject.
    pub fn build(self) -> Result<TrustedHeaders, TrustError> {
        let no_subject = || TrustError::new(TrustErrorKind::NoSubject, "no header is named for the subject");
        let built = TrustedHeaders {
            proxies: self.proxies?,
            subject: header_name(&self.subject.ok_or_else(no_subject)?)?,
            roles: self.roles.map(NameList::new).transpose()?,
            permissions: self.permissions.map(NameList::new).transpose()?,
        };
        let names: Vec<_> = built.names().collect();
        let repeated = names.iter().enumerate().find(|(index, name)| {
            names.iter().skip(index + 1).any(|other| read_alike(name.as_str().as_bytes(), other.as_str().as_bytes()))
        });
        match repeated {
            Some((_, name)) => Err(TrustError::new(
                TrustErrorKind::RepeatedHeader,
                format!("`{name}` is named twice: subject, roles and permissions need headers of their own"),
            )),
            None => Ok(built),
        }
    }
}

impl NameList {
    fn new((header, separator): (String, Separator)) -> Result<Self, TrustError> {
        Ok(Self { header: header_name(&header)?, separator })
    }

    /// A list that is read, and its header where that is there.
    fn find<'a>(
        list: Option<&'a Self>,
        headers: &'a HeaderMap,
    ) -> Result<Option<(&'a Self, &'a HeaderValue)>, CredentialError> {
        let Some(list) = list else { return Ok(None) };
        Ok(only(&list.header, headers)?.map(|value| (list, value)))
    }

    fn split<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let separator = match self.separator {
            Separator::Comma => ',',
            Separator::Space => ' ',
        };
        text.split(separator).map(str::trim).filter(|name| !name.is_empty())
    }
}

impl Authenticator for TrustedHeaders {
    fn authenticate(&self, head: Head<'_>) -> Authentication {
        let peer = match peer(head) {
            Ok(peer) => peer,
            Err(missing) => return Identity::from(missing).into(),
        };
        if self.proxies.contains(peer) { self.identify(head.headers()).into() } else { Identity::Anonymous.into() }
    }

    fn consumed_headers(&self) -> Vec<HeaderName> {
        self.names().cloned().collect()
    }
}

/// Adds the names that a list holds; one that cannot be read is a malformed source.
fn with_names<'a>(
    principal: Principal,
    found: Option<(&NameList, &'a HeaderValue)>,
    add: impl FnOnce(Principal, Vec<&'a str>) -> Principal,
) -> Principal {
    let Some((list, value)) = found else { return principal };
    match readable(value) {
        Some(text) => add(principal, list.split(text).collect()),
        None => principal.malformed_source(list.header.as_str()),
    }
}

fn readable(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| !text.contains('\t'))
}

/// The value of a header that may come once, in one spelling, and not as one of the connection alone.
fn only<'a>(name: &HeaderName, headers: &'a HeaderMap) -> Result<Option<&'a HeaderValue>, CredentialError> {
    let alike = |text: &[u8]| read_alike(name.as_str().as_bytes(), text);
    let mut spellings = headers.iter().filter(|(other, _)| alike(other.as_str().as_bytes()));
    let mut hop_by_hop = headers.get_all(CONNECTION).iter().flat_map(|line| line.as_bytes().split(|b| *b == b','));
    let found = spellings.next();
    let is_other = found.is_some_and(|(other, _)| other != name);
    if is_other || spellings.next().is_some() || hop_by_hop.any(|option| alike(option.trim_ascii())) {
        let detail =
            format!("the header `{name}` is repeated, comes in another spelling, or is listed in `connection`");
        return Err(CredentialError::new(CredentialErrorKind::Ambiguous).detail(detail));
    }
    Ok(found.map(|(_, value)| value))
}
