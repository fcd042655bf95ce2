//! Which rules a request must satisfy: those that every reading of its path selects.

use std::borrow::Cow;

use http::Method;

use super::{
    capture::{EmptySegment, Params},
    compiled::{Compiled, Route, Rule},
};
use crate::{
    path::{
        Readings, Rejected, StartPaths, Tolerance, is_clean, same_but_encoded_slashes, same_but_trailing_slashes,
        with_capital_escapes,
    },
    target::Target,
};

/// What one reading of the path selects.
#[derive(Debug)]
pub(crate) enum Selection<'a> {
    /// No key matches.
    Unlisted,
    /// A route, its rule for the method of the request if it lists that, and how its key matches which reading.
    Listed { route: &'a Route, rule: Option<&'a Rule>, empty: EmptySegment, reading: Reading },
}

/// The place of a reading: the readings of the path as it stands come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading(usize);

/// The index of a route, and what was thought of empty segments when it was selected.
type Hit = (usize, EmptySegment);

/// Everything that the path of a request selects.
#[derive(Debug)]
pub(crate) struct Selections<'a> {
    readings: AllReadings<'a>,
    /// What the path as it stands selects: mostly that is all.
    first: Selection<'a>,
    more: Option<Box<More<'a>>>,
}

#[derive(Debug, Default)]
struct More<'a> {
    selections: Vec<Selection<'a>>,
    stale_match: bool,
}

/// Selects rules for `target`, or says why its path is rejected.
#[inline(always)]
pub(crate) fn select<'a>(
    policy: &'a Compiled,
    target: &Target<'a>,
    tolerance: Tolerance,
) -> Result<Selections<'a>, Rejected> {
    let path = target.path.as_bytes();
    let is_plain = target.is_whole()
        && !policy.lookup.wanted().trailing_slash
        && !policy.lookup.is_ambiguous(path, true)
        && is_clean(path);
    if is_plain {
        return Ok(Selections::plain(policy, target, target.path));
    }
    select_by_readings(policy, target, tolerance)
}

#[inline(never)]
fn select_by_readings<'a>(
    policy: &'a Compiled,
    target: &Target<'a>,
    tolerance: Tolerance,
) -> Result<Selections<'a>, Rejected> {
    let readings = match AllReadings::of(policy, target, tolerance)? {
        AllReadings::One(path) if !policy.lookup.is_ambiguous(path.as_bytes(), true) => {
            return Ok(Selections::plain(policy, target, path));
        }
        readings => readings,
    };
    let mut search = Search { policy, method: target.method, readings: &readings, found: Vec::new() };
    search.run();
    let mut found = search.found.into_iter();
    let first = found.next().unwrap_or(Selection::Unlisted);
    let more = Some(Box::new(More { selections: found.collect(), stale_match: false }));
    Ok(Selections { readings, first, more }.with_matched(policy, target))
}

impl<'a> Selections<'a> {
    /// What a path selects that can be read in one way, and looked up in one way.
    #[inline(always)]
    fn plain(policy: &'a Compiled, target: &Target<'a>, path: &'a str) -> Self {
        let first = match policy.lookup.find(path.as_bytes(), EmptySegment::Matches) {
            None => Selection::Unlisted,
            Some(index) => listed(policy, target.method, Reading(0), (index, EmptySegment::Matches)),
        };
        Self { readings: AllReadings::One(path), first, more: None }.with_matched(policy, target)
    }

    /// Whether `holds` of everything that was selected.
    #[inline]
    pub(crate) fn all(&self, holds: impl Fn(&Selection<'a>) -> bool) -> bool {
        holds(&self.first) && self.more.as_ref().is_none_or(|more| more.selections.iter().all(holds))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Selection<'a>> {
        std::iter::once(&self.first).chain(self.more.iter().flat_map(|more| &more.selections))
    }

    /// The route that every reading selected, if it is one.
    #[inline]
    pub(crate) fn only_route(&self) -> Option<&'a Route> {
        let first = self.first.route()?;
        let is_first = |selection: &Selection<'a>| selection.route().is_some_and(|route| route.index == first.index);
        self.all(is_first).then_some(first)
    }

