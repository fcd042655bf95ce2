//! Libraries and providers that nobody here wrote; `install` brings them.

mod drills;
mod maker;
mod mcp;
mod provider;
mod tokens;

use std::process::Command;

/// A program that `install` brought, or one of the machine, in the directory of this package.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
