//! What the tests share.

pub mod maker;

use std::process::Command;

/// A program that `install` brought, or one of the machine, in the directory of this package.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
