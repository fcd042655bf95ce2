//! What a principal remembers is never wrong, whoever asks at the same time.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{Claimed, Held, INLINE, Memo, NameId, NameKind, NameTable};

/// So many roles, which a name has a different bit in every table: `reversed` counts them from the end.
fn table(roles: u32, reversed: bool) -> NameTable {
    let name = |index: u32| (Arc::from(format!("role-{index}")), NameKind::Role);
    let indices: Vec<u32> = if reversed { (0..roles).rev().collect() } else { (0..roles).collect() };
    NameTable::new(indices.into_iter().map(name))
}

fn names(indices: impl Iterator<Item = u32>) -> Vec<Box<str>> {
    indices.map(|index| format!("role-{index}").into()).collect()
}

fn held(table: &NameTable, roles: &[Box<str>], memo: &Memo) -> Held {
    let mut held = Held::empty(table.words());
    table.resolve_claimed(Claimed { roles, permissions: &[], permission_limit: None }, memo, &mut held);
    held
}

fn resolve(table: &NameTable, roles: &[Box<str>], memo: &Memo) -> Vec<NameId> {
    let held = held(table, roles, memo);
    table.iter().map(|(id, ..)| id).filter(|id| held.contains(*id)).collect()
}

#[test]
fn policies_that_are_met_in_turn_by_many_threads_each_see_their_own_bits() {
    let full = u32::try_from(INLINE * 64).unwrap();
    // Every word differs between the tables, so that a mixture of two is seen.
    let tables = [table(full, false), table(full, true), table(70, false)];
    let roles = names((0..full).step_by(64).chain(0..40));
    let expected = tables.each_ref().map(|table| held(table, &roles, &Memo::new()));
    let memo = Memo::new();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (tables, roles, expected, memo) = (&tables, &roles, &expected, &memo);
            scope.spawn(move || {
                // Mostly reads, with a write now and then: where a reader does not ask who has written, one of them sees a mixture.
                for turn in 0..10_000 {
                    let table = (thread + turn / 16) % tables.len();
                    assert_eq!(held(&tables[table], roles, memo).words(), expected[table].words());
                }
            });
        }
    });
}

#[test]
fn what_was_remembered_is_found_again_and_a_table_too_large_for_it_is_resolved_each_time() {
    let most = u32::try_from(INLINE * 64).unwrap();
    for (roles, remembered) in [(1, true), (64, true), (65, true), (most, true), (most + 1, false)] {
        let (table, memo) = (table(roles, false), Memo::new());
        let claimed = names([0, roles - 1].into_iter());
        let expected = resolve(&table, &claimed, &memo);
        let mut words = vec![0; table.words()];
        assert_eq!(memo.load(table.revision, &mut words), remembered, "{roles} roles");
        let claims_nothing = if remembered { Vec::new() } else { claimed };
        assert_eq!(resolve(&table, &claims_nothing, &memo), expected, "{roles} roles");
    }
}

#[test]
fn a_set_is_never_loaded_while_another_writes_it() {
    let (memo, end) = (Memo::new(), Instant::now() + Duration::from_secs(1));
    let write = |(revision, bits): (u32, u64)| {
        while Instant::now() < end {
            memo.store(revision, &[bits; INLINE]);
            thread::yield_now();
        }
    };
    let read = |(revision, bits): (u32, u64)| {
        while Instant::now() < end {
            let mut words = [0; INLINE];
            let loaded = memo.load(revision, &mut words);
            assert_eq!(words, [if loaded { bits } else { 0 }; INLINE]);
        }
    };
    let (read, write) = (&read, &write);
    thread::scope(|scope| {
        for pattern in [(1, 0x1111_1111_1111_1111), (2, 0x2222_2222_2222_2222)] {
            scope.spawn(move || read(pattern));
            scope.spawn(move || write(pattern));
        }
    });
}
