//! What is remembered of a principal. `tests/models` runs this file under every interleaving.

use std::fmt;

use super::{
    INLINE,
    atomics::{AtomicU64, Ordering, fence},
};

/// The bits of a principal for the policy revision it met last, shared by all clones without a lock.
///
/// A sequence lock: readers never wait and never see a half-written set; a writer that meets another gives up.
/// The state is the revision in the upper half, a counter that grows with every write in the lower, whose last
/// bit says that a write is under way.
pub(crate) struct Memo {
    state: AtomicU64,
    words: [AtomicU64; INLINE],
}

impl Memo {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// What `look` sees, if the bits are those for `revision` and nobody has written meanwhile.
    #[inline]
    pub(super) fn look<T>(&self, revision: u32, look: impl FnOnce(Remembered<'_>) -> T) -> Option<T> {
        let before = self.state.load(Ordering::Acquire);
        if before >> 32 != u64::from(revision) || before & 1 == 1 {
            return None;
        }
        let seen = look(Remembered(&self.words));
        fence(Ordering::Acquire);
        (self.state.load(Ordering::Relaxed) == before).then_some(seen)
    }

    #[inline]
    pub(super) fn load(&self, revision: u32, words: &mut [u64]) -> bool {
        let copy = |remembered: Remembered<'_>| {
            for (index, word) in words.iter_mut().enumerate() {
                *word = remembered.word(index);
            }
        };
        let is_consistent = self.look(revision, copy).is_some();
        if !is_consistent {
            words.fill(0);
        }
        is_consistent
    }

    pub(super) fn store(&self, revision: u32, words: &[u64]) {
        let before = self.state.load(Ordering::Relaxed);
        if before & 1 == 1 || words.len() > INLINE {
            return;
        }
        let busy = before | 1;
        if self.state.compare_exchange(before, busy, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return;
        }
        fence(Ordering::Release);
        for (memo, word) in self.words.iter().zip(words) {
            memo.store(*word, Ordering::Relaxed);
        }
        let count = (before & u64::from(u32::MAX)).wrapping_add(2) & u64::from(u32::MAX);
        self.state.store(u64::from(revision) << 32 | count, Ordering::Release);
    }
}

/// The bits while they are looked at. What is seen counts only if nobody has written meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Remembered<'a>(&'a [AtomicU64; INLINE]);

impl Remembered<'_> {
    #[inline]
    pub(super) fn word(self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}
