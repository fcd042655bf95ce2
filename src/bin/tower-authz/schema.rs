//! `tower-authz schema`.

use std::io::Write;

use crate::failure::{Failure, Outcome};

const SCHEMA: &str = include_str!("../../../schema/policy.schema.json");

/// Print the JSON Schema of policy documents
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Editors check and complete a policy that names the schema: { \"$schema\": \"policy.schema.json\", \"version\": 1, … }")]
pub(crate) struct Args {
    /// For whom the schema is; there is one format
    #[arg(long = "format", value_parser = ["json"], default_value = "json", hide = true)]
    _format: String,
}

pub(crate) fn run(out: &mut dyn Write) -> Result<Outcome, Failure> {
    out.write_all(SCHEMA.as_bytes())?;
    Ok(Outcome::Fine)
}
