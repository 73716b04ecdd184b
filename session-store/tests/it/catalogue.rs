//! What a listing costs with a catalogue, when the catalogue is believed, and what damages and crashes do to it: nothing.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{Fault, FaultFs, FileSystem, FsCall, MemoryFs, OsFs};
use session_store::{
    Append, Builder, Counts, Durability, Freshness, IndexKind, Message, Query, Session,
    SessionStore,
};

use crate::list::{CATALOGUE, check, document, facts, reported};
use crate::support::{Scratch, id, session};

/// A store over a file system whose calls are counted.
pub(crate) fn counted<F: FileSystem + Clone>(fs: F) -> (Arc<DirBackend<FaultFs<F>>>, SessionStore) {
    let backend = DirBackend::with_file_system(FaultFs::new(fs), Trust::strict()).unwrap();
    let backend = Arc::new(backend);
    let store = Builder::<Session>::on(Arc::clone(&backend) as _)
        .durability(Durability::Process)
        .threads(1)
        .reads_in_flight(1)
        .open()
        .unwrap();
    (backend, store)
}

fn calls<F: FileSystem + Clone>(backend: &DirBackend<FaultFs<F>>) -> Vec<u64> {
    let calls = FsCall::ALL.map(|call| backend.file_system().calls(call));
    calls.to_vec()
}

fn spent<F: FileSystem + Clone>(
    backend: &DirBackend<FaultFs<F>>,
    before: &[u64],
) -> Vec<(FsCall, u64)> {
    let after = calls(backend).into_iter().zip(before);
    let spent = FsCall::ALL.into_iter().zip(after);
    spent
        .map(|(call, (after, before))| (call, after - before))
        .filter(|(_, calls)| *calls > 0)
        .collect()
}

#[test]
fn an_unchanged_directory_costs_the_same_however_many_sessions_it_has() {
    let mut costs = Vec::new();
    for sessions in [10, 300] {
        let scratch = Scratch::new();
        let (backend, store) = counted(Arc::new(OsFs::new(scratch.sessions())));
        for n in 0..sessions {
            store.save(&document(n, 1, n as u64)).unwrap();
        }
        let query = Query::new().limit(5);
        let first = store.list(&query).unwrap();
        let before = calls(&backend);
        let second = store.list(&query).unwrap();
        assert_eq!(facts(&first), facts(&second));
        costs.push(spent(&backend, &before));
        let changed = document(3, 2, 3);
        scratch.write_foreign(&changed);
        let before = calls(&backend);
        store.list(&Query::new().counts(Counts::Skip)).unwrap();
        let opened = spent(&backend, &before);
        let opened = opened.iter().find(|(call, _)| *call == FsCall::Open);
        assert_eq!(
            opened.map(|(_, calls)| *calls),
            Some(2),
            "the catalogue and what has changed"
        );
    }
    // A stamp, the catalogue's header and first page, and a look for journals.
    assert_eq!(costs[0], costs[1]);
    let all: u64 = costs[0].iter().map(|(_, calls)| calls).sum();
    assert!(all <= 4, "{:?}", costs[0]);
}

#[test]
fn a_listing_without_a_catalogue_meets_each_file_once() {
    let files = 40;
    let scratch = Scratch::new();
    let (backend, store) = counted(Arc::new(OsFs::new(scratch.sessions())));
    for n in 0..files {
        store.save(&document(n, 1, n as u64)).unwrap();
    }
    store.append(&id("s1"), &more(10)).unwrap();
    let before = calls(&backend);
    let listing = store.list(&Query::new()).unwrap();
    assert_eq!(listing.rows.len(), files);
    let files = files as u64;
    let spent = spent(&backend, &before);
    let of = |call| {
        spent
            .iter()
            .find(|(of, _)| *of == call)
            .map_or(0, |of| of.1)
    };
    assert_eq!(of(FsCall::Names), 1, "sessions are named: {spent:?}");
    assert_eq!(of(FsCall::List), 1, "journals are listed: {spent:?}");
    // Each document and one journal; before that a look for a catalogue.
    assert!(of(FsCall::Open) <= files + 2, "{spent:?}");
    // Each open document; and what is asked of the directory, of the session with a journal, and to keep a catalogue.
    assert!(of(FsCall::Stat) <= files + files / 2, "{spent:?}");
    // The head of each document, in which its footer stands too, and the journal.
    assert!(of(FsCall::Read) <= files + 2, "{spent:?}");
}

