//! Listing with a catalogue: equal to parsing everything, whatever happened to the files and to the catalogue.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use proptest::prelude::*;
use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{Fault, FaultFs, FileSystem, FsCall, MemoryFs, OsFs};
use session_store::{
    Builder, Counts, Cursor, Durability, Freshness, Listing, Query, Scope, Session, SessionStore,
};

use crate::support::{Scratch, id, moment, names, session, time};

const CATALOGUE: &str = ".store/index/catalogue";

/// What a row must say.
type Fact = (
    String,
    Option<String>,
    String,
    Option<PathBuf>,
    Option<u64>,
    u64,
);

/// Parses every file: what every listing must say, and how many files must be reported.
fn naive(sessions: &Path, wanted: &dyn Fn(&Session, SystemTime) -> bool) -> (Vec<Fact>, usize) {
    let (mut rows, mut skipped) = (Vec::new(), 0);
    for name in names(sessions) {
        let Some(stem) = name
            .strip_suffix(".json")
            .filter(|stem| !stem.starts_with('.'))
        else {
            continue;
        };
        let path = sessions.join(&name);
        let stat = fs::symlink_metadata(&path).unwrap();
        let parsed = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Session>(&bytes).ok())
            .filter(|session| stat.is_file() && session.id == *stem);
        let Some(session) = parsed else {
            skipped += 1;
            continue;
        };
        let modified = stat.modified().unwrap();
        let updated = session.updated_at.map_or(modified, SystemTime::from);
        let at = updated.min(modified);
        if wanted(&session, at) {
            let count = session.messages.len() as u64;
            let fact = (
                session.id.to_string(),
                session.title,
                session.agent,
                session.metadata.directory,
                Some(count),
                stat.len(),
            );
            rows.push(((at, updated, session.id.to_string()), fact));
        }
    }
    rows.sort_by(|a, b| b.0.cmp(&a.0));
    (rows.into_iter().map(|(_, fact)| fact).collect(), skipped)
}

fn facts(listing: &Listing) -> Vec<Fact> {
    let fact = |row: &session_store::SessionSummary| {
        (
            row.id.to_string(),
            row.title.clone(),
            row.agent.clone().unwrap_or_default(),
            row.directory.clone(),
            row.messages,
            row.bytes,
        )
    };
    listing.rows.iter().map(fact).collect()
}

/// What a listing reports as no session, in words.
fn reported(listing: &Listing) -> Vec<String> {
    let mut reported: Vec<String> = listing.skipped.iter().map(ToString::to_string).collect();
    reported.sort();
    reported
}

type Wanted = Box<dyn Fn(&Session, SystemTime) -> bool>;

/// Queries of every kind, each with what it means.
fn queries() -> Vec<(Query, Wanted)> {
    let directory = |session: &Session| session.metadata.directory.clone().unwrap_or_default();
    vec![
        (Query::new(), Box::new(|_, _| true)),
        (
            Query::new().freshness(Freshness::EachFile),
            Box::new(|_, _| true),
        ),
        (
            Query::new().workspace("/work/0"),
            Box::new(move |session, _| directory(session) == Path::new("/work/0")),
        ),
        (
            Query::new().workspace("/work").scope(Scope::Below),
            Box::new(move |session, _| directory(session).starts_with("/work")),
        ),
        (
            Query::new().workspace("/elsewhere").scope(Scope::All),
            Box::new(|_, _| true),
        ),
        (
            Query::new().title("TITLE 1"),
            Box::new(|session, _| {
                let title = session.title.as_deref().unwrap_or_default();
                title.to_lowercase().contains("title 1")
            }),
        ),
        (
            Query::new().agent("build"),
            Box::new(|session, _| session.agent == "build"),
        ),
        (
            Query::new().since(time(2)).until(time(5)),
            Box::new(|_, at| at >= moment(2) && at < moment(5)),
        ),
    ]
}

