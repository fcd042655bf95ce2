//! Properties that say how many cases they were tried on.
#![allow(clippy::panic, clippy::expect_used, reason = "helpers of a test may fail it")]

use std::{cell::Cell, io::Write};

use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};

/// Tries `property` on so many cases `of` a strategy, or on as many as `PROPTEST_CASES` asks for, and says how many they were.
/// The property tells how many answers of a case it has judged.
#[track_caller]
pub(crate) fn holds<S: Strategy>(
    what: &str,
    cases: u32,
    of: &S,
    property: impl Fn(S::Value) -> Result<usize, TestCaseError>,
) {
    let (tried, judged) = (Cell::new(0_u32), Cell::new(0_usize));
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config =
        ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(of, |case| {
        judged.set(judged.get() + property(case)?);
        tried.set(tried.get() + 1);
        Ok(())
    });
    if let Err(counterexample) = result {
        panic!("{what}: {counterexample}");
    }
    tell(&format!("{what}: {} cases, {} judged", tried.get(), judged.get()));
}

/// Prints a line that the harness of tests does not swallow when they pass.
pub(crate) fn tell(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody reads it");
}
