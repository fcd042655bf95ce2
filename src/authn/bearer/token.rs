//! The one bearer token of a request.

use super::place::{Bearer, of_authorization};
use crate::{
    identity::{CredentialError, CredentialErrorKind},
    target::Head,
};

/// What is in `Authorization`, or in the one of `further` places that holds something; whether it is a token is not
/// looked at.
#[inline]
pub(in crate::authn) fn find<'a>(further: &[Bearer], head: Head<'a>) -> Result<Option<&'a [u8]>, CredentialError> {
    let mut found = of_authorization(head.headers())?;
    for place in further {
        let here = place.token(head)?;
        if found.is_some() && here.is_some() {
            let detail = "there are bearer tokens in several places (RFC 6750, section 2)";
            return Err(CredentialError::new(CredentialErrorKind::Ambiguous).detail(detail));
        }
        found = found.or(here);
    }
    Ok(found)
}

/// Whether a text is `token68` (RFC 9110, section 11.2).
pub(in crate::authn) fn is_token68(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    let (text, _) = text.split_at(text.len() - padding);
    // Looking at every byte, good or bad, is faster: many are looked at together.
    let is_of_it = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-'..=b'/' | b'_' | b'~' | b'+');
    !text.is_empty() && text.iter().fold(true, |all, byte| all & is_of_it(byte))
}
