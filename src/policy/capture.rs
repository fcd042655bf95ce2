//! Where the parameters of a key are in a path.

use std::{borrow::Cow, ops::Range};

use percent_encoding::percent_decode;

use super::pattern::Pattern;

/// Whether an empty segment inside a path satisfies `{x}`: routers disagree (matchit 0.8 says yes, 0.9 no).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptySegment {
    Matches,
    Fails,
    /// It does inside, and the last segment is one: axum's `nest_service("/{x}", …)` serves `//`, too.
    IsLast,
}

/// Parameters that are captured without allocating.
const INLINE: usize = 4;

/// The places in a path of the parameters of a route, from left to right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Captures {
    inline: [(u32, u32); INLINE],
    len: usize,
    spilled: Vec<(u32, u32)>,
}

impl Captures {
    /// The place of the parameter with this index.
    pub(crate) fn get(&self, index: usize) -> Option<Range<usize>> {
        if index >= self.len {
            return None;
        }
        let (start, end) = self.inline.get(index).or_else(|| self.spilled.get(index - INLINE)).copied()?;
        Some(start as usize..end as usize)
    }

    pub(crate) fn push(&mut self, start: usize, end: usize) {
        let place = (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX));
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = place,
            None => self.spilled.push(place),
        }
        self.len += 1;
    }
}

/// The parameters of a route in one reading of the path. They are looked for when something asks for one, which few
/// rules do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'a> {
    /// The key and how it matches; nothing where there is no path.
    matched: Option<(&'a Pattern, EmptySegment)>,
    reading: &'a [u8],
}

impl<'a> Params<'a> {
    pub(crate) const NONE: Self = Self { matched: None, reading: &[] };

    pub(crate) fn new(pattern: &'a Pattern, empty: EmptySegment, reading: &'a [u8]) -> Self {
        Self { matched: Some((pattern, empty)), reading }
    }

    /// The reading in which they are.
    pub(crate) fn reading(&self) -> &'a [u8] {
        self.reading
    }

    /// The value of a parameter, percent-decoded once, if it is UTF-8.
    pub(crate) fn get(&self, index: usize) -> Option<Cow<'a, str>> {
        let (pattern, empty) = self.matched?;
        let place = pattern.captures_as_spelled(self.reading, empty)?.get(index)?;
        match Cow::from(percent_decode(self.reading.get(place)?)) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }
}
