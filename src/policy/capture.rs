//! Where the parameters of a key are in a path.

use std::ops::Range;

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

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Forgets all but the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        for slot in self.inline.iter_mut().take(self.len).skip(len) {
            *slot = (0, 0);
        }
        self.spilled.truncate(len.saturating_sub(INLINE));
        self.len = self.len.min(len);
    }
}
