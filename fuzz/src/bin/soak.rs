//! Runs the cases that are kept of the differential property, and then random ones for some time, or until there were
//! enough, without cargo-fuzz.
//!
//! `cargo run --release --no-default-features --bin soak -- [--seconds N] [--cases N] [--seed N]`

use std::{
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use tower_authz_fuzz::{Tally, corpus, differential};

/// Bytes of one input: more than any case reads.
const LENGTH: usize = 1536;

/// Findings that are printed before it ends.
const MOST: u32 = 10;

struct Options {
    seconds: u64,
    cases: u64,
    seed: u64,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\nusage: soak [--seconds N] [--cases N] [--seed N]");
            return ExitCode::FAILURE;
        }
    };
    let kept = match corpus("differential").map(|inputs| replay(&inputs)) {
        Ok(findings) => findings,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    println!("seed {}", options.seed);
    let (begun, mut said) = (Instant::now(), Duration::ZERO);
    let (mut total, mut findings, mut input) = (Tally::default(), kept, options.seed);
    let mut bytes = [0; LENGTH];
    while begun.elapsed().as_secs() < options.seconds && total.cases < options.cases && findings < MOST {
        fill(&mut bytes, input);
        match differential(&bytes) {
            Ok(tally) => total += tally,
            Err(finding) => {
                findings += 1;
                println!("input {input}: {finding}");
            }
        }
        input = input.wrapping_add(1);
        if begun.elapsed() - said > Duration::from_secs(60) {
            said = begun.elapsed();
            report(&total, findings, said);
        }
    }
    report(&total, findings, begun.elapsed());
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the cases that are kept; how many of them found something.
fn replay(inputs: &[(String, Vec<u8>)]) -> u32 {
    let (begun, mut total, mut findings) = (Instant::now(), Tally::default(), 0);
    for (name, bytes) in inputs {
        match differential(bytes) {
            Ok(tally) => total += tally,
            Err(finding) => {
                findings += 1;
                println!("{name}: {finding}");
            }
        }
    }
    println!("corpus of {} inputs", inputs.len());
    report(&total, findings, begun.elapsed());
    findings
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let mut options = Options { seconds: u64::MAX, cases: u64::MAX, seed: now << 32 };
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse().ok()).ok_or(format!("{name} wants a number"))?;
        match &*name {
            "--seconds" => options.seconds = value,
            "--cases" => options.cases = value,
            "--seed" => options.seed = value,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(options)
}

/// Random bytes of a seed (SplitMix64).
fn fill(bytes: &mut [u8], seed: u64) {
    let mut state = seed;
    for chunk in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
    }
}

fn report(total: &Tally, findings: u32, elapsed: Duration) {
    println!(
        "{:>6} s: {} cases ({} kept out, {} let in, {} over HTTP/2) of {} policies, {} more refused; {:.0} cases a second, {findings} findings",
        elapsed.as_secs(),
        total.cases,
        total.kept_out,
        total.let_in,
        total.http2,
        total.tables - total.refused,
        total.refused,
        total.cases as f64 / elapsed.as_secs_f64(),
    );
}
