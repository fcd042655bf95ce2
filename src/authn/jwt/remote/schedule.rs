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
    ///
    /// A provider that asks to be left alone for a time is, whatever tokens name, but no longer than between two
    /// refreshes of which it would say nothing.
    pub(super) fn fail(&mut self, now: Instant, retry_after: Option<Duration>, dice: f64) {
        let (first, most) = self.timing.back_off;
        let ceiling = first.saturating_mul(2_u32.saturating_pow(self.failures)).min(most);
        self.failures = self.failures.saturating_add(1);
        let alone = retry_after.unwrap_or_default().min(self.timing.refresh.0);
        self.end(now, ceiling.min(LONGEST).mul_f64(dice).max(alone));
        self.cooled = self.cooled.max(after(now, alone));
    }

    /// Whether a refresh has begun and not ended.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn timing() -> Timing {
        Timing { refresh: (100 * MS, 1_000 * MS), back_off: (10 * MS, 80 * MS), cool_down: 50 * MS, max_stale: None }
    }

    /// A schedule that was told things, and the time that has passed for it.
    struct Told {
        schedule: Schedule,
        start: Instant,
        now: Instant,
    }

    impl Told {
        fn new(timing: Timing) -> Self {
            let start = Instant::now();
            Self { schedule: Schedule::new(timing, start), start, now: start }
        }

        fn after(mut self, ms: u32) -> Self {
            self.now += ms * MS;
            self
        }

        fn succeed(mut self, fresh: Option<Duration>, dice: f64) -> Self {
            assert_eq!(self.step(), None);
            self.schedule.begin(self.now);
            self.schedule.succeed(self.now, fresh, dice);
            self
        }

        fn fail(mut self, dice: f64) -> Self {
            assert_eq!(self.step(), None);
            self.schedule.begin(self.now);
            self.schedule.fail(self.now, None, dice);
            self
        }

        fn fail_for(mut self, ms: u32) -> Self {
            assert_eq!(self.step(), None);
            self.schedule.begin(self.now);
            self.schedule.fail(self.now, Some(ms * MS), 0.5);
            self
        }

        fn ask(mut self, expected: Asked) -> Self {
            assert_eq!(self.schedule.ask(self.now), expected, "after {:?}", self.now - self.start);
            self
        }

        /// How many milliseconds there are to wait; none where there is a refresh to make.
        fn step(&self) -> Option<u128> {
            match self.schedule.step(self.now) {
                Step::Refresh => None,
                Step::Wait(until) => Some((until - self.now).as_millis()),
                Step::Withdraw => panic!("too old"),
            }
        }
    }

    #[test]
    fn the_time_of_the_next_refresh_lies_within_bounds() {
        let rows = [
            (None, 0.0, 100),
            (None, 0.99, 109),
            (Some(0), 0.0, 100),
            (Some(50), 0.0, 100),
            (Some(500), 0.0, 500),
            (Some(500), 0.5, 525),
            (Some(980), 0.99, 1_000),
            (Some(2_000), 0.99, 1_000),
            (Some(u32::MAX), 0.99, 1_000),
        ];
        for (fresh, dice, expected) in rows {
            let told = Told::new(timing()).succeed(fresh.map(|ms| ms * MS), dice);
            assert_eq!(told.step(), Some(expected), "{fresh:?} {dice}");
        }
        let crossed = Timing { refresh: (100 * MS, 10 * MS), ..timing() };
        assert_eq!(Told::new(crossed).succeed(Some(50 * MS), 0.9).step(), Some(100), "the first bound counts");
        let endless =
            Timing { refresh: (Duration::MAX, Duration::MAX), back_off: (Duration::MAX, Duration::MAX), ..timing() };
        let year = 31_536_000_000;
        assert_eq!(Told::new(endless).succeed(None, 0.9).step(), Some(year), "times are cut to a year");
        assert!(Told::new(endless).fail(0.9).step() < Some(year));
    }

    #[test]
    fn failures_are_followed_by_random_times_that_double_up_to_a_limit() {
        let ceilings = [10, 20, 40, 80, 80, 80];
        let mut told = Told::new(timing());
        for ceiling in ceilings {
            told = told.fail(0.5);
            assert_eq!(told.step(), Some(ceiling / 2));
            told = told.after(u32::try_from(ceiling).unwrap() / 2);
        }
        let mut told = told.succeed(None, 0.0).after(100).fail(0.9);
        assert_eq!(told.step(), Some(9), "a success ends the row");
        for _ in 0..100 {
            told = told.after(80).fail(0.0);
        }
        assert_eq!(told.step(), None, "at once is one of the random times");
    }

    #[test]
    fn a_provider_that_asks_for_it_is_left_alone_within_bounds() {
        for (asked_for, expected) in [(0, 5), (3, 5), (60, 60), (100, 100), (u32::MAX, 100)] {
            assert_eq!(Told::new(timing()).fail_for(asked_for).step(), Some(expected), "{asked_for}");
        }
        let told = Told::new(timing()).succeed(Some(500 * MS), 0.0).after(100).ask(Asked::Begins).fail_for(70);
        assert_eq!(told.ask(Asked::Later).step(), Some(70), "tokens wait, too");
        let told = Told::new(timing()).succeed(Some(500 * MS), 0.0).after(100).ask(Asked::Begins).fail_for(20);
        assert_eq!(told.ask(Asked::Later).step(), Some(20), "and as long as they would have had to");
    }

    #[test]
    fn a_token_may_ask_once_in_a_cool_down_and_is_not_forgotten() {
        let told = Told::new(timing()).ask(Asked::Runs).succeed(None, 0.0);
        let told = told.after(1).ask(Asked::Begins).ask(Asked::Begins);
        assert_eq!(told.step(), None);
        let told = told.succeed(Some(500 * MS), 0.0);
        assert_eq!(told.step(), Some(500), "nobody asked since");
        let told = told.after(20).ask(Asked::Later).ask(Asked::Later);
        assert_eq!(told.step(), Some(30), "at the end of the cool-down");
        let told = told.after(30).ask(Asked::Begins).succeed(Some(500 * MS), 0.0);
        assert_eq!(told.step(), Some(500), "and a new one begins");
        let told = told.ask(Asked::Later).after(60).fail(0.5).ask(Asked::Later);
        assert_eq!(told.step(), Some(5), "a refresh that failed counts as well");
    }

    #[test]
    fn a_refresh_that_was_due_starts_no_cool_down() {
        let told = Told::new(timing()).succeed(None, 0.0).after(100).succeed(None, 0.0);
        assert_eq!(told.ask(Asked::Begins).step(), None);
        let told = Told::new(timing()).succeed(None, 0.0).after(100).ask(Asked::Runs).succeed(None, 0.0);
        assert_eq!(told.ask(Asked::Begins).step(), None, "nor does one that a token joins");
        let told = Told::new(timing()).succeed(None, 0.0).after(50).ask(Asked::Begins).succeed(Some(50 * MS), 0.0);
        let told = told.ask(Asked::Later).after(100).succeed(None, 0.0);
        assert_eq!(told.ask(Asked::Begins).step(), None, "nor one that was due when a token's turn had come");
    }

    #[test]
    fn a_token_waits_for_the_refresh_that_runs() {
        let mut told = Told::new(timing()).succeed(None, 0.0).after(100);
        told.schedule.begin(told.now);
        let mut told = told.after(5).ask(Asked::Runs).ask(Asked::Runs);
        told.schedule.succeed(told.now, None, 0.0);
        assert_eq!(told.step(), Some(100));
    }

    #[test]
    fn without_keys_tokens_speed_nothing_up() {
        let told = Told::new(timing()).fail(0.9).ask(Asked::Later);
        assert_eq!(told.step(), Some(9));
        let told = told.after(5).ask(Asked::Later);
        assert_eq!(told.step(), Some(4));
    }

    #[test]
    fn keys_grow_too_old_only_where_the_operator_says_so() {
        let limited = Timing { max_stale: Some(150 * MS), ..timing() };
        let told = Told::new(limited).succeed(None, 0.0).after(100).fail(0.99).after(49).fail(0.99);
        assert_eq!(told.step(), Some(1), "it is looked at in time");
        let mut told = told.after(1);
        assert_eq!(told.schedule.step(told.now), Step::Withdraw);
        told.schedule.withdraw();
        assert_eq!(told.step(), Some(18), "then it is tried for on");
        let told = told.ask(Asked::Later).after(19).succeed(None, 0.0).after(99);
        assert_eq!(told.step(), Some(1));

        let mut told = Told::new(timing()).succeed(None, 0.0).after(100);
        for _ in 0..1_000 {
            told = told.fail(0.99).after(80);
        }
        assert_eq!(told.step(), None, "never");
    }
}
