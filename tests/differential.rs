//! Whatever an application looks like: what it answers alone, the guarded one answers to nobody without the right.
//! `fuzz/` runs the same for hours.
#![cfg(feature = "axum")]

#[path = "support/differential/mod.rs"]
mod differential;
#[path = "support/property.rs"]
mod property;
#[path = "support/readers.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod readers;

use differential::{Tally, run};
use property::{holds, tell};
use proptest::prelude::*;

#[test]
fn no_disguise_of_a_request_leads_around_the_layer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let total = std::cell::Cell::new(Tally::default());
    let bytes = prop::collection::vec(any::<u8>(), 512..1024);
    holds("invariant 2, no confusion", 400, &bytes, |bytes| match runtime.block_on(run(&bytes)) {
        Ok(tally) => {
            let mut sum = total.get();
            sum += tally;
            total.set(sum);
            Ok(usize::try_from(tally.cases).unwrap())
        }
        Err(finding) => Err(TestCaseError::fail(finding.to_string())),
    });
    let total = total.get();
    tell(&format!("{total:?}"));
    assert!(total.kept_out * 20 > total.cases, "the applications answer too seldom: {total:?}");
    assert!(total.let_in * 100 > total.cases, "too few plain paths: {total:?}");
    assert!(total.http2 > 0 && total.refused * 4 < total.tables, "{total:?}");
}
