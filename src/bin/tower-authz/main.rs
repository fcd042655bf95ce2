//! The command `tower-authz`: one small file a command, thin faces of what the library can.

mod answer;
mod caller;
mod cases;
mod check;
mod cli;
mod completions;
mod data;
mod diagnostics;
mod diff;
mod eval;
mod explain;
mod failure;
mod format;
mod matrix;
mod narrative;
mod operations;
mod request;
mod schema;
mod test;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use cli::{Cli, Command};
use failure::{Failure, Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = run(&cli.command).or_else(Failure::report);
    ExitCode::from(match result {
        Ok(outcome) => outcome as u8,
        Err(_) => Outcome::Unusable as u8,
    })
}

fn run(command: &Command) -> Result<Outcome, Failure> {
    let out = &mut io::BufWriter::new(anstream::stdout().lock());
    let outcome = match command {
        Command::Check(args) => check::run(args, out)?,
        Command::Explain(args) => explain::run(args, out)?,
        Command::Eval(args) => eval::run(args)?,
        Command::Test(args) => test::run(args, out)?,
        Command::Matrix(args) => matrix::run(args, out)?,
        Command::Diff(args) => diff::run(args, out)?,
        Command::Schema(_) => schema::run(out)?,
        Command::Completions(args) => completions::run(args, out)?,
    };
    out.flush()?;
    Ok(outcome)
}
