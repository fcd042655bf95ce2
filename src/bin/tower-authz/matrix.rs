//! `tower-authz matrix`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use tower_authz::{Policy, analysis::Matrix};

use crate::failure::{Failure, Outcome};

/// Draw a table of who may call what
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A row for each rule, a column for each role alone, for authenticated callers without roles and for callers without \
credentials. What depends on claims, networks, time or checks is a condition below the table. With `--golden` nothing \
is drawn while the table is that of the file; when it is not, the lines that differ are shown, and the exit status is 1.")]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// How the table is written
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// A file with the table as it was agreed on, in the same format
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// For terminals
    #[default]
    Text,
    /// For documents
    Markdown,
    /// For spreadsheets
    Csv,
    /// For machines
    Json,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let policy = Policy::from_file(&args.policy)?;
    let table = draw(&Matrix::of(&policy), args.format)?;
    if let Some(golden) = &args.golden {
        return compare(&table, golden, out);
    }
    out.write_all(table.as_bytes())?;
    Ok(Outcome::Fine)
}

fn draw(matrix: &Matrix, format: TableFormat) -> Result<String, Failure> {
    Ok(match format {
        TableFormat::Text => matrix.to_string(),
        TableFormat::Markdown => matrix.to_markdown(),
        TableFormat::Csv => matrix.to_csv(),
        TableFormat::Json => {
            let json = serde_json::to_string_pretty(matrix);
            json.map_err(|error| Failure::Input(format!("the table cannot be written as JSON: {error}")))? + "\n"
        }
    })
}

/// Shows the lines of the table and of the file that the other does not have. Line ends do not matter.
fn compare(table: &str, golden: &Path, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let agreed = fs::read_to_string(golden).map_err(|error| Failure::file(golden, error))?;
    let (agreed, table): (Vec<_>, Vec<_>) = (agreed.lines().collect(), table.lines().collect());
    if agreed == table {
        writeln!(out, "the table is that of {}", golden.display())?;
        return Ok(Outcome::Fine);
    }
    writeln!(out, "the table is not that of {}:", golden.display())?;
    for line in agreed.iter().filter(|line| !table.contains(line)) {
        writeln!(out, "- {line}")?;
    }
    for line in table.iter().filter(|line| !agreed.contains(line)) {
        writeln!(out, "+ {line}")?;
    }
    Ok(Outcome::Findings)
}
