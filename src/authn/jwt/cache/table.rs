//! A bounded table whose readers take no lock.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use papaya::HashMap;
use rapidhash::quality::RandomState;

/// What is found under texts, until a time.
///
/// When it is full, one of the writers makes room, and what the others bring meanwhile is not kept. What has expired
/// goes, then what was not used since room was made the last time, then whatever comes first.
pub(super) struct Table<V> {
    map: HashMap<Box<[u8]>, Entry<V>, RandomState>,
    capacity: usize,
    making_room: AtomicBool,
}

struct Entry<V> {
    value: V,
    until: SystemTime,
    used: AtomicBool,
}

impl<V> Table<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { map: HashMap::with_hasher(RandomState::new()), capacity, making_room: AtomicBool::new(false) }
    }

    /// What `read` makes of what is under `key`, if its time is not over.
    #[inline]
    pub(super) fn read<R>(&self, key: &[u8], now: SystemTime, read: impl FnOnce(&V) -> Option<R>) -> Option<R> {
        let map = self.map.pin();
        let entry = map.get(key).filter(|entry| now < entry.until)?;
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        read(&entry.value)
    }

    pub(super) fn insert(&self, key: &[u8], value: V, until: SystemTime, now: SystemTime) {
        if until <= now || self.map.len() >= self.capacity && !self.make_room(now) {
            return;
        }
        self.map.pin().insert(key.into(), Entry { value, until, used: AtomicBool::new(false) });
    }

    pub(super) fn remove(&self, key: &[u8]) {
        self.map.pin().remove(key);
    }

    /// Leaves a quarter free, so that room is made for many at a time. False if another writer is at it, or if there
    /// is none to make.
    fn make_room(&self, now: SystemTime) -> bool {
        if self.capacity == 0 || self.making_room.swap(true, Ordering::Acquire) {
            return false;
        }
        let map = self.map.pin();
        map.retain(|_, entry| now < entry.until && entry.used.swap(false, Ordering::Relaxed));
        let excess = map.len().saturating_sub(self.capacity - self.capacity.div_ceil(4));
        for key in map.keys().take(excess) {
            map.remove(key);
        }
        self.making_room.store(false, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn after(seconds: u64) -> SystemTime {
        START + Duration::from_secs(seconds)
    }

    fn has(table: &Table<u32>, key: u32, now: SystemTime) -> bool {
        table.read(&key.to_be_bytes(), now, |value| Some(*value)).map(|value| assert_eq!(value, key)).is_some()
    }

    fn fill(table: &Table<u32>, keys: impl IntoIterator<Item = u32>, now: SystemTime) {
        for key in keys {
            table.insert(&key.to_be_bytes(), key, now + Duration::from_secs(100), now);
        }
    }

    #[test]
    fn a_table_never_holds_more_than_its_capacity() {
        for capacity in [0, 1, 2, 3, 100] {
            let table = Table::new(capacity);
            for key in 0..1_000 {
                fill(&table, [key], START);
                assert!(table.map.len() <= capacity, "{capacity}");
                assert_eq!(has(&table, key, START), capacity > 0, "the last one stays");
            }
        }
    }

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let table = Table::new(100);
        fill(&table, 0..10, START);
        for round in 0..50 {
            for key in 0..10 {
                assert!(has(&table, key, START), "{key} in round {round}");
            }
            fill(&table, 1_000 + round * 20..1_020 + round * 20, START);
        }
    }

    #[test]
    fn entries_end_with_their_time_and_make_room_first() {
        let table = Table::new(4);
        table.insert(b"late", 1, after(10), START);
        table.insert(b"over", 2, START, START);
        assert!(table.read(b"late", after(9), |_| Some(())).is_some());
        assert!(table.read(b"late", after(10), |_| Some(())).is_none());
        assert!(table.read(b"over", START, |_| Some(())).is_none());
        fill(&table, 1..4, after(1));
        assert!(table.read(b"late", after(2), |_| Some(())).is_some(), "used, but over at the next insertion");
        fill(&table, 4..5, after(11));
        assert!(table.map.len() < 4);
    }

    #[test]
    fn what_is_removed_is_gone_and_nothing_else() {
        let table = Table::new(4);
        fill(&table, 0..2, START);
        table.remove(&0_u32.to_be_bytes());
        assert_eq!([0, 1].map(|key| has(&table, key, START)), [false, true]);
    }

    /// Room is made for a quarter at a time, and what was used since the last time is not touched for it.
    #[test]
    fn making_room_leaves_what_was_used_up_to_three_quarters() {
        for (capacity, used, left) in [(100, 75, 75), (100, 100, 75), (100, 10, 10), (7, 7, 5), (1, 1, 0)] {
            let table = Table::new(capacity);
            fill(&table, 0..u32::try_from(capacity).unwrap(), START);
            assert!((0..used).all(|key| has(&table, key, START)));
            assert!(table.make_room(START));
            assert_eq!(table.map.len(), left, "{used} of {capacity} were used");
        }
        assert!(!Table::<u32>::new(0).make_room(START), "where nothing may be kept");
    }

    #[test]
    fn making_room_takes_what_ends_now() {
        let table = Table::new(8);
        for (key, until) in [(0, 9), (1, 10), (2, 11)] {
            table.insert(&u32::to_be_bytes(key), key, after(until), START);
            assert!(has(&table, key, START), "so that all were used");
        }
        assert!(table.make_room(after(10)));
        assert_eq!([0, 1, 2].map(|key| has(&table, key, START)), [false, false, true]);
    }

    #[test]
    fn one_writer_makes_room_at_a_time() {
        let table = Table::new(1);
        fill(&table, [0], START);
        table.making_room.store(true, Ordering::Relaxed);
        fill(&table, [1], START);
        assert_eq!([0, 1].map(|key| has(&table, key, START)), [true, false], "what the others bring is not kept");
        table.making_room.store(false, Ordering::Relaxed);
        fill(&table, [2], START);
        assert_eq!([0, 2].map(|key| has(&table, key, START)), [false, true]);
    }

    #[test]
    fn many_threads_keep_to_the_bound() {
        let table = &Table::new(64);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for key in 0..5_000 {
                        fill(table, [thread * 10_000 + key], START);
                        has(table, key, START);
                    }
                });
            }
        });
        assert!(table.map.len() <= 64 + 4);
    }
}