#[test]
fn every_flipped_byte_and_every_cut_of_a_catalogue_changes_no_answer() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..4 {
        store.save(&document(n, n, n as u64)).unwrap();
    }
    scratch.write("broken.json", "{");
    scratch.write("not an id.json", "{}");
    fs::create_dir(scratch.file("directory.json")).unwrap();
    let listing = store.list(&Query::new()).unwrap();
    let (expected, skipped) = (facts(&listing), reported(&listing));
    let whole = fs::read(scratch.file(CATALOGUE)).unwrap();
    let check = |bytes: &[u8]| {
        fs::write(scratch.file(CATALOGUE), bytes).unwrap();
        let listing = store.list(&Query::new()).unwrap();
        assert_eq!(facts(&listing), expected);
        assert_eq!(reported(&listing), skipped);
        let cursor = store.list(&Query::new().limit(2)).unwrap().next.unwrap();
        fs::write(scratch.file(CATALOGUE), bytes).unwrap();
        let listing = store.list(&Query::new().after(cursor)).unwrap();
        assert_eq!(facts(&listing), expected[2..]);
    };
    for at in 0..whole.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            check(&bytes);
        }
        check(&whole[..at]);
    }
    check(&[whole.as_slice(), b"more"].concat());
}

#[test]
fn a_change_within_one_tick_of_a_coarse_clock_is_seen() {
    let fs = MemoryFs::new();
    // Times that every change of this test shares, as far as a clock can tell.
    fs.set_grain(1_900_000_000);
    let backend = MemoryBackend::with_file_system(fs.clone());
    let store = Builder::<Session>::on(Arc::new(backend)).open().unwrap();
    let plant = |title: &str| {
        let mut session = session("s", "/work", 1, 1);
        session.title = Some(title.into());
        fs.plant("s.json", &serde_json::to_vec(&session).unwrap());
    };
    for round in 0..3 {
        for title in ["one", "two"] {
            plant(title);
            for freshness in [Freshness::EachFile, Freshness::Directory] {
                let query = Query::new().freshness(freshness);
                let rows = store.list(&query).unwrap().rows;
                assert_eq!(rows[0].title.as_deref(), Some(title), "round {round}");
            }
        }
    }
}

#[test]
fn a_session_that_comes_within_one_tick_of_a_listing_is_seen() {
    let fs = MemoryFs::new();
    fs.set_grain(1_900_000_000);
    let backend = MemoryBackend::with_file_system(fs.clone());
    let store = Builder::<Session>::on(Arc::new(backend)).open().unwrap();
    // The first listing makes the directory in which a catalogue can be.
    for n in 0..12 {
        fs.plant("half", &serde_json::to_vec(&document(n, 1, 1)).unwrap());
        fs.rename("half", &format!("s{n}.json")).unwrap();
        assert_eq!(store.list(&Query::new()).unwrap().rows.len(), n + 1);
    }
}

#[test]
fn what_was_written_just_before_a_power_cut_is_looked_at_again() {
    let fs = MemoryFs::new();
    let open = || {
        let backend = MemoryBackend::with_file_system(fs.clone());
        Builder::<Session>::on(Arc::new(backend)).open().unwrap()
    };
    open().save(&session("s", "/work", 1, 1)).unwrap();
    open().list(&Query::new()).unwrap();
    assert!(fs.content(CATALOGUE).is_some());
    let (backend, store) = counted(fs.clone());
    let opens = |backend: &DirBackend<FaultFs<MemoryFs>>| {
        let before = backend.file_system().calls(FsCall::Open);
        store.list(&Query::new()).unwrap();
        backend.file_system().calls(FsCall::Open) - before
    };
    assert_eq!(opens(&backend), 1, "the catalogue alone");
    fs.reboot();
    assert!(opens(&backend) > 1, "the session, too");
}

fn more(bytes: usize) -> Append {
    let message = Message::user("x".repeat(bytes));
    Append::new().message(&message).unwrap()
}

