//! Listing with a catalogue: equal to parsing everything, whatever happened to the files and to the catalogue.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use proptest::prelude::*;
use session_store::{Cursor, Freshness, Listing, Query, Scope, SearchQuery, Session, SessionStore};

use crate::support::{Scratch, id, moment, names, session, time};

pub(crate) const CATALOGUE: &str = ".store/index/catalogue";

/// What a row must say.
pub(crate) type Fact = (
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

pub(crate) fn facts(listing: &Listing) -> Vec<Fact> {
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
pub(crate) fn reported(listing: &Listing) -> Vec<String> {
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
pub(crate) fn check(store: &SessionStore, page: usize) {
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

pub(crate) fn document(n: usize, messages: usize, at: u64) -> Session {
    let mut document = session(&format!("s{n}"), format!("/work/{}", n % 3), messages, at);
    document.title = n.is_multiple_of(2).then(|| format!("Title {at}"));
    document.agent = if messages.is_multiple_of(2) {
        "build"
    } else {
        "plan"
    }
    .into();
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

/// What falls behind the cursor is met again there, as what it is by then: a page knows the place of the row before it, and no more.
#[test]
fn a_session_that_falls_in_the_order_while_paging_is_shown_once_more() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..6 {
        store
            .save(&session(&format!("s{n}"), "/work", 1, 10 + n))
            .unwrap();
    }
    let backup = fs::read(store.path(&id("s3"))).unwrap();
    let page = |after: Option<&Cursor>| {
        let query = Query::new().limit(2);
        let query = after.map_or(query.clone(), |after| query.after(after.clone()));
        let listing = store.list(&query).unwrap();
        let shown: Vec<String> = listing.rows.iter().map(|row| row.id.to_string()).collect();
        (shown, listing.next)
    };
    let mut later = store.load(&id("s3")).unwrap();
    later.touch(time(16));
    store.save(&later).unwrap();
    let (shown, after) = page(None);
    assert_eq!(shown, ["s3", "s5"]);
    // One of those shown comes out of a backup, the other is saved with an older time.
    scratch.write("s3.json", backup);
    let mut older = store.load(&id("s5")).unwrap();
    older.updated_at = Some(time(5));
    store.overwrite(&older).unwrap();
    let (shown, after) = page(after.as_ref());
    assert_eq!(shown, ["s4", "s3"]);
    let (shown, after) = page(after.as_ref());
    assert_eq!(shown, ["s2", "s1"]);
    assert_eq!(page(after.as_ref()), (vec!["s0".into(), "s5".into()], None));
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

/// A member that a listing shows may stand anywhere: between two long arrays as well.
#[test]
fn what_is_shown_is_found_wherever_it_stands() {
    let scratch = Scratch::new();
    let long = |what: &str| {
        let text = format!(r#"{{"role":"user","content":[{{"type":"text","text":"{what}"}}]}}"#);
        vec![text; 200].join(",")
    };
    let json = format!(
        r#"{{"id":"s","metadata":{{"directory":"/w"}},"updated_at":"2026-01-21T12:00:00Z","messages":[{}],"title":"Find me","agent":"build","tool_uses":[{}]}}"#,
        long("before"),
        vec![r#"{"name":"n","input":"i","output":"o"}"#; 400].join(","),
    );
    scratch.write("s.json", json);
    for store in [scratch.store(), scratch.store()] {
        let row = &store.list(&Query::new()).unwrap().rows[0];
        assert_eq!(row.title.as_deref(), Some("Find me"));
        assert_eq!(row.agent.as_deref(), Some("build"));
        for query in [Query::new().title("FIND"), Query::new().agent("build")] {
            assert_eq!(store.list(&query).unwrap().rows.len(), 1);
        }
        let mut hits = store.search(&SearchQuery::text("Find")).unwrap();
        let hit = hits.next().unwrap();
        assert_eq!(hit.session.title.as_deref(), Some("Find me"));
    }
}

#[test]
fn a_part_of_a_title_is_found_in_whatever_case() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for (name, title) in [("a", "ΟΔΟΣΗΜΑ"), ("b", "ΟΔΟΣ"), ("c", "İstanbul")] {
        let mut one = session(name, "/work", 1, 1);
        one.title = Some(title.to_owned());
        store.save(&one).unwrap();
    }
    let found = |text: &str| {
        let rows = store.list(&Query::new().title(text)).unwrap().rows;
        let mut names: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
        names.sort();
        names
    };
    for text in ["ΟΔΟΣ", "οδοσ", "οδος"] {
        assert_eq!(found(text), ["a", "b"], "{text}");
    }
    assert_eq!(found("İST"), ["c"]);
}
