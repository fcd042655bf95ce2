//! Loads the documents that are kept, and then splices policies at random for some time, without cargo-fuzz.
//!
//! `cargo run --release --no-default-features --bin documents -- [SECONDS] [SEED]`

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use tower_authz_fuzz::{corpus, memory::Counting, policy_document};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Policies that say everything there is to say, in every format.
const SEEDS: [(u8, &str); 3] = [
    (0, include_str!("../../../examples/policy.json")),
    (
        0,
        r#"{"version":1,"realm":"r","roles":{"a":{"inherits":["b"],"permissions":["p:q"]},"b":{},"c":{}},"exclusive_roles":[["a","c"]],"routes":{"GET /":"public","ANY /{x}":"a","GET,POST /a/{x}":[{"all_of":["b"],"none_of":["c"],"claims":{"sub":"{x}"}},"p:q"],"DELETE /a/{*w}":{"allow":{"any_of":["a","b"],"networks":["10.0.0.0/8"],"until":"2030-01-01T00:00:00Z"},"deny_as":"not_found","shadow":"nobody","encoded_slash":true},"PUT /b/":{"check":"open","step_up":{"acr":["mfa"],"max_age_seconds":300}}}}"#,
    ),
    (
        1,
        "version = 1\n[roles]\na = {}\n[routes]\n\"GET /\" = \"a\"\n\"ANY /{x}\" = { allow = \"a\", deny_as = \"not_found\" }\n",
    ),
];

const SPLICES: [&str; 22] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "/",
    "{x}",
    "{*w}",
    "GET ",
    "ANY ",
    "a",
    "b",
    "public",
    "nobody",
    "\\u0000",
    "&a *a",
    "1e999",
    "- ",
    "%2F",
    "not_found",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let judge = |bytes: &[u8]| {
        policy_document(bytes).map_err(|finding| format!("{finding}\n{}", String::from_utf8_lossy(bytes)))
    };
    let kept = corpus("policy_documents")?;
    let loaded = kept.iter().map(|(_, bytes)| judge(bytes)).collect::<Result<Vec<_>, _>>()?;
    let loaded = loaded.into_iter().filter(|loaded| *loaded).count();
    println!("corpus of {} documents, {loaded} of which loaded and agree with the naive interpreter", kept.len());
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<u64>().ok());
    let (seconds, mut state) = (numbers.next().unwrap_or(60), numbers.next().unwrap_or(1));
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let (begun, mut documents, mut policies) = (Instant::now(), 0_u64, 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let (format, seed) = SEEDS[below(SEEDS.len())];
        let mut bytes = [&[if below(8) == 0 { 2 } else { format }], seed.as_bytes()].concat();
        for _ in 0..below(4) {
            let at = 1 + below(bytes.len() - 1);
            let end = (at + below(4)).min(bytes.len());
            let splice = SPLICES[below(SPLICES.len())].repeat(if below(64) == 0 { 500 } else { 1 });
            bytes.splice(at..end, splice.bytes());
        }
        documents += 1;
        policies += u64::from(judge(&bytes)?);
    }
    println!("{documents} documents, {policies} of which loaded and agree with the naive interpreter");
    Ok(())
}
