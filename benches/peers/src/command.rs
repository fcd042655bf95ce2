//! What the program can be asked for.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    case::{Case, Group},
    compiling,
    contender::{Contender, Kind},
    contenders, instructions, loopback, plot,
    results::Results,
    rounds::{self, Measured},
    table, threads,
};

type Outcome = Result<ExitCode, Box<dyn Error>>;

/// Drives the same work through tower-authz and its peers. Without a subcommand: everything but instructions.
#[derive(Debug, Parser)]
pub struct Command {
    /// Rounds in which everyone is asked in turn.
    #[arg(long, global = true, default_value_t = 60)]
    rounds: usize,
    /// Only checks every answer, and runs everything once; writes nothing.
    #[arg(long)]
    quick: bool,
    /// Counts instructions, too; needs valgrind, and minutes.
    #[arg(long)]
    instructions: bool,
    /// Where the tables and the plot are written.
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    to: PathBuf,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Asks one contender for one case, so many times; for profilers.
    Only {
        /// `GROUP/NAME`, as the tables have it.
        contender: String,
        case: Case,
        #[arg(long, default_value_t = 100_000)]
        requests: usize,
    },
    /// Counts the instructions of the main cases, and compares them with the baselines.
    Instructions {
        /// Writes the baselines anew.
        #[arg(long)]
        update: bool,
    },
    /// Measures over a loopback socket.
    Loopback,
    /// Measures two threads against one.
    Threads,
    /// Measures how long policies take to compile, and the memory that they keep.
    Compile,
}

impl Command {
    /// Does what is asked for.
    ///
    /// # Errors
    ///
    /// A file cannot be written, a socket fails, or valgrind cannot be run.
    pub fn run(self) -> Outcome {
        let mut results = Results::new(contenders::all(), if self.quick { 1 } else { self.rounds });
        match &self.part {
            Some(Part::Only { contender, case, requests }) => {
                return only(&results.contenders, contender, *case, *requests);
            }
            Some(Part::Instructions { update }) => return compare(&results.contenders, *update),
            Some(Part::Loopback) => results.loopback = loopback::run(socket_rounds(results.rounds))?,
            Some(Part::Threads) => results.scaling = scaling(&results),
            Some(Part::Compile) => results.compiled = compiling::run(results.rounds.min(5)),
            None => return self.everything(results),
        }
        print!("{}", table::write(&results)?);
        Ok(ExitCode::SUCCESS)
    }

