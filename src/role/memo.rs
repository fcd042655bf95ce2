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

    #[inline]
    pub(super) fn load(&self, revision: u32, words: &mut [u64]) -> bool {
        let before = self.state.load(Ordering::Acquire);
        if before >> 32 != u64::from(revision) || before & 1 == 1 || words.len() > INLINE {
            return false;
        }
        for (word, memo) in words.iter_mut().zip(&self.words) {
            *word = memo.load(Ordering::Relaxed);
        }
        fence(Ordering::Acquire);
        let consistent = self.state.load(Ordering::Relaxed) == before;
        if !consistent {
            words.fill(0);
        }
        consistent
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

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}
