//! When keys are fetched: a state machine that neither waits nor asks anybody.

use std::time::Duration;

use tokio::time::Instant;

/// Longer times are cut to this one, which no clock overflows at.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// How the times of refreshes are found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// The shortest and the longest time between two refreshes that went well.
    pub(super) refresh: (Duration, Duration),
    /// The longest time after the first refresh that failed, and after any.
    pub(super) back_off: (Duration, Duration),
    /// The shortest time between two refreshes that tokens ask for.
    pub(super) cool_down: Duration,
    /// How long keys count that cannot be refreshed, if not for ever.
    pub(super) max_stale: Option<Duration>,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing until then, unless a token asks.
    Wait(Instant),
    Refresh,
    /// The keys are too old.
    Withdraw,
}

/// What happens when a token asks for a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// One begins now.
    Begins,
    /// One is under way, that may have begun too early.
    Runs,
    /// None before its time.
    Later,
}

/// When keys are fetched. Everything is told the time, and how the dice fell: a number from 0 to below 1.
#[derive(Debug)]
pub(super) struct Schedule {
    timing: Timing,
    due: Instant,
    /// From then on a token may ask.
    cooled: Instant,
    /// A token has asked since the last refresh began.
    asked: bool,
    running: Option<Cause>,
    failures: u32,
    /// When the keys in force are too old; none as long as there are none, or if they never are.
    stale: Option<Instant>,
    has_keys: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Time,
    Token,
}

impl Schedule {
    /// Nothing was fetched yet, and it is time to.
    pub(super) fn new(timing: Timing, now: Instant) -> Self {
        Self { timing, due: now, cooled: now, asked: false, running: None, failures: 0, stale: None, has_keys: false }
    }

    /// When the next refresh begins, if nothing happens before.
    pub(super) fn next(&self) -> Instant {
        if self.asked { self.due.min(self.cooled) } else { self.due }
    }

    pub(super) fn step(&self, now: Instant) -> Step {
        if self.stale.is_some_and(|stale| stale <= now) {
            return Step::Withdraw;
        }
        let next = self.next();
        if next <= now { Step::Refresh } else { Step::Wait(self.stale.map_or(next, |stale| next.min(stale))) }
    }

    /// A token names a key that is not known.
    ///
    /// Without any keys there is nothing to be learned from it: those are tried for as often as the back-off allows.
    pub(super) fn ask(&mut self, now: Instant) -> Asked {
        if self.running.is_some() || self.due <= now {
            return Asked::Runs;
        }
        if !self.has_keys {
            return Asked::Later;
        }
        self.asked = true;
        if self.cooled <= now { Asked::Begins } else { Asked::Later }
    }

    pub(super) fn begin(&mut self, now: Instant) {
        let by_token = self.asked && self.cooled <= now && now < self.due;
        self.running = Some(if by_token { Cause::Token } else { Cause::Time });
        self.asked = false;
    }

    /// There are keys, which stay fresh for as long as the provider said.
    pub(super) fn succeed(&mut self, now: Instant, fresh: Option<Duration>, dice: f64) {
        let (least, most) = self.timing.refresh;
        let fresh = fresh.unwrap_or_default().min(most).max(least);
        // Services that share a cache would otherwise all come at the very moment when its entry expires.
        let late = (fresh / 10).mul_f64(dice).min(most.saturating_sub(fresh));
        self.failures = 0;
        self.has_keys = true;
        self.stale = self.timing.max_stale.map(|max| after(now, max));
        self.end(now, fresh + late);
    }

    /// There were no keys to be had; those in force stay. Full jitter keeps services that failed together from coming
    /// back together.
    pub(super) fn fail(&mut self, now: Instant, dice: f64) {
        let (first, most) = self.timing.back_off;
        let ceiling = first.saturating_mul(2_u32.saturating_pow(self.failures)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.end(now, ceiling.min(LONGEST).mul_f64(dice));
    }

    /// The keys in force were too old.
    pub(super) fn withdraw(&mut self) {
        self.stale = None;
        self.has_keys = false;
    }

    fn end(&mut self, now: Instant, wait: Duration) {
        self.due = after(now, wait);
        if self.running.take() == Some(Cause::Token) {
            self.cooled = after(now, self.timing.cool_down);
        }
    }
}

fn after(now: Instant, wait: Duration) -> Instant {
    now + wait.min(LONGEST)
}
