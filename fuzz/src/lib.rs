//! Properties that bytes choose the cases of: the same for cargo-fuzz, for long runs, and for `cargo test`.

#[path = "../../tests/support/differential/mod.rs"]
mod differential;
mod documents;
pub mod memory;
#[path = "../../tests/support/readers.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod readers;

use std::cell::RefCell;

use tokio::runtime::{Builder, Runtime};

pub use differential::Tally;
pub use documents::policy_document;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(Builder::new_current_thread().build().expect("a runtime"));
}

/// Runs the case that `bytes` choose: what was looked at, or what was found.
///
/// # Errors
///
/// There is a way around the layer.
pub fn differential(bytes: &[u8]) -> Result<Tally, String> {
    let result = RUNTIME.with_borrow(|runtime| runtime.block_on(differential::run(bytes)));
    result.map_err(|finding| finding.to_string())
}
