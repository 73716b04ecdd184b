//! What a search and an append take from the allocator at most. A binary of its own, because it brings an allocator that counts.
#![expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; every call is passed on unchanged"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use session_store::{
    Append, Durability, Message, Query, SearchQuery, Session, SessionId, SessionStore, ToolUse,
    Window,
};

/// Bytes that are held by all threads, and the most that were since that was asked for: a search has threads of its own.
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Calls and bytes that this thread has asked for.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// One test after the other, as what is held is counted for all threads.
static TURN: Mutex<()> = Mutex::new(());

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize) {
    // A thread that ends has nothing left to count.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    let _ = BYTES.try_with(|total| total.set(total.get() + bytes as u64));
}

fn change(by: isize) {
    let live = LIVE.fetch_add(by, Relaxed) + by;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every method passes its arguments to `System` unchanged and returns its result, so `System` keeps the contract;
// the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        change(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
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
        count(size);
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

#[test]
fn a_search_beside_a_journal_holds_the_journal_and_not_the_document() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
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

#[test]
fn a_window_beside_a_journal_holds_little_more_than_the_window() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let scratch = tempfile::tempdir().unwrap();
    let store = SessionStore::builder(scratch.path().join("sessions"))
        .durability(Durability::Process)
        .fold_from(u64::MAX)
        .open()
        .unwrap();
    let session = Session::new(SessionId::new("s").unwrap(), "/work");
    store.save(&session).unwrap();
    let mut writer = store.writer(&session.id).unwrap();
    let message = Message::assistant("a line of an answer\n".repeat(200));
    let append = Append::new().message(&message).unwrap();
    // The only one of its array, so that every window wants it.
    let tool = ToolUse::succeeded("first", "run", "in", "out");
    writer
        .append(&append.clone().tool_use(&tool).unwrap())
        .unwrap();
    while writer.unfolded() < 8 << 20 {
        writer.append(&append).unwrap();
    }
    drop(writer);
    for (keep, most) in [(0, MB), (20, 5 * MB), (200, 8 * MB)] {
        let window = Window::last(keep);
        let (tail, peak) = peak_of(|| store.load_tail(&session.id, window).unwrap());
        assert_eq!(tail.messages.len(), keep);
        assert_eq!(tail.tool_uses.len(), keep.min(1));
        println!("{peak} bytes at most for {keep} of a journal's elements");
        assert!(peak < most, "{keep}: {peak}");
    }
    let (row, peak) = peak_of(|| store.list(&Query::new()).unwrap().rows.remove(0));
    assert!(row.unfolded > 8 << 20 && peak < 2 * MB, "{peak}");
    // Reading all of it shows.
    let (_, peak) = peak_of(|| store.load(&session.id).unwrap());
    assert!(peak > 16 * MB, "{peak}");
}

/// Calls of the allocator, and the bytes asked for, while something is done.
fn asked(work: impl FnOnce()) -> (u64, u64) {
    let before = (CALLS.get(), BYTES.get());
    work();
    (CALLS.get() - before.0, BYTES.get() - before.1)
}

/// What `fit` and the journal need of an append is a few copies of what is new: nothing of what the session has already.
#[test]
fn an_append_asks_for_little_more_than_it_brings_whatever_the_session_holds() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut costs = Vec::new();
    for title in [10, 50_000] {
        let scratch = tempfile::tempdir().unwrap();
        let store = SessionStore::builder(scratch.path().join("sessions"))
            .durability(Durability::Process)
            .open()
            .unwrap();
        let mut session = Session::new(SessionId::new("s").unwrap(), "/work");
        session.title = Some("t".repeat(title));
        session.touch("2026-03-10T19:42:54.123456789Z".parse().unwrap());
        store.save(&session).unwrap();
        let mut writer = store.writer(&session.id).unwrap();
        let message = Message::assistant("a line of an answer\n".repeat(100));
        let append = || Append::new().message(&message).unwrap();
        // The first begins the journal, and the second finds the session pointed to.
        for _ in 0..3 {
            writer.append(&append()).unwrap();
        }
        let ready = append();
        costs.push(asked(|| {
            writer.append(&ready).unwrap();
        }));
        let (calls, bytes) = asked(|| drop(append()));
        assert!(calls <= 8, "{calls} allocations to spell a message");
        assert!(bytes <= 32 << 10, "{bytes} bytes to spell a message");
    }
    let [(calls, bytes), large] = costs[..] else {
        panic!("two sessions")
    };
    assert_eq!((calls, bytes), large);
    assert!(calls <= 32, "{calls} allocations for an append");
    assert!(bytes <= 5 * 2_400, "{bytes} bytes for an append of 2 KB");
}
