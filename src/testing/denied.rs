//! Assertions on denials.
#![expect(clippy::panic, reason = "assertions panic")]

use http::Response;

use crate::{
    decision::{Denial, Reason},
    middleware::denial_in,
};

/// The denial behind a response, masked or not, if it is one.
///
/// It travels in the extensions of the response, so it is known in the process that made it, and nowhere else.
pub fn denial<B>(response: &Response<B>) -> Option<&Denial> {
    denial_in(response.extensions())
}

/// Asserts that a request was denied, with which status, and for which reason.
///
/// The status is what the caller sees, the reason what the operator sees: a masked route is denied with 404 for
/// `insufficient-role`.
///
/// # Panics
///
/// When the response is no denial, or another one.
#[track_caller]
pub fn assert_denied<B>(response: &Response<B>, status: u16, reason: Reason) {
    let answered = response.status();
    let Some(denial) = denial(response) else {
        panic!("expected {status} for `{reason}`, but the request was not denied: it was answered {answered}");
    };
    let as_expected = answered == status && denial.reason() == reason;
    assert!(as_expected, "expected {status} for `{reason}`, but it was {}", describe(answered, denial));
}

pub(super) fn describe(answered: http::StatusCode, denial: &Denial) -> String {
    let part = |name: &str, value: Option<&str>| value.map_or_else(String::new, |value| format!(", {name} `{value}`"));
    let missing: Vec<_> = denial.missing().collect();
    let missing = Some(missing.join(", ")).filter(|missing| !missing.is_empty());
    format!(
        "{} for `{}`{}{}{}{}",
        answered.as_u16(),
        denial.reason(),
        part("rule", denial.rule()),
        part("required", denial.required()),
        part("missing", missing.as_deref()),
        part("detail", denial.get_detail()),
    )
}
