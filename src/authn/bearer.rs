//! The bearer token of a request (RFC 6750, section 2.1).

use http::{HeaderMap, header::AUTHORIZATION};

use crate::identity::{CredentialError, CredentialErrorKind};

/// The token in `Authorization`; none where there is no such header, or one of another scheme.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, CredentialError> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(CredentialError::new(CredentialErrorKind::Ambiguous).detail("`authorization` is repeated"));
    }
    let Some(credentials) = of_bearer_scheme(line.as_bytes()) else { return Ok(None) };
    let token = credentials.strip_prefix(b" ").filter(|token| is_token68(token));
    match token.map(str::from_utf8) {
        Some(Ok(token)) => Ok(Some(token)),
        _ => Err(CredentialError::new(CredentialErrorKind::Malformed).detail("`authorization` holds no bearer token")),
    }
}

/// What follows the scheme `Bearer`, in any letter case (RFC 9110, section 11.1).
fn of_bearer_scheme(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = credentials.split_at_checked("Bearer".len())?;
    let ends = !rest.first().is_some_and(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b));
    (scheme.eq_ignore_ascii_case(b"Bearer") && ends).then_some(rest)
}

/// RFC 9110, section 11.2.
fn is_token68(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    let (text, _) = text.split_at(text.len() - padding);
    !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(b))
}
