//! `tower-authz diff`.

use std::{io::Write, path::PathBuf};

use clap::ValueEnum;
use tower_authz::{Policy, analysis::Diff};

use crate::{
    failure::{Failure, Outcome},
    format::{Format, write_json},
};

/// Prove what changes from one policy to another, and for whom
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What a policy lets in is compared for every path that its keys can tell apart, every method, every set of roles and \
permissions and every combination of conditions. `no change in access` is a proof. Each change comes with a request \
that one policy lets in and the other does not. `ANY` stands for the methods that neither policy lists.")]
pub(crate) struct Args {
    /// The policy as it was
    old: PathBuf,
    /// The policy as it would be
    new: PathBuf,
    /// Which changes are findings
    #[arg(long, value_enum, value_name = "CHANGES", default_value_t)]
    fail_on: FailOn,
    /// For whom the report is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Which changes are findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// All
    #[default]
    Changed,
    /// Those that let more callers in
    Widened,
    /// Those that let fewer callers in
    Narrowed,
    /// None
    Never,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let (old, new) = (Policy::from_file(&args.old)?, Policy::from_file(&args.new)?);
    let diff = Diff::between(&old, &new);
    match args.format {
        Format::Text => writeln!(out, "{diff}")?,
        Format::Json => write_json(out, &diff)?,
    }
    let is_found = match args.fail_on {
        FailOn::Changed => !diff.is_empty(),
        FailOn::Widened => diff.widens(),
        FailOn::Narrowed => diff.narrows(),
        FailOn::Never => false,
    };
    Ok(if is_found { Outcome::Findings } else { Outcome::Fine })
}