/// Otherwise every list would read all that was appended to any session.
#[test]
fn a_session_whose_document_and_journal_are_as_they_were_is_not_read_again() {
    let fs = MemoryFs::new();
    // Its files are old to begin with, by the clock of who lists them.
    fs.set_clock(1_600_000_000_000_000_000);
    let (backend, store) = counted(fs);
    for n in 0..4 {
        store.save(&document(n, 1, 1)).unwrap();
    }
    for n in 0..3 {
        store.append(&id(&format!("s{n}")), &more(40_000)).unwrap();
    }
    for query in [Query::new(), Query::new().freshness(Freshness::EachFile)] {
        let list = || {
            let before = backend.file_system().calls(FsCall::Open);
            let listing = store.list(&query).unwrap();
            let said: Vec<_> = listing.rows.iter().map(|row| row.unfolded > 0).collect();
            assert_eq!(said.iter().filter(|has| **has).count(), 3);
            assert!(listing.rows.iter().all(|row| row.messages.is_some()));
            (
                facts(&listing),
                backend.file_system().calls(FsCall::Open) - before,
            )
        };
        // What is counted for the first is kept by it, or by the second.
        let (first, _) = list();
        list();
        let (third, opened) = list();
        assert_eq!((third, opened), (first.clone(), 1), "the catalogue alone");
        store.append(&id("s1"), &more(30_000)).unwrap();
        let (changed, opened) = list();
        assert_eq!(opened, 3, "the session that has changed");
        assert_ne!(changed, first);
        list();
        assert_eq!(list(), (changed, 1));
    }
}

#[derive(Clone, Debug)]
enum Op {
    Save(usize),
    Append(usize, usize),
    Fold(usize),
    Delete(usize),
    /// Other programs: a document is replaced beside its journal; a journal is removed, becomes another session's, is put back as it was, or loses its end.
    Replace(usize),
    Remove(usize),
    Swap(usize, usize),
    Keep(usize),
    PutBack(usize),
    Cut(usize),
}

