//! What a search takes from the allocator at most. A binary of its own, because it brings an allocator that counts.
#![expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; every call is passed on unchanged"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use session_store::{Append, Durability, Message, SearchQuery, Session, SessionId, SessionStore};

/// Bytes that are held by all threads, and the most that were since that was asked for: a search has threads of its own.
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn change(by: isize) {
    let live = LIVE.fetch_add(by, Relaxed) + by;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every method passes its arguments to `System` unchanged and returns its result, so `System` keeps the contract;
// the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        change(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        change(layout.size().cast_signed());
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        change(-layout.size().cast_signed());
        // SAFETY: `pointer` came from `System` through this allocator, with this layout, says the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may both be there for a moment.
        change(size.cast_signed());
        change(-layout.size().cast_signed());
        // SAFETY: as for `dealloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Does something and says what was held at most, its result included.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, (PEAK.load(Relaxed) - before).unsigned_abs())
}

const MB: usize = 1 << 20;

/// The one test here, as others would be counted with it.
#[test]
fn a_search_beside_a_journal_holds_the_journal_and_not_the_document() {
    let scratch = tempfile::tempdir().unwrap();
    let store = SessionStore::builder(scratch.path().join("sessions"))
        .durability(Durability::Process)
        .threads(1)
        .open()
        .unwrap();
    let mut long = Session::new(SessionId::new("long").unwrap(), "/work");
    for n in 0..8_000 {
        let text = format!("message {n} {}", "of some words ".repeat(300));
        long.push(Message::assistant(text));
    }
    long.push(Message::user("the needle of the document"));
    store.save(&long).unwrap();
    let size = usize::try_from(std::fs::metadata(store.path(&long.id)).unwrap().len()).unwrap();
    assert!(size > 32 * MB);
    let append = Append::new()
        .message(&Message::user("the needle of the journal"))
        .unwrap();
    store.append(&long.id, &append).unwrap();
    let query = SearchQuery::text("needle");
    let (hits, peak) = peak_of(|| store.search(&query).unwrap().count());
    assert_eq!(hits, 2);
    println!("{peak} bytes at most beside a journal, for a document of {size}");
    assert!(peak < 8 * MB, "{peak}");
    // Holding it whole, once, shows: so would a search that does.
    let (whole, peak) = peak_of(|| std::fs::read(store.path(&long.id)).unwrap());
    assert!(peak >= size && whole.len() == size);
}
