//! `tower-authz explain`.

use std::{io::Write, path::PathBuf, time::SystemTime};

use http::Method;
use serde::Serialize;
use tower_authz::{
    Policy,
    analysis::{Explanation, Probe, explain},
};

use crate::{
    answer::Answer,
    caller::CallerArgs,
    failure::{Failure, Outcome},
    format::{Format, write_json},
    narrative::Narrative,
    request,
};

/// Say why a request is allowed or denied, and what would have to be otherwise
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without any option about the caller the request is anonymous. Predicates of the application are not registered \
here, so no `check` holds. The answer is shown as a layer would give it whose callers send bearer tokens.")]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// The method, in upper case
    #[arg(value_parser = request::method)]
    method: Method,
    /// The path, percent-encoded as on the wire; a query is ignored
    path: String,
    #[command(flatten)]
    caller: CallerArgs,
    /// The address of the client
    #[arg(long, value_parser = request::client)]
    client: Option<std::net::IpAddr>,
    /// When the request is sent (RFC 3339); now if left out
    #[arg(long, value_name = "TIME", value_parser = request::time)]
    at: Option<SystemTime>,
    /// The pattern of the route that axum's router has matched
    #[arg(long, value_name = "PATTERN")]
    matched_path: Option<String>,
    /// For whom the explanation is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    response: Option<Answer>,
    notes: Vec<&'static str>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let policy = Policy::from_file(&args.policy)?;
    let (identity, notes) = args.caller.identity()?;
    let mut probe = Probe::new(args.method.clone(), args.path.as_str()).identity(identity);
    probe = probe.at(args.at.unwrap_or_else(SystemTime::now));
    if let Some(client) = args.client {
        probe = probe.client(client);
    }
    if let Some(pattern) = &args.matched_path {
        probe = probe.matched_path(pattern);
    }
    let explanation = explain(&policy, &probe);
    let response = explanation.verdict.denial().map(|denial| Answer::new(denial, &policy, &args.method));
    let outcome = if response.is_none() { Outcome::Fine } else { Outcome::Findings };
    match args.format {
        Format::Json => write_json(out, &Report { explanation: &explanation, response, notes })?,
        Format::Text => {
            for note in notes {
                writeln!(out, "note: {note}")?;
            }
            write!(out, "{}", Narrative { explanation: &explanation, answer: response.as_ref() })?;
        }
    }
    Ok(outcome)
}
