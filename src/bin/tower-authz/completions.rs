//! `tower-authz completions`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    cli::Cli,
    failure::{Failure, Outcome},
};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Such as: tower-authz completions bash > ~/.local/share/bash-completion/completions/tower-authz"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tower-authz", &mut script);
    out.write_all(&script)?;
    Ok(Outcome::Fine)
}
