//! Where a bearer token can be.

use http::{
    HeaderMap, Uri,
    header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
};

use crate::{
    identity::{CredentialError, CredentialErrorKind},
    target::Head,
};

/// A place in requests where a bearer token may be, beside the header `Authorization` (RFC 6750, section 2.1), which is
/// always looked at.
///
/// ```
/// use tower_authz::authn::{Bearer, Jwt};
///
/// // new WebSocket(url, ["chat.v1", "bearer", token])
/// let jwt = Jwt::hs256(&[7; 32]).also_from(Bearer::from_websocket_protocol("bearer")).build()?;
/// # Ok::<(), tower_authz::authn::JwtError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Bearer(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    WebSocketProtocol(String),
    Query(String),
}

impl Bearer {
    /// The protocol that follows `marker` in `Sec-WebSocket-Protocol` (RFC 6455, section 4.1): browsers let scripts
    /// set no other header when they open a WebSocket.
    ///
    /// Marker and token are taken out of the header before the request is forwarded. So the service sees the
    /// application's own protocols alone, and can answer with no other; browsers expect one of them in the answer.
    pub fn from_websocket_protocol(marker: impl Into<String>) -> Self {
        Self(Place::WebSocketProtocol(marker.into()))
    }

    /// A parameter of the query (RFC 6750, section 2.3).
    ///
    /// Queries end up in logs, histories and `Referer` headers: this crate writes the parameter nowhere, but others do. Use
    /// short-lived tokens, and `Cache-Control: no-store`.
    pub fn from_query(parameter: impl Into<String>) -> Self {
        Self(Place::Query(parameter.into()))
    }

    /// The protocol that announces a token.
    pub(in crate::authn) fn marker(&self) -> Option<&str> {
        match &self.0 {
            Place::WebSocketProtocol(marker) => Some(marker),
            Place::Query(_) => None,
        }
    }

    /// The parameter of the query that holds a token.
    pub(in crate::authn) fn parameter(&self) -> Option<&str> {
        match &self.0 {
            Place::WebSocketProtocol(_) => None,
            Place::Query(parameter) => Some(parameter),
        }
    }

    /// What is in this place, whether it is a token or not.
    pub(super) fn token<'a>(&self, head: Head<'a>) -> Result<Option<&'a [u8]>, CredentialError> {
        match &self.0 {
            Place::WebSocketProtocol(marker) => of_protocols(head.headers(), marker),
            Place::Query(parameter) => of_query(head.uri(), parameter),
        }
    }
}

#[inline]
pub(super) fn of_authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, CredentialError> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(CredentialError::new(CredentialErrorKind::Ambiguous).detail("`authorization` is repeated"));
    }
    let Some((scheme, rest)) = line.as_bytes().split_at_checked("Bearer".len()) else { return Ok(None) };
    if scheme != b"Bearer" && !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Ok(None);
    }
    match rest.split_first() {
        Some((b' ', token)) => Ok(Some(token)),
        Some((byte, _)) if continues_scheme(*byte) => Ok(None),
        _ => Err(no_token("`authorization`")),
    }
}

/// Whether a byte is part of the name of a scheme (`token`, RFC 9110, section 5.6.2).
fn continues_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn of_protocols<'a>(headers: &'a HeaderMap, marker: &str) -> Result<Option<&'a [u8]>, CredentialError> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut protocols = lines.flat_map(|line| line.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii);
    if !protocols.any(|protocol| protocol == marker.as_bytes()) {
        return Ok(None);
    }
    let token = protocols.next().ok_or_else(|| no_token("`sec-websocket-protocol`"))?;
    if protocols.any(|protocol| protocol == marker.as_bytes()) {
        return Err(several("`sec-websocket-protocol`"));
    }
    Ok(Some(token))
}

fn of_query<'a>(uri: &'a Uri, parameter: &str) -> Result<Option<&'a [u8]>, CredentialError> {
    let pairs = uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(name, _)| *name == parameter).map(|(_, value)| value);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(several("the query"));
    }
    Ok(Some(value.as_bytes()))
}

fn several(place: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::Ambiguous).detail(format!("{place} holds several bearer tokens"))
}

pub(super) fn no_token(place: &str) -> CredentialError {
    CredentialError::new(CredentialErrorKind::Malformed).detail(format!("{place} holds no bearer token"))
}