/// Compares every query with the naive answer, whole and in pages.
fn check(store: &SessionStore, page: usize) {
    for (query, wanted) in queries() {
        let (rows, skipped) = naive(store.root(), &wanted);
        let listing = store.list(&query).unwrap();
        assert_eq!(facts(&listing), rows, "{query:?}");
        assert_eq!(listing.skipped.len(), skipped, "{:?}", listing.skipped);
        assert!(listing.next.is_none());
        let mut paged = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let mut query = query.clone().limit(page);
            if let Some(cursor) = cursor.take() {
                query = query.after(cursor);
            }
            let listing = store.list(&query).unwrap();
            assert_eq!(listing.skipped.len(), skipped, "{:?}", listing.skipped);
            assert!(listing.rows.len() == page || listing.next.is_none());
            paged.extend(facts(&listing));
            match listing.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(paged, rows, "pages of {page}: {query:?}");
    }
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Op {
    Save(usize, usize, u64),
    /// As the reference writes: a temporary, renamed; perhaps with the times of file and directory put back.
    Foreign(usize, usize, u64, bool),
    Delete(usize),
    Remove(usize),
    Broken(usize),
    NoSession(bool),
    /// A byte of the catalogue is flipped.
    Damage(usize),
    /// The catalogue ends early.
    Cut(usize),
    Forget,
    /// An older catalogue comes back, as from a backup.
    Keep,
    PutBack,
}

fn ops() -> impl Strategy<Value = Op> {
    let (name, messages, at) = (0..6_usize, 0..4_usize, 0..8_u64);
    prop_oneof![
        4 => (name.clone(), messages.clone(), at.clone()).prop_map(|(n, m, at)| Op::Save(n, m, at)),
        4 => (name.clone(), messages, at, any::<bool>()).prop_map(|(n, m, at, back)| Op::Foreign(n, m, at, back)),
        1 => name.clone().prop_map(Op::Delete),
        1 => name.clone().prop_map(Op::Remove),
        1 => name.prop_map(Op::Broken),
        1 => any::<bool>().prop_map(Op::NoSession),
        1 => any::<usize>().prop_map(Op::Damage),
        1 => any::<usize>().prop_map(Op::Cut),
        1 => Just(Op::Forget),
        1 => Just(Op::Keep),
        1 => Just(Op::PutBack),
    ]
}

fn document(n: usize, messages: usize, at: u64) -> Session {
    let mut document = session(&format!("s{n}"), format!("/work/{}", n % 3), messages, at);
    document.title = (n % 2 == 0).then(|| format!("Title {at}"));
    document.agent = if messages % 2 == 0 { "build" } else { "plan" }.into();
    document
}

/// Sets a directory's own time.
fn set_modified(path: &Path, to: SystemTime) {
    File::open(path).unwrap().set_modified(to).unwrap();
}

fn apply(scratch: &Scratch, store: &SessionStore, op: &Op, kept: &mut Option<Vec<u8>>) {
    let catalogue = scratch.file(CATALOGUE);
    match *op {
        Op::Save(n, messages, at) => {
            store.overwrite(&document(n, messages, at)).unwrap();
        }
        Op::Foreign(n, messages, at, back) => {
            let before = fs::metadata(store.root()).and_then(|dir| dir.modified());
            scratch.write_foreign(&document(n, messages, at));
            if back {
                scratch.touch(&format!("s{n}.json"), moment(at / 2));
                if let Ok(before) = before {
                    set_modified(store.root(), before);
                }
            }
        }
        Op::Delete(n) => drop(store.delete(&id(&format!("s{n}")))),
        Op::Remove(n) => drop(fs::remove_file(scratch.file(&format!("s{n}.json")))),
        Op::Broken(n) => {
            scratch.write("half", "{\"id\":");
            fs::rename(scratch.file("half"), scratch.file(&format!("s{n}.json"))).unwrap();
        }
        Op::NoSession(directory) => {
            scratch.write("not an id.json", "{}");
            if directory {
                let _ = fs::create_dir(scratch.file("directory.json"));
            }
        }
        Op::Damage(at) => {
            if let Ok(mut bytes) = fs::read(&catalogue) {
                let at = at % bytes.len();
                bytes[at] ^= 0x20;
                fs::write(&catalogue, bytes).unwrap();
            }
        }
        Op::Cut(at) => {
            if let Ok(bytes) = fs::read(&catalogue) {
                fs::write(&catalogue, &bytes[..at % bytes.len()]).unwrap();
            }
        }
        Op::Forget => drop(fs::remove_file(&catalogue)),
        Op::Keep => *kept = fs::read(&catalogue).ok(),
        Op::PutBack => {
            if let Some(kept) = kept {
                fs::write(&catalogue, kept).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_listing_says_what_the_files_say(history in proptest::collection::vec(ops(), 1..12), page in 1..4_usize) {
        let scratch = Scratch::new();
        let store = scratch.store();
        let mut kept = None;
        for op in &history {
            apply(&scratch, &store, op, &mut kept);
            check(&store, page);
        }
        // Whoever comes later reads the same catalogue, whether it may write or not.
        check(&scratch.store(), page);
        let reader = SessionStore::builder(scratch.sessions()).read_only().open().unwrap();
        check(&reader, page);
    }
}

/// A store over a file system whose calls are counted.
fn counted<F: FileSystem + Clone>(fs: F) -> (Arc<DirBackend<FaultFs<F>>>, SessionStore) {
    let backend = DirBackend::with_file_system(FaultFs::new(fs), Trust::strict()).unwrap();
    let backend = Arc::new(backend);
    let store = Builder::<Session>::on(Arc::clone(&backend) as _)
        .durability(Durability::Process)
        .threads(1)
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
    let (expected, reported) = (facts(&listing), reported(&listing));
    let whole = fs::read(scratch.file(CATALOGUE)).unwrap();
    let check = |bytes: &[u8]| {
        fs::write(scratch.file(CATALOGUE), bytes).unwrap();
        let listing = store.list(&Query::new()).unwrap();
        assert_eq!(facts(&listing), expected);
        assert_eq!(self::reported(&listing), reported);
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

#[test]
fn a_session_with_a_journal_is_looked_at_each_time() {
    let fs = MemoryFs::new();
    let (backend, store) = counted(fs.clone());
    for name in ["a", "b"] {
        store.save(&session(name, "/work", 1, 1)).unwrap();
    }
    let opens = || {
        let before = backend.file_system().calls(FsCall::Open);
        assert_eq!(
            store
                .list(&Query::new().counts(Counts::Skip))
                .unwrap()
                .rows
                .len(),
            2
        );
        backend.file_system().calls(FsCall::Open) - before
    };
    opens();
    assert_eq!(opens(), 1, "the catalogue alone");
    fs.plant(".store/journal/a.journal", b"");
    assert_eq!(
        (opens(), opens()),
        (2, 2),
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
fn a_session_saved_while_paging_comes_to_the_front_and_no_row_comes_twice() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..6 {
        store
            .save(&session(&format!("s{n}"), "/work", 1, n))
            .unwrap();
    }
    let mut seen: Vec<String> = Vec::new();
    let mut cursor: Option<Cursor> = None;
    for page in 0.. {
        let mut query = Query::new().limit(2);
        if let Some(cursor) = cursor.take() {
            query = query.after(cursor);
        }
        let listing = store.list(&query).unwrap();
        seen.extend(listing.rows.iter().map(|row| row.id.to_string()));
        match listing.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
        // One that was shown, one that was not, and a new one: each becomes the newest.
        for name in ["s5", "s0", "new"] {
            let mut again = session(name, "/work", 1, 0);
            again.touch(time(100 + page));
            store.overwrite(&again).unwrap();
        }
    }
    assert_eq!(seen, ["s5", "s4", "s3", "s2", "s1"]);
}

#[test]
fn a_caller_watches_and_ends_long_work() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..10 {
        store.save(&document(n, 1, 1)).unwrap();
    }
    let told = Arc::new(AtomicU64::new(0));
    let watch = |stop_at: u64| {
        let told = Arc::clone(&told);
        Query::new()
            .freshness(Freshness::EachFile)
            .on_progress(move |progress| {
                assert!(progress.files <= progress.of);
                told.fetch_add(1, Ordering::Relaxed);
                match progress.files {
                    files if files == stop_at => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            })
    };
    for stop_at in 1..=3 {
        let error = store.list(&watch(stop_at)).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert_eq!(told.swap(0, Ordering::Relaxed), stop_at);
    }
    store.list(&watch(u64::MAX)).unwrap();
    assert!(told.swap(0, Ordering::Relaxed) >= 10);
    store.list(&watch(u64::MAX)).unwrap();
    assert_eq!(
        told.load(Ordering::Relaxed),
        0,
        "nothing has to be looked at"
    );
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
    let unindexed = scratch.store_with(session_store::IndexKind::None);
    unindexed.list(&Query::new()).unwrap();
    assert!(!scratch.file(CATALOGUE).exists());
    scratch.store().list(&Query::new()).unwrap();
    assert!(scratch.file(CATALOGUE).exists());
}
