//! A model of `src/role/memo.rs`: the file itself, with loom's atomics, and two words for a set.
#![cfg(test)]

#[path = "../../src/role/memo.rs"]
mod memo;

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

use loom::{sync::Arc, thread};
use memo::Memo;

const INLINE: usize = 2;

/// Every interleaving in which the threads are interrupted at most three times (loom: `LOOM_MAX_PREEMPTIONS`).
fn exhaustively(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(model);
}

/// Loads the set of `revision`, which must be whole.
fn read(memo: &Memo, revision: u32) -> bool {
    let mut words = [0; INLINE];
    let loaded = memo.load(revision, &mut words);
    let expected = if loaded { u64::from(revision) } else { 0 };
    assert_eq!(words, [expected; INLINE]);
    loaded
}

fn write(memo: &Memo, revision: u32) {
    memo.store(revision, &[u64::from(revision); INLINE]);
}

#[test]
fn a_reader_sees_a_whole_set_of_its_own_policy_or_none_while_two_write() {
    exhaustively(|| {
        let memo = Arc::new(Memo::new());
        let writers = [1, 2].map(|revision| {
            let memo = Arc::clone(&memo);
            thread::spawn(move || write(&memo, revision))
        });
        read(&memo, 1);
        read(&memo, 2);
        for writer in writers {
            writer.join().unwrap();
        }
        assert!(read(&memo, 1) || read(&memo, 2), "both writers gave up");
    });
}

#[test]
fn a_reader_sees_a_whole_set_while_one_writes_over_another() {
    exhaustively(|| {
        let memo = Arc::new(Memo::new());
        write(&memo, 1);
        let writer = {
            let memo = Arc::clone(&memo);
            thread::spawn(move || {
                write(&memo, 2);
                write(&memo, 1);
            })
        };
        let reader = {
            let memo = Arc::clone(&memo);
            thread::spawn(move || read(&memo, 2))
        };
        read(&memo, 1);
        writer.join().unwrap();
        reader.join().unwrap();
        assert!(read(&memo, 1));
    });
}