    fn everything(&self, mut results: Results) -> Outcome {
        let counts = if self.instructions { count(&results.contenders, |_, _| true)? } else { BTreeMap::new() };
        let every = rounds::ready(&results.contenders, |_, _| true);
        println!("{} passed, 0 failed", every.len());
        results.quiet = rounds::run(every, results.rounds);
        add_instructions(&mut results.quiet, &results.contenders, &counts);
        results.scaling = scaling(&results);
        results.compiled = compiling::run(results.rounds.min(5));
        results.loopback = loopback::run(socket_rounds(results.rounds))?;
        results.heard = heard(&results)?;
        if self.quick {
            return Ok(ExitCode::SUCCESS);
        }
        fs::create_dir_all(&self.to)?;
        fs::write(self.to.join("RESULTS.md"), table::write(&results)?)?;
        plot::draw(&results, &self.to.join("peers.svg"))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Results {
    fn new(contenders: Vec<Contender>, rounds: usize) -> Self {
        let (quiet, heard, scaling, compiled, loopback) = (vec![], vec![], vec![], vec![], vec![]);
        Self { contenders, quiet, heard, scaling, compiled, loopback, rounds }
    }
}

fn socket_rounds(rounds: usize) -> usize {
    rounds.div_ceil(3)
}

fn scaling(results: &Results) -> Vec<threads::Scaling> {
    let asked = |contender: &Contender| {
        !matches!(contender.group, Group::Sizes) && contender.cases().any(|case| case == Case::Allowed)
    };
    let wanted: Vec<_> = results.contenders.iter().enumerate().filter(|(_, contender)| asked(contender)).collect();
    let wanted: Vec<_> = wanted.into_iter().map(|(index, _)| index).collect();
    threads::run(&results.contenders, &wanted, results.rounds)
}

/// Denials while somebody listens. It comes last, since a listener cannot be taken away again.
fn heard(results: &Results) -> Result<Vec<Measured>, Box<dyn Error>> {
    let subscriber = tracing_subscriber::fmt().json().with_writer(std::io::sink).finish();
    tracing::subscriber::set_global_default(subscriber)?;
    let wanted =
        |contender: &Contender, case: Case| matches!(contender.group, Group::Service | Group::Router) && case.denies();
    let runners = rounds::ready(&results.contenders, wanted);
    Ok(rounds::run(runners, results.rounds))
}

fn add_instructions(measured: &mut [Measured], contenders: &[Contender], counts: &BTreeMap<String, f64>) {
    for measured in measured {
        measured.instructions = counts.get(&instructions::key(&contenders[measured.contender], measured.case)).copied();
    }
}

fn count(
    contenders: &[Contender],
    wanted: impl Fn(&Contender, Case) -> bool,
) -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let pairs = contenders.iter().flat_map(|contender| contender.cases().map(move |case| (contender, case)));
    let pairs: Vec<_> = pairs.filter(|(contender, case)| wanted(contender, *case)).collect();
    Ok(instructions::count(&pairs)?)
}

fn only(contenders: &[Contender], name: &str, case: Case, requests: usize) -> Outcome {
    let named = |contender: &&Contender| format!("{}/{}", contender.group.name(), contender.name) == name;
    let Some(contender) = contenders.iter().find(named) else {
        let names: Vec<_> =
            contenders.iter().map(|contender| format!("{}/{}", contender.group.name(), contender.name)).collect();
        return Err(format!("nobody is called `{name}`; there are:\n{}", names.join("\n")).into());
    };
    let mut driver = contender.build();
    // One at a time: pieces of many requests that are given back together keep the allocator busy, and how much depends
    // on what lay beside them.
    for _ in 0..requests {
        driver.batch(case, 1);
    }
    Ok(ExitCode::SUCCESS)
}

/// What CI keeps: the main counts of ours, and those of the floor, which is nothing of ours. Under callgrind, routers and
/// policies take their time to be built.
fn is_kept(contender: &Contender, case: Case) -> bool {
    let is_ours = contender.kind == Kind::Ours && !contender.name.contains("100,000");
    let is_main = match contender.group {
        Group::Sizes => case == Case::Allowed,
        _ => matches!(case, Case::Allowed | Case::Anonymous | Case::Forbidden),
    };
    (is_ours || contender.kind == Kind::Floor) && is_main
}

/// How far a count may be from its baseline.
const TOLERANCE: f64 = 0.03;
/// How far a count of the floor may be: where most are beyond that, another compiler, C library or processor counts, and
/// nothing can be compared.
const TOLERANCE_OF_THE_FLOOR: f64 = 0.01;

fn compare(contenders: &[Contender], update: bool) -> Outcome {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
    let counts = count(contenders, is_kept)?;
    if update {
        let rounded: BTreeMap<_, _> = counts.iter().map(|(key, count)| (key, count.round())).collect();
        fs::write(file, serde_json::to_string_pretty(&rounded)? + "\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let baselines: BTreeMap<String, f64> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let strays = |key: &str, count: f64, tolerance: f64| {
        baselines.get(key).is_none_or(|baseline| (count / baseline - 1.0).abs() > tolerance)
    };
    let floor = contenders.iter().filter(|contender| contender.kind == Kind::Floor);
    let floor = floor.flat_map(|contender| contender.cases().map(|case| instructions::key(contender, case)));
    let floor: Vec<_> = floor.filter_map(|key| Some((*counts.get(&key)?, key))).collect();
    let moved = floor.iter().filter(|(count, key)| strays(key, *count, TOLERANCE_OF_THE_FLOOR)).count();
    if moved * 2 > floor.len() {
        println!(
            "nothing is compared: {moved} of {} counts that are not ours differ from where the baselines were taken",
            floor.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let strays = |key: &str, count: f64| key.contains("tower-authz") && strays(key, count, TOLERANCE);
    let strayed: Vec<_> = counts.iter().filter(|(key, count)| strays(key, **count)).collect();
    for (key, count) in &strayed {
        let baseline = baselines.get(*key).map_or_else(|| "none".to_owned(), ToString::to_string);
        println!("{key}: {count:.0} instructions, the baseline is {baseline}");
    }
    println!("{} passed, {} failed", counts.len() - strayed.len(), strayed.len());
    Ok(if strayed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
