//! Several threads give the same answers, hold few files and pass panics on.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use session_scan::testing::{Counting, CountingFile, MemoryCorpus, MemoryFile};
use session_scan::{Entry, Look, Newest, Probe};

use crate::store::{
    Hit, Records, Says, Store, corpus, entries, look, naive, naive_unreadable, walked,
};

/// Thousands of files in which every kind occurs, many in one tick, some updated long before their mtime.
fn large_store() -> Store {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    (0..5_000)
        .map(|_| {
            let modified = i128::from(random(900));
            let says = match random(40) {
                0..3 => Says::Hit(modified - i128::from(random(300))),
                3 => Says::Hit(modified + 50),
                4 => Says::Garbage,
                5 => Says::Gone,
                6 => Says::Denied,
                _ => Says::Miss,
            };
            (modified, says)
        })
        .collect()
}

#[test]
fn every_number_of_threads_gives_the_same_order() {
    let store = large_store();
    let expected = naive(&store);
    for threads in [1, 2, 3, 16] {
        assert_eq!(walked(&store, threads), expected, "{threads} threads");
    }
}

#[test]
fn reports_and_open_files_do_not_depend_on_luck() {
    let store = large_store();
    for threads in [1, 2, 5] {
        let corpus = Counting::new(corpus(&store));
        let mut newest = Newest::new(&corpus, entries(&corpus), &Records).threads(threads);
        for _ in 0..20 {
            let (_, hit) = newest.next_hit().expect("there are more");
            let reported: Vec<String> = newest
                .unreadable()
                .iter()
                .map(|report| report.entry.name.clone())
                .collect();
            assert_eq!(
                reported,
                naive_unreadable(&store, Some(hit.0.0)),
                "{threads} threads"
            );
        }
        assert!(newest.by_ref().count() > 20);
        assert_eq!(corpus.opens(), store.len(), "each file is opened once");
        assert!(corpus.open_most() <= threads, "one open file a thread");
        assert_eq!(corpus.open_now(), 0, "every file is closed");
    }
}

#[test]
fn in_any_order_all_hits_come_and_no_file_is_looked_at_twice_or_left_out() {
    let store = large_store();
    let mut expected = naive(&store);
    expected.sort();
    for threads in [1, 2, 5] {
        let corpus = Counting::new(corpus(&store));
        let mut newest = Newest::new(&corpus, entries(&corpus), &Records)
            .threads(threads)
            .in_any_order();
        let mut names: Vec<String> = newest.by_ref().map(|(entry, _)| entry.name).collect();
        names.sort();
        assert_eq!(names, expected, "{threads} threads");
        let reported = newest.take_unreadable();
        let reported: Vec<String> = reported.into_iter().map(|bad| bad.entry.name).collect();
        assert_eq!(reported, naive_unreadable(&store, None));
        assert_eq!(corpus.opens(), store.len(), "each file is opened once");
    }
}

#[test]
fn in_any_order_no_hit_calls_off_a_look_that_several_threads_would_share() {
    // Every file is a hit at its own mtime, so that each makes all after it needless for now.
    let store: Store = (0..4_000_i128).map(|at| (at, Says::Hit(at))).collect();
    let opened_for_the_first = |any: bool| {
        let corpus = Counting::new(corpus(&store));
        let newest = Newest::new(&corpus, entries(&corpus), &Records).threads(2);
        let mut newest = if any { newest.in_any_order() } else { newest };
        for _ in 0..200 {
            newest.next_hit().expect("there are more");
        }
        corpus.opens()
    };
    // The first batches, whole; as a mutant that calls off would not.
    assert!(opened_for_the_first(true) >= 64 + 256);
    assert!(opened_for_the_first(false) < 64 + 256);
}

