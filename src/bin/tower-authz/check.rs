//! `tower-authz check`.

use std::{io::Write, path::PathBuf};

use serde_json::json;
use tower_authz::{Diagnostic, Policy, PolicyErrorKind, Severity};

use crate::{
    diagnostics,
    failure::{Failure, Outcome},
    format::{Format, write_json},
};

/// Report every error and lint of a policy at once
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// For whom the report is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    match Policy::from_file(&args.policy) {
        Ok(policy) => {
            let found = findings(&policy);
            let text = policy.source_text().unwrap_or_default();
            report(args.format, out, Some(&policy), policy.source_name(), text, &found)?;
            let is_fine = found.iter().all(|found| found.severity == Severity::Note);
            Ok(if is_fine { Outcome::Fine } else { Outcome::Findings })
        }
        Err(error) => {
            let text = error.source_text().unwrap_or_default();
            report(args.format, out, None, error.source_name(), text, error.diagnostics())?;
            Ok(if error.kind() == PolicyErrorKind::Invalid { Outcome::Findings } else { Outcome::Unusable })
        }
    }
}

/// Everything that is not wrong enough to keep the policy from loading.
fn findings(_policy: &Policy) -> Vec<Diagnostic> {
    Vec::new()
}

fn report(
    format: Format,
    out: &mut dyn Write,
    policy: Option<&Policy>,
    name: &str,
    text: &str,
    found: &[Diagnostic],
) -> Result<(), Failure> {
    if format == Format::Json {
        let value = json!({
            "policy": name,
            "revision": policy.map(Policy::revision),
            "diagnostics": diagnostics::to_json(found),
        });
        return Ok(write_json(out, &value)?);
    }
    if !found.is_empty() {
        writeln!(out, "{}\n", diagnostics::render(name, text, found))?;
    }
    Ok(writeln!(out, "{}", summary(name, found))?)
}

fn summary(name: &str, found: &[Diagnostic]) -> String {
    let count = |severity, one: &str| match found.iter().filter(|found| found.severity == severity).count() {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let counts = [count(Severity::Error, "error"), count(Severity::Warning, "warning"), count(Severity::Note, "note")];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    if counts.is_empty() { format!("{name}: no findings") } else { format!("{name}: {}", counts.join(", ")) }
}
