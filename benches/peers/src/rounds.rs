//! Interleaved rounds: everyone is asked in every round, so that what disturbs the machine disturbs them all alike.

use std::time::Duration;

use crate::{
    case::Case,
    contender::{Contender, Drive},
};

/// How long one contender is asked for one case in one round.
const SPELL: Duration = Duration::from_millis(2);
/// Batches before a spell is timed: whoever was asked before has left nothing of this code and its data in the caches
/// of the processor.
const WARMING: u32 = 4;
/// The requests that are made before the clock starts: few enough to stay in the caches of the processor.
const BATCH: usize = 32;
/// Requests whose allocations are counted.
const COUNTED: usize = 64;

/// What one contender took for one case.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Index among the contenders.
    pub contender: usize,
    pub case: Case,
    /// Nanoseconds a request, one a round, in ascending order.
    nanoseconds: Vec<f64>,
    pub allocations: f64,
    pub bytes: f64,
    /// Instructions a request, where they were counted.
    pub instructions: Option<f64>,
}

impl Measured {
    /// The best round: what the work takes when nothing disturbs it.
    pub fn best(&self) -> f64 {
        self.nanoseconds.first().copied().unwrap_or(f64::NAN)
    }

    pub fn median(&self) -> f64 {
        self.nanoseconds.get(self.nanoseconds.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// A contender that is ready to be asked for one case.
pub struct Runner {
    contender: usize,
    case: Case,
    driver: Box<dyn Drive>,
    batch: usize,
    batches: u32,
}

/// Everyone, built, asked once, and warmed up.
///
/// # Panics
///
/// Someone answers otherwise than is declared.
pub fn ready(contenders: &[Contender], wanted: impl Fn(&Contender, Case) -> bool) -> Vec<Runner> {
    let mut runners = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let cases: Vec<_> = contender.cases().filter(|case| wanted(contender, *case)).collect();
        if cases.is_empty() {
            continue;
        }
        let mut driver = contender.build();
        for case in cases {
            let (status, expected) = (driver.status(case), contender.status(case));
            assert_eq!(status, expected, "{}, {}, {}", contender.group.name(), contender.name, case.name());
            runners.push(Runner::new(index, case, driver.fork()));
        }
    }
    runners
}

impl Runner {
    fn new(contender: usize, case: Case, mut driver: Box<dyn Drive>) -> Self {
        let first = driver.batch(case, 2) / 2;
        let batch = if first * 32 > SPELL * 2 { 1 } else { BATCH };
        driver.batch(case, batch);
        let once = driver.batch(case, batch).max(Duration::from_nanos(1));
        let batches = u32::try_from(SPELL.as_nanos() / once.as_nanos()).unwrap_or(1).max(1);
        Self { contender, case, driver, batch, batches }
    }

    /// Nanoseconds a request.
    fn spell(&mut self) -> f64 {
        for _ in 0..WARMING.min(self.batches - 1) {
            self.driver.batch(self.case, self.batch);
        }
        let spent: Duration = (0..self.batches).map(|_| self.driver.batch(self.case, self.batch)).sum();
        let requests = f64::from(self.batches) * f64::from(u32::try_from(self.batch).unwrap_or(u32::MAX));
        spent.as_secs_f64() * 1e9 / requests
    }

    fn allocations(&mut self) -> (f64, f64) {
        let counted = if self.batch == 1 { 4 } else { COUNTED };
        let allocated = self.driver.allocations(self.case, counted);
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        (allocated.count as f64 / counted as f64, allocated.bytes as f64 / counted as f64)
    }
}

/// Asks everyone, so many times in turn; every other round goes backwards.
pub fn run(mut runners: Vec<Runner>, rounds: usize) -> Vec<Measured> {
    let mut nanoseconds = vec![Vec::with_capacity(rounds); runners.len()];
    for round in 0..rounds {
        let forwards = 0..runners.len();
        let order: Vec<usize> = if round % 2 == 0 { forwards.collect() } else { forwards.rev().collect() };
        for index in order {
            nanoseconds[index].push(runners[index].spell());
        }
    }
    let measured = runners.iter_mut().zip(nanoseconds).map(|(runner, mut nanoseconds)| {
        nanoseconds.sort_by(f64::total_cmp);
        let (allocations, bytes) = runner.allocations();
        let (contender, case) = (runner.contender, runner.case);
        Measured { contender, case, nanoseconds, allocations, bytes, instructions: None }
    });
    measured.collect()
}
