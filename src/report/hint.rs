//! What an operator should know about denials that are probably a mistake of the set-up.

use http::{Method, header};

use crate::target::Head;

/// A CORS preflight carries no credentials, so it must be answered before it meets the policy.
#[inline]
pub(crate) fn preflight(head: Head<'_>) -> Option<&'static str> {
    let asks = |name| head.headers().contains_key(name);
    let is_preflight =
        head.method() == Method::OPTIONS && asks(header::ORIGIN) && asks(header::ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight.then_some("this is a CORS preflight, which carries no credentials: put `CorsLayer` outside the policy")
}
