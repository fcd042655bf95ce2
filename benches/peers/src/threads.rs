//! Two threads against one: what a lock on the way of a request would cost.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{
    case::Case,
    contender::{Contender, Drive},
};

const SPELL: Duration = Duration::from_millis(5);
const BATCH: usize = 32;

/// How much longer a request takes when another thread asks, too.
#[derive(Clone, Debug)]
pub struct Scaling {
    pub contender: usize,
    pub one: f64,
    pub two: f64,
    /// The median of the ratios of all rounds.
    pub ratio: f64,
}

/// Asks everyone for the allowed case with one and with two threads in turn.
pub fn run(contenders: &[Contender], wanted: &[usize], rounds: usize) -> Vec<Scaling> {
    let mut all = Vec::new();
    for &index in wanted {
        all.push((index, contenders[index].build(), Vec::new(), Vec::new()));
    }
    for _ in 0..rounds {
        for (_, driver, one, two) in &mut all {
            one.push(spell(&mut [driver.fork()]));
            two.push(spell(&mut [driver.fork(), driver.fork()]));
        }
    }
    let scaling = all.into_iter().map(|(contender, _, one, two)| {
        let ratio = median(two.iter().zip(&one).map(|(two, one)| two / one).collect());
        Scaling { contender, one: median(one), two: median(two), ratio }
    });
    scaling.collect()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Nanoseconds a request on the thread that took longest.
fn spell(drivers: &mut [Box<dyn Drive>]) -> f64 {
    let barrier = Barrier::new(drivers.len());
    thread::scope(|scope| {
        let asking = drivers.iter_mut().map(|driver| scope.spawn(|| ask(driver.as_mut(), &barrier)));
        let threads: Vec<_> = asking.collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).fold(0.0, f64::max)
    })
}

/// Nanoseconds a request in the median batch, which has not been interrupted.
fn ask(driver: &mut dyn Drive, barrier: &Barrier) -> f64 {
    driver.batch(Case::Allowed, BATCH);
    barrier.wait();
    let (start, mut batches) = (Instant::now(), Vec::new());
    while start.elapsed() < SPELL {
        batches.push(driver.batch(Case::Allowed, BATCH).as_secs_f64() * 1e9 / 32.0);
    }
    median(batches)
}
