//! What a policy costs once: the time to compile it, and the memory that it keeps.

use std::{hint::black_box, time::Instant};

use tower_authz::Policy;

use crate::{counting, work::document};

/// One size of policy.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    pub rules: usize,
    pub text: usize,
    pub seconds: f64,
    pub bytes: i64,
}

/// Compiles policies of several sizes, each so many times; the fastest counts.
pub fn run(times: usize) -> Vec<Compiled> {
    [10, 1_000, 10_000, 100_000].map(|rules| compile(rules, times)).to_vec()
}

fn compile(rules: usize, times: usize) -> Compiled {
    let text = document(rules, 4);
    let once = || {
        let start = Instant::now();
        let (policy, allocated) = counting::measure(|| Policy::from_json_str(&text).expect("the policy is sound"));
        let seconds = start.elapsed().as_secs_f64();
        black_box(policy);
        (seconds, allocated.held)
    };
    let all = (0..times.max(1)).map(|_| once());
    let (seconds, bytes) = all.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or_default();
    Compiled { rules, text: text.len(), seconds, bytes }
}
