//! An allocator that counts, for each thread on its own, so that it costs next to nothing and is no point of contention.

#![expect(unsafe_code, reason = "the trait of allocators is unsafe; all calls go to the system's")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    static FREED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with counters.
pub struct Counting;

fn allocated(bytes: usize) {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    let _ = ALLOCATED.try_with(|sum| sum.set(sum.get() + bytes as u64));
}

fn freed(bytes: usize) {
    let _ = FREED.try_with(|sum| sum.set(sum.get() + bytes as u64));
}

// SAFETY: every call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated(size);
        freed(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        freed(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What this thread has allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    pub count: u64,
    pub bytes: u64,
    /// Bytes that are still held; what was freed on another thread counts as held.
    pub held: i64,
}

/// What `work` allocates on this thread.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let now = || (COUNT.get(), ALLOCATED.get(), FREED.get());
    let before = now();
    let done = work();
    let after = now();
    let (count, bytes) = (after.0 - before.0, after.1 - before.1);
    let held = bytes.cast_signed() - (after.2 - before.2).cast_signed();
    (done, Allocated { count, bytes, held })
}
