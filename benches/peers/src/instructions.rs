//! Instructions, counted by callgrind: the difference between a long run and a short one of one contender.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use crate::{case::Case, contender::Contender};

/// The short run and the long one.
const REQUESTS: (u64, u64) = (1_000, 11_000);
/// The same, where a request takes milliseconds.
const SLOW_REQUESTS: (u64, u64) = (2, 12);
/// Runs so far, for the names of files.
static RUNS: AtomicU32 = AtomicU32::new(0);
/// Two programs at a time: callgrind runs on one processor.
const AT_ONCE: usize = 2;

/// What identifies a count in the file of baselines.
pub fn key(contender: &Contender, case: Case) -> String {
    format!("{} / {} / {}", contender.group.name(), contender.name, case.name())
}

/// Counts the instructions of a request for each, from the call until the answer is dropped.
///
/// # Errors
///
/// This program or valgrind cannot be run.
pub fn count(wanted: &[(&Contender, Case)]) -> io::Result<BTreeMap<String, f64>> {
    let program = std::env::current_exe()?;
    let mut counts = BTreeMap::new();
    for pairs in wanted.chunks(AT_ONCE) {
        let results = thread::scope(|scope| {
            let threads: Vec<_> = pairs
                .iter()
                .map(|(contender, case)| {
                    let only = format!("{}/{}", contender.group.name(), contender.name);
                    let (program, case) = (program.as_path(), *case);
                    let requests = if contender.is_slow { SLOW_REQUESTS } else { REQUESTS };
                    let counting = scope.spawn(move || a_request(program, &only, case, requests));
                    (key(contender, case), counting)
                })
                .collect();
            threads
                .into_iter()
                .map(|(key, thread)| (key, thread.join().expect("it does not panic")))
                .collect::<Vec<_>>()
        });
        for (key, result) in results {
            let count = result?;
            eprintln!("{count:>10.0}  {key}");
            counts.insert(key, count);
        }
    }
    Ok(counts)
}

fn a_request(program: &Path, only: &str, case: Case, (few, many): (u64, u64)) -> io::Result<f64> {
    let more = many - few;
    let (few, many) = (run(program, only, case, few)?, run(program, only, case, many)?);
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^52")]
    Ok((many as f64 - few as f64) / more as f64)
}

fn run(program: &Path, only: &str, case: Case, requests: u64) -> io::Result<u64> {
    let case = clap::ValueEnum::to_possible_value(&case).map(|value| value.get_name().to_owned()).unwrap_or_default();
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let profile = std::env::temp_dir().join(format!("tower-authz-peers-{}-{number}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-instr=no", "--toggle-collect=*ask_all*"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(["only", only, &case, "--requests", &requests.to_string()])
        .stdin(Stdio::null())
        .output()?;
    fs::remove_file(profile)?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| io::Error::other(format!("callgrind counted nothing for `{only}`, {case}:\n{told}")))
}