#[test]
fn a_hit_calls_off_the_looks_that_it_makes_needless() {
    // Hits only from the 200th on, each at its mtime.
    let store: Store = (0..50_000_i128)
        .map(|at| {
            (
                at,
                if at < 49_800 {
                    Says::Hit(at)
                } else {
                    Says::Miss
                },
            )
        })
        .collect();
    let corpus = Counting::new(corpus(&store));
    let mut newest = Newest::new(&corpus, entries(&corpus), &Records).threads(2);
    assert_eq!(
        newest.next_hit().map(|(entry, _)| entry.modified),
        Some(49_799)
    );
    assert!(corpus.opens() >= 201);
    assert!(
        corpus.opens() < 1_000,
        "batches grow slowly: {}",
        corpus.opens()
    );
}

struct Panicking;

impl Probe<MemoryFile> for Panicking {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<Hit> {
        assert_ne!(entry.modified, 3, "a fault in the probe");
        look(entry, file.bytes())
    }
}

#[test]
fn a_panic_in_the_probe_is_passed_on_and_nothing_hangs() {
    let store: Store = (0..300).map(|at| (at, Says::Miss)).collect();
    let corpus = corpus(&store);
    for threads in [1, 3] {
        let mut newest = Newest::new(&corpus, entries(&corpus), &Panicking).threads(threads);
        let passed = catch_unwind(AssertUnwindSafe(|| newest.next_hit().is_some()));
        assert!(passed.is_err(), "{threads} threads");
    }
}

/// Looks that take long until several are under way at once, as on a disk that answers the better the more it is asked.
struct Waiting<'a> {
    corpus: &'a Counting<MemoryCorpus>,
    looks: AtomicUsize,
    together: Mutex<bool>,
    changed: Condvar,
}

impl Probe<CountingFile<MemoryFile>> for Waiting<'_> {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &CountingFile<MemoryFile>) -> Look<Hit> {
        let alone = self.looks.fetch_add(1, Ordering::Relaxed) < 8;
        let limit = if alone {
            Duration::from_micros(200)
        } else {
            Duration::from_secs(20)
        };
        let mut together = self.together.lock().expect("no look panicked");
        if self.corpus.open_now() >= 4 {
            *together = true;
            self.changed.notify_all();
        }
        // Asleep, as whoever waits is: a loop would be a look that only takes long.
        drop(
            self.changed
                .wait_timeout_while(together, limit, |together| !*together),
        );
        Records.probe(entry, file)
    }
}

#[test]
fn slow_looks_wait_together_and_answer_as_if_alone() {
    let store = large_store();
    let counting = Counting::new(corpus(&store));
    let probe = Waiting {
        corpus: &counting,
        looks: AtomicUsize::new(0),
        together: Mutex::new(false),
        changed: Condvar::new(),
    };
    let newest = Newest::new(&counting, entries(&counting), &probe).reads_in_flight(6);
    let found: Vec<String> = newest.map(|(entry, _)| entry.name).collect();
    assert_eq!(found, naive(&store));
    assert!(
        *probe.together.lock().unwrap(),
        "one thread waited for each alone"
    );
    assert!(
        counting.open_most() <= 6,
        "{} files were open",
        counting.open_most()
    );
}

/// Looks that all wait for a medium; those of the thread that walks, after the first few and but for the last, until another
/// thread has begun one since its last.
struct Accompanied {
    walks: ThreadId,
    looks: AtomicUsize,
    /// Of the last of so many looks some are alone, as they deserve no workers.
    most: usize,
    begun: Mutex<Begun>,
    changed: Condvar,
}

#[derive(Default)]
struct Begun {
    /// The times of all files looked at: one that is left over between two others deserves no workers either.
    times: HashSet<i128>,
    /// Looks of the threads that do not walk, and how many those were when the last look of the one that walks ended.
    others: usize,
    seen: usize,
    /// How many looks nobody accompanied.
    alone: usize,
}

