//! Everything that was measured, and how one finds something in it.

use crate::{
    case::{Case, Group},
    compiling::Compiled,
    contender::{Contender, Kind},
    loopback::Answered,
    rounds::Measured,
    threads::Scaling,
};

pub struct Results {
    pub contenders: Vec<Contender>,
    /// Nobody listens to events.
    pub quiet: Vec<Measured>,
    /// Denials, while a subscriber writes events as JSON to nowhere.
    pub heard: Vec<Measured>,
    pub scaling: Vec<Scaling>,
    pub compiled: Vec<Compiled>,
    pub loopback: Vec<Answered>,
    pub rounds: usize,
}

/// What one contender took for one case, beside what the floor took and the optimum.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub contender: &'a Contender,
    pub measured: &'a Measured,
    floor: &'a Measured,
    optimum: Option<&'a Measured>,
}

impl<'a> Row<'a> {
    /// Nanoseconds above the floor.
    pub fn above(&self) -> f64 {
        self.measured.best() - self.floor.best()
    }

    pub fn allocations(&self) -> f64 {
        self.measured.allocations - self.floor.allocations
    }

    pub fn bytes(&self) -> f64 {
        self.measured.bytes - self.floor.bytes
    }

    pub fn instructions(&self) -> Option<f64> {
        Some(self.measured.instructions? - self.floor.instructions?)
    }

    fn optimum(&self) -> Option<Row<'a>> {
        Some(Row { measured: self.optimum?, ..*self })
    }

    /// What `number` is above the floor, as a multiple of the optimum's; nothing where that is none, or noise.
    pub fn times_the_optimum(&self, number: impl Fn(Self) -> Option<f64>) -> Option<f64> {
        let least = number(self.optimum()?)?;
        (least >= 1.0).then_some(number(*self)? / least)
    }
}

impl Results {
    /// The rows of one table, in the order of the contenders.
    pub fn rows(&self, group: Group, case: Case) -> Vec<Row<'_>> {
        self.rows_of(&self.quiet, group, case)
    }

    pub fn rows_of<'a>(&'a self, measured: &'a [Measured], group: Group, case: Case) -> Vec<Row<'a>> {
        let inside = |measured: &&Measured| self.contenders[measured.contender].group == group && measured.case == case;
        let all: Vec<&Measured> = measured.iter().filter(inside).collect();
        let named = |wanted: fn(&Contender) -> bool| {
            all.iter().copied().find(|measured| wanted(&self.contenders[measured.contender]))
        };
        let Some(floor) = named(|contender| contender.kind == Kind::Floor) else { return Vec::new() };
        let optimum = named(|contender| contender.kind == Kind::Optimum);
        let row =
            |measured: &&'a Measured| Row { contender: &self.contenders[measured.contender], measured, floor, optimum };
        all.iter().map(row).collect()
    }

    pub fn row(&self, group: Group, name: &str, case: Case) -> Option<Row<'_>> {
        self.rows(group, case).into_iter().find(|row| row.contender.name == name)
    }
}