fn ops() -> impl Strategy<Value = Op> {
    let name = || 0..3_usize;
    prop_oneof![
        2 => name().prop_map(Op::Save),
        6 => (name(), prop_oneof![Just(10_usize), Just(20_000)]).prop_map(|(n, bytes)| Op::Append(n, bytes)),
        1 => name().prop_map(Op::Fold),
        1 => name().prop_map(Op::Delete),
        2 => name().prop_map(Op::Replace),
        1 => name().prop_map(Op::Remove),
        1 => (name(), name()).prop_map(|(a, b)| Op::Swap(a, b)),
        1 => name().prop_map(Op::Keep),
        1 => name().prop_map(Op::PutBack),
        1 => name().prop_map(Op::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn sessions_with_journals_are_listed_as_without_a_catalogue(
        ops in proptest::collection::vec(ops(), 1..24), each_file in any::<bool>()
    ) {
        let scratch = Scratch::new();
        let store = scratch.store();
        let without = SessionStore::builder(scratch.sessions()).index(IndexKind::Memory).open().unwrap();
        let journal = |n: usize| scratch.file(&format!(".store/journal/s{n}.journal"));
        let aside = scratch.sessions().join("aside");
        let freshness = if each_file { Freshness::EachFile } else { Freshness::Directory };
        for (step, op) in ops.into_iter().enumerate() {
            // What other programs do to files that are not there does nothing.
            match op {
                Op::Save(n) => drop(store.overwrite(&document(n, 2, step as u64))),
                Op::Append(n, bytes) => drop(store.append(&id(&format!("s{n}")), &more(bytes))),
                Op::Fold(n) => drop(store.checkpoint(&id(&format!("s{n}")))),
                Op::Delete(n) => drop(store.delete(&id(&format!("s{n}")))),
                Op::Replace(n) => scratch.write_foreign(&document(n, 3, step as u64)),
                Op::Remove(n) => drop(fs::remove_file(journal(n))),
                Op::Swap(from, to) => drop(fs::rename(journal(from), journal(to))),
                Op::Keep(n) => drop(fs::copy(journal(n), &aside)),
                Op::PutBack(n) => drop(fs::copy(&aside, journal(n))),
                Op::Cut(n) => if let Ok(file) = File::options().write(true).open(journal(n)) {
                    let size = file.metadata().unwrap().len();
                    file.set_len(size - size.min(7)).unwrap();
                },
            }
            let query = Query::new().freshness(freshness);
            let (found, expected) = (store.list(&query).unwrap(), without.list(&query).unwrap());
            prop_assert_eq!(reported(&found), reported(&expected), "after {}", step);
            prop_assert_eq!(found.rows, expected.rows, "after {}", step);
        }
    }
}

#[test]
fn a_session_with_a_small_journal_is_looked_at_each_time() {
    let fs = MemoryFs::new();
    let (backend, store) = counted(fs.clone());
    for name in ["a", "b"] {
        store.save(&session(name, "/work", 1, 1)).unwrap();
    }
    let opens = || {
        let before = backend.file_system().calls(FsCall::Open);
        assert_eq!(store.list(&Query::new()).unwrap().rows.len(), 2);
        backend.file_system().calls(FsCall::Open) - before
    };
    opens();
    assert_eq!(opens(), 1, "the catalogue alone");
    let turn = Append::new().message(&Message::user("more")).unwrap();
    store.append(&id("a"), &turn).unwrap();
    // Journal and document once: for the header, the number of messages, and what the document lacks.
    assert_eq!(
        (opens(), opens()),
        (3, 3),
        "the session with the journal, too"
    );
}

#[test]
fn a_change_while_a_listing_is_made_is_seen_by_the_next() {
    for freshness in [Freshness::Directory, Freshness::EachFile] {
        let scratch = Scratch::new();
        let store = scratch.store();
        store.save(&document(1, 1, 1)).unwrap();
        let (foreign, written) = (scratch.sessions(), AtomicU64::new(0));
        let query = Query::new().freshness(freshness).on_progress(move |_| {
            let n = written.fetch_add(1, Ordering::Relaxed);
            let late = session(&format!("late{n}"), "/work", 1, 9);
            let temporary = foreign.join("temporary");
            fs::write(&temporary, serde_json::to_vec(&late).unwrap()).unwrap();
            fs::rename(&temporary, foreign.join(format!("late{n}.json"))).unwrap();
            ControlFlow::Continue(())
        });
        store.list(&query).unwrap();
        check(&store, 1);
    }
}

#[test]
fn a_process_that_dies_at_any_step_of_keeping_a_catalogue_changes_no_answer() {
    let mut died = 0;
    for call in FsCall::ALL {
        for nth in 1..40 {
            let fs = MemoryFs::new();
            let (backend, store) = counted(fs.clone());
            store.save(&session("a", "/work", 1, 1)).unwrap();
            store.list(&Query::new()).unwrap();
            store.save(&session("b", "/work", 2, 2)).unwrap();
            backend
                .file_system()
                .arm(Fault::errno(call, nth, 5).from_then_on());
            let _died = store.list(&Query::new());
            if backend.file_system().injected() == 0 {
                break;
            }
            died += 1;
            for _ in 0..2 {
                let backend = MemoryBackend::with_file_system(fs.clone());
                let store = Builder::<Session>::on(Arc::new(backend)).open().unwrap();
                let listing = store.list(&Query::new()).unwrap();
                let rows: Vec<_> = listing
                    .rows
                    .iter()
                    .map(|row| (&*row.id, row.messages))
                    .collect();
                assert_eq!(rows, [("b", Some(2)), ("a", Some(1))], "{call:?} {nth}");
                assert!(listing.skipped.is_empty());
            }
        }
    }
    assert!(died > 10, "{died}");
}

#[test]
fn a_store_that_may_not_write_keeps_no_catalogue() {
    let scratch = Scratch::new();
    scratch.store().save(&document(1, 1, 1)).unwrap();
    let reader = SessionStore::builder(scratch.sessions())
        .read_only()
        .open()
        .unwrap();
    reader.list(&Query::new()).unwrap();
    assert!(!scratch.file(CATALOGUE).exists());
    let unindexed = scratch.store_with(IndexKind::None);
    unindexed.list(&Query::new()).unwrap();
    assert!(!scratch.file(CATALOGUE).exists());
    scratch.store().list(&Query::new()).unwrap();
    assert!(scratch.file(CATALOGUE).exists());
}
