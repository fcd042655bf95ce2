use tracing::Level;

use super::{GET, capture, denial, rule};
use crate::{
    decision::{Denial, Mask, Reason},
    report::Event,
};

#[test]
fn every_reason_has_its_level_and_masks_raise_it() {
    let table = [
        (Reason::PathRejected, Level::WARN, Level::WARN),
        (Reason::InvalidCredentials, Level::WARN, Level::WARN),
        (Reason::AmbiguousCredentials, Level::WARN, Level::WARN),
        (Reason::AuthenticatorUnavailable, Level::ERROR, Level::ERROR),
        (Reason::NotListed, Level::INFO, Level::WARN),
        (Reason::MethodNotListed, Level::INFO, Level::WARN),
        (Reason::DeniedByRule, Level::WARN, Level::WARN),
        (Reason::NoCredentials, Level::INFO, Level::WARN),
        (Reason::ConflictingRoles, Level::WARN, Level::WARN),
        (Reason::StepUpRequired, Level::INFO, Level::WARN),
        (Reason::ConditionFailed, Level::WARN, Level::WARN),
        (Reason::InsufficientPermission, Level::WARN, Level::WARN),
        (Reason::InsufficientRole, Level::WARN, Level::WARN),
        (Reason::InternalError, Level::ERROR, Level::ERROR),
    ];
    for (reason, plain, masked) in table {
        for (mask, level) in [(Mask::None, plain), (Mask::Missing, masked), (Mask::MethodNotListed, masked)] {
            let denial = Denial { mask, ..denial(reason) };
            let captured = capture(&Event::denied(&denial, &GET, "/x"));
            assert_eq!((captured.level, captured.get("message")), (level, Some("access denied")), "{reason} {mask:?}");
        }
    }
}

#[test]
fn what_is_no_denial_is_quieter() {
    let (rule, denial) = (rule(), denial(Reason::InternalError));
    let table = [
        (Event::allowed(Some(&rule), &GET, "/x"), Level::DEBUG),
        (Event::shadow_differs(Some(&rule), Some(&denial), &GET, "/x"), Level::INFO),
        (Event::shadow_differs(Some(&rule), None, &GET, "/x"), Level::INFO),
    ];
    for (event, level) in table {
        assert_eq!(capture(&event).level, level, "{event:?}");
    }
}
