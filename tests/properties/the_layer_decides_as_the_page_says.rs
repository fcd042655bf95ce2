//! Invariant 1: fail closed, and every answer as the naive interpreter says.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    arbitrary,
    gate::{self, Answer, Denials, ask, gate, http_request},
    naive::{self, Verdict},
    property::holds,
};

#[test]
fn answers_and_events_are_those_of_the_naive_interpreter() {
    holds("invariant 1, fail closed", 192, &arbitrary::sieges(), |(document, siege)| {
        let (policy, mut asked) = (gate::load(&document), 0);
        for (request, options) in siege {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request) else { continue };
            let (layer, denials) = gate(&policy, &request, options);
            let answer = ask(&layer, sent);
            let expected = naive::decide(&document, &request, options);
            let agreed = expected.agrees_with(&verdict(&answer, &denials));
            prop_assert!(agreed.is_ok(), "{agreed:?}\n{request:?}\n{answer:?}");
            asked += 1;
        }
        Ok(asked)
    });
}

/// A denial is reported once, something allowed never is.
fn verdict(answer: &Answer, denials: &Denials) -> Verdict {
    let denials = Arc::clone(denials);
    let denials = denials.lock().unwrap();
    assert_eq!(denials.len(), usize::from(!answer.is_forwarded()));
    let (reason, masked) = denials.first().copied().unzip();
    let methods = |allow: &str| allow.split(", ").filter(|method| !method.is_empty()).map(Into::into).collect();
    Verdict {
        allowed: answer.is_forwarded(),
        status: answer.status.as_u16(),
        reason,
        masked: masked.unwrap_or(false),
        allow: answer.header("allow").next().map(methods),
        ties: Vec::new(),
    }
}
