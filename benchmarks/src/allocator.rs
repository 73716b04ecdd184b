//! Counts allocations and the peak of live bytes, when asked to.
//!
//! Owns the process's allocator; must not know what is measured. While nobody counts, an allocation costs one relaxed
//! load more than the system's, for every contender alike.
#![expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; every call is passed on unchanged"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

static COUNTING: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// The system allocator with counters.
#[derive(Debug)]
pub struct Counting;

/// What was allocated while counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Calls that returned memory: allocations and reallocations.
    pub calls: u64,
    /// The most bytes that were live at once, above what was live at the start.
    pub peak: u64,
}

/// Starts counting from zero.
pub fn start() {
    CALLS.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Stops counting and returns what was counted since [`start`].
pub fn stop() -> Allocated {
    COUNTING.store(false, Relaxed);
    Allocated {
        calls: CALLS.load(Relaxed),
        peak: u64::try_from(PEAK.load(Relaxed)).unwrap_or(0),
    }
}

fn grew(bytes: usize) {
    if COUNTING.load(Relaxed) {
        CALLS.fetch_add(1, Relaxed);
        change(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

fn shrank(bytes: usize) {
    if COUNTING.load(Relaxed) {
        change(-i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

fn change(by: i64) {
    let live = LIVE.fetch_add(by, Relaxed) + by;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every method passes its arguments to `System` unchanged and returns its result, so `System` keeps the
// contract of `GlobalAlloc` for us; the counters are atomics and allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrank(layout.size());
        // SAFETY: `pointer` came from `System` through this allocator, with this layout, says the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        shrank(layout.size());
        grew(size);
        // SAFETY: as for `dealloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
