//! What can be written on the command line.

use clap::{Parser, Subcommand};

use crate::{check, completions, diff, eval, explain, matrix, schema, test};

/// Check, explain, test and compare policies that say who may call which route.
#[derive(Debug, Parser)]
#[command(
    name = "tower-authz",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 fine; 1 findings, or denied; 2 the input or the command line cannot be used.\n\
                  Policies are JSON, TOML or YAML, as the extension of the file says."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Args),
    Explain(Box<explain::Args>),
    Eval(eval::Args),
    Test(test::Args),
    Matrix(matrix::Args),
    Diff(diff::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}
