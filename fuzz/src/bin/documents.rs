//! Loads the documents that are kept, and then splices policies at random for some time, without cargo-fuzz.
//!
//! `cargo run --release --no-default-features --bin documents -- [SECONDS] [SEED]`

use std::{
    fmt,
    process::{ExitCode, exit},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tower_authz_fuzz::{Loaded, corpus, memory::Counting, policy_document};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Policies that say everything there is to say, in every format.
const SEEDS: [(u8, &str); 5] = [
    (0, include_str!("../../../examples/policy.json")),
    (
        0,
        r#"{"version":1,"realm":"r","roles":{"a":{"inherits":["b"],"permissions":["p:q"]},"b":{},"c":{}},"exclusive_roles":[["a","c"]],"routes":{"GET /":"public","ANY /{x}":"a","GET,POST /a/{x}":[{"all_of":["b"],"none_of":["c"],"claims":{"sub":"{x}"}},"p:q"],"DELETE /a/{*w}":{"allow":{"any_of":["a","b"],"networks":["10.0.0.0/8"],"until":"2030-01-01T00:00:00Z"},"deny_as":"not_found","shadow":"nobody","encoded_slash":true},"PUT /b/":{"check":"open","step_up":{"acr":["mfa"],"max_age_seconds":300}}}}"#,
    ),
    (
        1,
        "version = 1\n[roles]\na = {}\n[routes]\n\"GET /\" = \"a\"\n\"ANY /{x}\" = { allow = \"a\", deny_as = \"not_found\" }\n",
    ),
    (
        1,
        "version = 1\n\n[roles.a]\ninherits = ['b']\npermissions = [\"p:q\"]\n[roles.b]\n[routes]\n\"GET /\" = { public = 'why' }\n\"POST /a/{x}\" = { all_of = [\"a\"], claims = { sub = \"{x}\", plan = [\"pro\", 7] } }\n[routes.\"DELETE /a/{*w}\"]\nallow = [\"p:q\", { check = \"open\", networks = ['10.0.0.0/8'] }]\ndeny_as = \"not_found\"\n",
    ),
    (
        2,
        "version: 1\nroles:\n  a: { inherits: [b] }\n  b:\n    permissions: ['p:q']\nroutes:\n  GET /: public\n  GET,POST /a/{x}:\n    - all_of: [a]\n      claims: { sub: '{x}', plan: [pro, 7, true] }\n    - p:q\n  \"ANY /{*w}\":\n    allow: { any_of: [a, b], until: '2030-01-01T00:00:00Z' }\n    message: >\n      ask\n      the owner\n",
    ),
];

/// A document that is not loaded by then never will be.
const HANGS: Duration = Duration::from_secs(60);

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
    let watched = watch();
    let judge = |bytes: &[u8]| {
        *watched.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), bytes.to_vec()));
        policy_document(bytes).map_err(|finding| format!("{finding}\n{}", String::from_utf8_lossy(bytes)))
    };
    let (kept, mut tally) = (corpus("policy_documents")?, Tally::default());
    for (_, bytes) in &kept {
        tally.add(bytes, judge(bytes)?);
    }
    println!("corpus: {tally}");
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<u64>().ok());
    let (seconds, mut state) = (numbers.next().unwrap_or(60), numbers.next().unwrap_or(1));
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let (begun, mut tally) = (Instant::now(), Tally::default());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let (format, seed) = SEEDS[below(SEEDS.len())];
        let mut bytes = [&[if below(8) == 0 { 2 } else { format }], seed.as_bytes()].concat();
        for _ in 0..below(4) {
            let at = 1 + below(bytes.len() - 1);
            let end = (at + below(4)).min(bytes.len());
            let splice = SPLICES[below(SPLICES.len())].repeat(if below(64) == 0 { 500 } else { 1 });
            bytes.splice(at..end, splice.bytes());
        }
        tally.add(&bytes, judge(&bytes)?);
    }
    println!("spliced: {tally}");
    Ok(())
}

/// Since when which document is judged.
type Watched = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Ends the program where a document is judged for ever.
fn watch() -> Watched {
    let watched = Watched::default();
    let shared = Arc::clone(&watched);
    thread::spawn(move || {
        loop {
            thread::sleep(HANGS / 12);
            if let Some((since, bytes)) = &*shared.lock().unwrap_or_else(PoisonError::into_inner)
                && since.elapsed() > HANGS
            {
                println!("a document hangs:\n{}", String::from_utf8_lossy(bytes));
                exit(1);
            }
        }
    });
    watched
}

/// What was judged of each format: documents, policies, those that were compared, and requests for that.
#[derive(Default)]
struct Tally([[u64; 4]; 3]);

impl Tally {
    fn add(&mut self, bytes: &[u8], loaded: Loaded) {
        let format = usize::from(bytes.first().copied().unwrap_or_default() % 3);
        let [documents, policies, compared, requests] = &mut self.0[format];
        *documents += 1;
        *policies += u64::from(loaded != Loaded::Refused);
        if let Loaded::Agrees(asked) = loaded {
            *compared += 1;
            *requests += asked as u64;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, [documents, policies, compared, requests]) in ["JSON", "TOML", "YAML"].into_iter().zip(self.0) {
            write!(
                f,
                "\n  {documents} documents in {name}, {policies} of which loaded; {compared} of them agree with the naive interpreter on {requests} requests"
            )?;
        }
        Ok(())
    }
}
