//! `tower-authz eval`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tower_authz::{
    Policy,
    analysis::{Verdict, evaluate},
};

use crate::{
    failure::{Failure, Outcome},
    request::RequestLine,
};

/// Decide requests, one JSON object a line, in their order
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A request may have the members `method` (default GET), `path`, `matched_path`, `subject`, `roles`, `permissions`, \
`claims`, `client` and `time` (RFC 3339, default now), and as witnesses of `diff` have them `permission_limit` (the \
scopes that limit what the roles give) and `malformed_sources`. Without `subject` the caller is anonymous. Predicates \
of the application are not registered here, so no `check` holds.

Each line gets a line with `decision`, `status`, `reason`, `rule`, `masked`, `missing` and `readings`, or with \
`error`; the status is null where the application would answer. The exit status is 2 if a line could not be read.")]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// The requests; standard input if left out or `-`
    requests: Option<PathBuf>,
    /// For whom the answers are; there is one format
    #[arg(long = "format", value_parser = ["json"], default_value = "json", hide = true)]
    _format: String,
}

/// The longest line that is read.
const LONGEST: u64 = 16 * 1024 * 1024;

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let policy = Policy::from_file(&args.policy)?;
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let all_read = match args.requests.as_deref().filter(|path| *path != Path::new("-")) {
        None => each_line(&policy, BufReader::new(io::stdin().lock()), &mut out)?,
        Some(path) => {
            let file = File::open(path).map_err(|error| Failure::file(path, error))?;
            let progress = progress(&file);
            let input = BufReader::with_capacity(64 * 1024, progress.wrap_read(file));
            let all_read = each_line(&policy, input, &mut out)?;
            progress.finish_and_clear();
            all_read
        }
    };
    out.flush()?;
    Ok(if all_read { Outcome::Fine } else { Outcome::Unusable })
}

/// A bar where somebody sees it.
fn progress(file: &File) -> ProgressBar {
    let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
    let Some(length) = length.filter(|_| io::stderr().is_terminal()) else { return ProgressBar::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
    match ProgressStyle::with_template("{bar:40} {percent}% of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Answers line by line, as soon as there is nothing more to read without waiting. Whether all could be read.
fn each_line<R: Read>(policy: &Policy, mut input: BufReader<R>, out: &mut impl Write) -> Result<bool, Failure> {
    let (mut line, mut number, mut all_read) = (Vec::new(), 0_u64, true);
    let now = SystemTime::now();
    while read_line(&mut input, &mut line)? {
        number += 1;
        match answer(policy, &line, now) {
            Ok(verdict) => serde_json::to_writer(&mut *out, &verdict).map_err(io::Error::from)?,
            Err(why) => {
                all_read = false;
                serde_json::to_writer(&mut *out, &json!({ "error": why, "line": number })).map_err(io::Error::from)?;
            }
        }
        out.write_all(b"\n")?;
        if input.buffer().is_empty() {
            out.flush()?;
        }
    }
    Ok(all_read)
}

/// Reads a line, of which nothing beyond the longest is kept. Nothing at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Failure> {
    line.clear();
    let unreadable = |error| Failure::Input(format!("the requests cannot be read: {error}"));
    if input.take(LONGEST + 1).read_until(b'\n', line).map_err(unreadable)? == 0 {
        return Ok(false);
    }
    if !line.ends_with(b"\n") && line.len() as u64 > LONGEST {
        input.skip_until(b'\n').map_err(unreadable)?;
    }
    Ok(true)
}

fn answer(policy: &Policy, line: &[u8], now: SystemTime) -> Result<Verdict, String> {
    if line.len() as u64 > LONGEST {
        return Err("the line is too long".to_owned());
    }
    let request: RequestLine = serde_json::from_slice(line.trim_ascii_end()).map_err(|error| error.to_string())?;
    Ok(evaluate(policy, &request.into_probe(now)?))
}