    /// The rule that the path as it stands selects.
    pub(crate) fn first_rule(&self) -> Option<&'a Rule> {
        self.first.rule()
    }

    /// The parameters of the route that was selected.
    pub(crate) fn params<'s>(&'s self, selection: &Selection<'s>) -> Params<'s> {
        match selection {
            Selection::Unlisted => Params::NONE,
            Selection::Listed { route, empty, reading, .. } => {
                Params::new(&route.key, *empty, self.readings.get(*reading))
            }
        }
    }

    /// Every reading of the path, in order.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (Reading, &[u8])> {
        self.readings.iter()
    }

    /// Whether a router says that it has matched a key which does not match the path.
    pub(crate) fn stale_match(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.stale_match)
    }

    /// With what a router has matched, which is one more reading if it is a key.
    #[inline]
    fn with_matched(self, policy: &'a Compiled, target: &Target<'_>) -> Self {
        match target.matched {
            Some(pattern) if !self.selects_only(pattern) => self.with_another(policy, target.method, pattern),
            _ => self,
        }
    }

    #[inline(never)]
    fn with_another(mut self, policy: &'a Compiled, method: &Method, pattern: &str) -> Self {
        let Some(route) = policy.route_of(pattern).and_then(|index| policy.routes.get(index)) else {
            return self;
        };
        if self.selects_only(&route.pattern) {
            return self;
        }
        let empty = EmptySegment::Matches;
        let is_matched = |(reading, text): (Reading, &[u8])| route.key.captures(text, empty).map(|_| reading);
        let matches: Vec<_> = self.readings.iter().filter_map(is_matched).collect();
        let rule = route.rule_for(policy, method);
        let more = self.more.get_or_insert_default();
        more.stale_match = matches.is_empty();
        more.selections.extend(matches.into_iter().map(|reading| Selection::Listed { route, rule, empty, reading }));
        self
    }

    /// Whether the key `pattern` is all that was selected: the usual case.
    #[inline]
    fn selects_only(&self, pattern: &str) -> bool {
        self.only_route().is_some_and(|only| *only.pattern == *pattern)
    }
}

/// The search for what the readings of a path select.
struct Search<'r, 'a> {
    policy: &'a Compiled,
    method: &'r Method,
    readings: &'r AllReadings<'a>,
    found: Vec<Selection<'a>>,
}

impl Search<'_, '_> {
    /// Every reading selects. What the bare path selects binds, too, but nobody need have listed it.
    fn run(&mut self) {
        let mut unlisted = Vec::new();
        for reading in self.readings.whole() {
            if !self.add(reading) {
                unlisted.push(reading);
            }
        }
        if unlisted.iter().any(|reading| !self.is_exempt(*reading)) {
            self.found.push(Selection::Unlisted);
        }
        for reading in self.readings.bare() {
            self.add(reading);
        }
    }

    /// Adds what a reading selects, whatever is thought of empty segments; whether it selects anything.
    fn add(&mut self, reading: Reading) -> bool {
        let (policy, text) = (self.policy, self.readings.get(reading));
        let is_ambiguous = policy.lookup.is_ambiguous(text, self.readings.is_clean());
        let lenient = policy.lookup.find(text, EmptySegment::Matches);
        let others = if is_ambiguous { other_hits(policy, text, lenient) } else { [None; 2] };
        let hits = [lenient.map(|index| (index, EmptySegment::Matches))].into_iter().chain(others).flatten();
        let before = self.found.len();
        self.found.extend(hits.map(|hit| listed(policy, self.method, reading, hit)));
        self.found.len() > before
    }

    /// Whether an unlisted reading differs from a listed one only in what routers forgive, or the rule permits. What
    /// nests alone make of a path is no excuse for the path. Nobody need have listed what normalization makes of escapes.
    fn is_exempt(&self, unlisted: Reading) -> bool {
        let text = self.readings.get(unlisted);
        let is_small = |other| with_capital_escapes(self.readings.get(other)).is_some_and(|capital| capital == text);
        let is_normalized = self.policy.lookup.wanted().capital_escapes && self.readings.whole().any(is_small);
        is_normalized
            || self.found.iter().any(|selection| match selection {
                Selection::Unlisted => false,
                Selection::Listed { reading, .. } if self.readings.is_across_seam(*reading) => false,
                Selection::Listed { reading, .. } => {
                    let listed = self.readings.get(*reading);
                    same_but_trailing_slashes(listed, text)
                        || (self.allows_encoded_slash(*reading) && same_but_encoded_slashes(listed, text))
                }
            })
    }

    /// Whether every key that `wanted` selects, where both ways to look at it count, forgives encoded slashes.
    fn allows_encoded_slash(&self, wanted: Reading) -> bool {
        self.found.iter().all(|selection| match selection {
            Selection::Listed { route, reading, .. } if *reading == wanted => {
                route.allows_encoded_slash(self.policy, self.method)
            }
            _ => true,
        })
    }
}

/// The selection of a route and its rule for `method`.
#[inline]
fn listed<'a>(policy: &'a Compiled, method: &Method, reading: Reading, (index, empty): Hit) -> Selection<'a> {
    match policy.routes.get(index) {
        None => Selection::Unlisted,
        Some(route) => Selection::Listed { route, rule: route.rule_for(policy, method), empty, reading },
    }
}

