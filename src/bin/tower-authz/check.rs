//! `tower-authz check`.

use std::{io::Write, path::PathBuf, time::SystemTime};

use serde_json::json;
use tower_authz::{
    Diagnostic, Policy, PolicyErrorKind, Severity,
    analysis::{Lint, Linter},
};

use crate::{
    diagnostics,
    failure::{Failure, Outcome},
    format::{Format, write_json},
    operations::OperationArgs,
    request,
};

/// Report every error and lint of a policy at once
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A lint is silenced in the policy, at the top or in a rule, with the reason: \
\"silence\": { \"public-write\": \"webhooks are signed\" }. Notes alone are no findings.", after_long_help = about_lints())]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// How bad the findings of a lint are: `note`, `warning` or `error`
    #[arg(long, value_name = "LINT=SEVERITY", value_parser = severity)]
    severity: Vec<(&'static Lint, Severity)>,
    /// The time by which grants are over (RFC 3339); now if left out
    #[arg(long, value_name = "TIME", value_parser = request::time)]
    at: Option<SystemTime>,
    #[command(flatten)]
    operations: OperationArgs,
    /// For whom the report is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    match Policy::from_file(&args.policy) {
        Ok(policy) => {
            let found = linter(args)?.find(&policy);
            let text = policy.source_text().unwrap_or_default();
            report(args.format, out, Some(&policy), policy.source_name(), text, &found)?;
            let is_fine = found.iter().all(|found| found.severity == Severity::Note);
            Ok(if is_fine { Outcome::Fine } else { Outcome::Findings })
        }
        Err(error) => {
            let text = error.source_text().unwrap_or_default();
            let found = linter(args)?.find_with_errors(&error);
            report(args.format, out, None, error.source_name(), text, &found)?;
            Ok(if error.kind() == PolicyErrorKind::Invalid { Outcome::Findings } else { Outcome::Unusable })
        }
    }
}

/// Every lint, with how bad its findings are.
fn about_lints() -> String {
    let about = "A lint is silenced in the policy, at the top or in a rule, with the reason:\n\
                    \"silence\": { \"public-write\": \"webhooks are signed\" }\n\
                    Notes alone are no findings.\n\nLints:\n";
    let line =
        |lint: &&Lint| format!("  {:<22} {:<8} {}\n", lint.code, diagnostics::severity(lint.severity), lint.summary);
    std::iter::once(about.to_owned()).chain(Lint::all().iter().map(line)).collect()
}

fn linter(args: &Args) -> Result<Linter, Failure> {
    let mut linter = Linter::at(args.at.unwrap_or_else(SystemTime::now));
    if let Some(operations) = args.operations.read()? {
        linter = linter.operations(operations);
    }
    Ok(args.severity.iter().fold(linter, |linter, (lint, severity)| linter.severity(lint, *severity)))
}

fn severity(text: &str) -> Result<(&'static Lint, Severity), String> {
    let (lint, severity) = text.split_once('=').ok_or("write a lint and its severity, such as `unused-role=note`")?;
    let lint = Lint::named(lint).ok_or_else(|| format!("no lint has the name `{lint}`"))?;
    let severity = match severity {
        "note" => Severity::Note,
        "warning" => Severity::Warning,
        "error" => Severity::Error,
        _ => return Err("the severities are `note`, `warning` and `error`".to_owned()),
    };
    Ok((lint, severity))
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