impl Probe<MemoryFile> for Accompanied {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<Hit> {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        let walks = std::thread::current().id() == self.walks;
        let mut begun = self.begun.lock().expect("no look panicked");
        begun.times.insert(entry.modified);
        begun.others += usize::from(!walks);
        self.changed.notify_all();
        // Asleep, as in the looks above.
        let short = Duration::from_micros(200);
        let waited = self.changed.wait_timeout_while(begun, short, |_| true);
        let mut begun = waited.expect("no look panicked").0;
        if walks && look >= 8 && look + 100 < self.most && begun.alone == 0 {
            let long = Duration::from_secs(20);
            let is_alone = |begun: &mut Begun| {
                begun.others == begun.seen && !begun.times.contains(&(entry.modified - 1))
            };
            let waited = self.changed.wait_timeout_while(begun, long, is_alone);
            let (now, timeout) = waited.expect("no look panicked");
            begun = now;
            begun.alone += usize::from(timeout.timed_out());
        }
        if walks {
            begun.seen = begun.others;
        }
        drop(begun);
        Records.probe(entry, file)
    }
}

/// The first hit of a batch calls off nearly all of it: what was called off took no time, and must not make those that wait look quick.
#[test]
fn slow_looks_wait_together_to_the_end_where_every_file_is_a_hit() {
    let store: Store = (0..2_000).map(|at| (at, Says::Hit(at))).collect();
    let corpus = corpus(&store);
    let probe = Accompanied {
        walks: std::thread::current().id(),
        looks: AtomicUsize::new(0),
        most: store.len(),
        begun: Mutex::default(),
        changed: Condvar::new(),
    };
    let newest = Newest::new(&corpus, entries(&corpus), &probe).reads_in_flight(6);
    let found: Vec<String> = newest.map(|(entry, _)| entry.name).collect();
    assert_eq!(found, naive(&store));
    let begun = probe.begun.into_inner().expect("no look panicked");
    assert_eq!(begun.alone, 0, "looks that waited on one thread alone");
    assert_eq!(probe.looks.into_inner(), store.len());
}

/// Looks that take long without ever waiting, as on a machine where others have the processor.
struct Busy;

impl Probe<CountingFile<MemoryFile>> for Busy {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &CountingFile<MemoryFile>) -> Look<Hit> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(100) {
            std::hint::spin_loop();
        }
        Records.probe(entry, file)
    }
}

#[test]
#[cfg(target_os = "linux")]
fn looks_that_are_slow_and_do_not_wait_stay_on_one_thread() {
    let store: Store = (0..1_000).map(|at| (at, Says::Miss)).collect();
    let counting = Counting::new(corpus(&store));
    let newest = Newest::new(&counting, entries(&counting), &Busy).reads_in_flight(6);
    assert_eq!(newest.count(), 0);
    assert_eq!(counting.open_most(), 1, "more threads for want of one");
}

/// Looks that always wait a little.
struct Asleep;

impl Probe<MemoryFile> for Asleep {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<Hit> {
        std::thread::park_timeout(Duration::from_micros(100));
        Records.probe(entry, file)
    }
}

/// Few that are left deserve no workers, and are looked at all the same.
#[test]
fn slow_looks_come_to_an_end_for_every_number_of_files() {
    for files in (1..=24).chain(60..=84) {
        for in_order in [true, false] {
            let (done, outcome) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let store: Store = (0..files).map(|at| (at, Says::Hit(at))).collect();
                let store: Store = if in_order {
                    store.iter().map(|(at, _)| (*at, Says::Miss)).collect()
                } else {
                    store
                };
                let corpus = corpus(&store);
                let newest = Newest::new(&corpus, entries(&corpus), &Asleep).reads_in_flight(6);
                let newest = if in_order {
                    newest
                } else {
                    newest.in_any_order()
                };
                let _ = done.send((newest.count(), store.len()));
            });
            // Long enough for any machine; without it, a walk that never ends would be a test that never ends.
            let outcome = outcome.recv_timeout(Duration::from_secs(60));
            let Ok((hits, all)) = outcome else {
                panic!("{files} files, in order: {in_order}: the walk does not end");
            };
            assert_eq!(hits, if in_order { 0 } else { all });
        }
    }
}