/// The routes that `text` selects where empty segments are thought of otherwise.
#[cold]
fn other_hits(policy: &Compiled, text: &[u8], lenient: Option<usize>) -> [Option<Hit>; 2] {
    let strict = policy.lookup.find(text, EmptySegment::Fails).filter(|route| lenient != Some(*route));
    let nest = policy.lookup.find_nest(text);
    [strict.map(|route| (route, EmptySegment::Fails)), nest.map(|route| (route, EmptySegment::IsLast))]
}

impl<'a> Selection<'a> {
    /// The rule for the method of the request, where the route lists it.
    pub(crate) fn rule(&self) -> Option<&'a Rule> {
        match self {
            Self::Unlisted => None,
            Self::Listed { rule, .. } => *rule,
        }
    }

    #[inline]
    fn route(&self) -> Option<&'a Route> {
        match self {
            Self::Unlisted => None,
            Self::Listed { route, .. } => Some(route),
        }
    }
}

/// The readings of every path from which readings start.
#[derive(Debug)]
enum AllReadings<'a> {
    /// A clean path has one reading. This is what most requests have, so it is small.
    One(&'a str),
    Several(Box<Several<'a>>),
}

#[derive(Debug)]
struct Several<'a> {
    /// Of the path as it stands.
    current: Readings<'a>,
    /// Of the path that the outermost router saw, where that is another one.
    original: Option<Readings<'a>>,
    /// Of the path without the prefix of a nest, where a layer has rewritten it.
    bare: Option<Readings<'a>>,
}

impl<'a> AllReadings<'a> {
    fn of(policy: &Compiled, target: &Target<'a>, tolerance: Tolerance) -> Result<Self, Rejected> {
        let start = StartPaths::of(target.path, target.original, target.nested);
        if let StartPaths { current: Cow::Borrowed(path), original: None, .. } = start
            && !policy.lookup.wanted().trailing_slash
            && is_clean(path.as_bytes())
        {
            return Ok(Self::One(path));
        }
        Ok(Self::Several(Box::new(Several::of(policy, start, tolerance)?)))
    }

    /// How many whole paths there are.
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(several) => several.current.len() + several.original.as_ref().map_or(0, Readings::len),
        }
    }

    /// The readings of whole paths.
    fn whole(&self) -> impl Iterator<Item = Reading> + use<> {
        (0..self.len()).map(Reading)
    }

    fn bare(&self) -> impl Iterator<Item = Reading> + use<> {
        let bare = match self {
            Self::One(_) => 0,
            Self::Several(several) => several.bare.as_ref().map_or(0, Readings::len),
        };
        let begin = self.len();
        (begin..begin + bare).map(Reading)
    }

    /// Whether there is nothing to be read in two ways.
    fn is_clean(&self) -> bool {
        matches!(self, Self::One(_))
    }

    fn get(&self, reading: Reading) -> &[u8] {
        match self {
            Self::One(path) => path.as_bytes(),
            Self::Several(several) => {
                several.find(reading).and_then(|(readings, index)| readings.get(index)).unwrap_or_default()
            }
        }
    }

    /// Whether nests alone make this reading.
    fn is_across_seam(&self, reading: Reading) -> bool {
        match self {
            Self::One(_) => false,
            Self::Several(several) => {
                several.find(reading).is_some_and(|(readings, index)| readings.is_across_seam(index))
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Reading, &[u8])> {
        self.whole().chain(self.bare()).map(|reading| (reading, self.get(reading)))
    }
}

impl<'a> Several<'a> {
    fn of(policy: &Compiled, start: StartPaths<'a>, tolerance: Tolerance) -> Result<Self, Rejected> {
        let lookup = &policy.lookup;
        let read = |path: Cow<'a, str>| Readings::of(path, lookup.wanted(), tolerance);
        let StartPaths { current, original, bare } = start;
        let current = read(current)?.across_seams(lookup.depth())?;
        let Some(original) = original else { return Ok(Self { current, original: None, bare: None }) };
        let original = read(original.into())?;
        let is_normalized = current
            .get(0)
            .is_some_and(|current| original.iter().any(|reading| same_but_trailing_slashes(reading, current)));
        let original = original.across_seams(lookup.depth())?;
        let bare = bare.filter(|_| !is_normalized).map(|bare| read(bare.into())?.across_seams(lookup.depth()));
        Ok(Self { current, original: Some(original), bare: bare.transpose()? })
    }

    /// The readings of the path of which this is one, and its place among them.
    fn find(&self, Reading(mut index): Reading) -> Option<(&Readings<'a>, usize)> {
        for readings in std::iter::once(&self.current).chain(&self.original).chain(&self.bare) {
            if index < readings.len() {
                return Some((readings, index));
            }
            index -= readings.len();
        }
        None
    }
}
