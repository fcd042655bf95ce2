//! Properties that bytes choose the cases of: the same for cargo-fuzz, for long runs, and for `cargo test`.

#[path = "../../tests/support/differential/mod.rs"]
mod differential;
mod documents;
pub mod memory;
#[path = "../../tests/support/readers.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod readers;

use std::{cell::RefCell, fs, path::Path};

use tokio::runtime::{Builder, Runtime};

pub use differential::Tally;
pub use documents::{Loaded, policy_document};

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

/// The inputs that cargo-fuzz has found to reach something new, in the order of their names.
///
/// # Errors
///
/// There are none, or they cannot be read.
pub fn corpus(target: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut inputs = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        inputs.push((path.display().to_string(), fs::read(&path).map_err(failed)?));
    }
    inputs.sort();
    if inputs.is_empty() { Err(format!("{}: empty", folder.display())) } else { Ok(inputs) }
}
