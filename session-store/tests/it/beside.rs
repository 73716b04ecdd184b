//! What lies in the place of a journal and is none, or another document's: nothing of it is lost, and nobody passes over it.

use std::fs;
use std::sync::Arc;

use session_store::backend::{DirBackend, Trust};
use session_store::fs::{Fault, FaultFs, FsCall, MemoryFs};
use session_store::{
    Append, Builder, Counts, Cursor, IndexKind, LastQuery, Message, Query, SearchQuery,
    SessionStore, SkipReason, Skipped, Window,
};

use crate::support::{Scratch, id, names, session};

fn turn(text: &str) -> Append {
    Append::new().message(&Message::user(text)).unwrap()
}

/// A session whose journal holds `acknowledged`, and whose document another program has then replaced.
fn displaced(scratch: &Scratch) -> SessionStore {
    let store = scratch.store();
    let one = session("s", "/work", 2, 1);
    store.save(&one).unwrap();
    store.append(&one.id, &turn("acknowledged")).unwrap();
    let other = session("s", "/work", 5, 2);
    let path = store.path(&one.id);
    fs::write(
        path.with_extension("tmp"),
        serde_json::to_vec(&other).unwrap(),
    )
    .unwrap();
    fs::rename(path.with_extension("tmp"), path).unwrap();
    store
}

fn quarantined(scratch: &Scratch) -> String {
    let directory = scratch.file(".store/quarantine");
    let mut names = names(&directory);
    assert_eq!(names.len(), 1, "{names:?}");
    String::from_utf8_lossy(&fs::read(directory.join(names.remove(0))).unwrap()).into_owned()
}

#[test]
fn a_displaced_journal_outlives_its_session_in_the_trash() {
    for restored in [true, false] {
        let scratch = Scratch::new();
        let store = displaced(&scratch);
        assert!(store.trash(&id("s")).unwrap());
        if restored {
            assert!(store.restore(&id("s")).unwrap());
            assert_eq!(store.load(&id("s")).unwrap().messages.len(), 5);
        } else {
            store.save(&session("s", "/work", 1, 3)).unwrap();
        }
        assert!(quarantined(&scratch).contains("acknowledged"));
    }
}

/// The names of what was passed over, each of which is a displaced journal.
fn reported(skipped: &[Skipped]) -> Vec<&str> {
    let name = |skipped: &Skipped| matches!(skipped.reason, SkipReason::Displaced);
    assert!(skipped.iter().all(name), "{skipped:?}");
    let names = skipped.iter().filter_map(|skipped| skipped.name.to_str());
    names.collect()
}

/// Whoever sees the session, and what was acknowledged is not in it, is told why.
#[test]
fn a_displaced_journal_is_reported_by_every_page_and_with_its_session() {
    for index in [IndexKind::Sidecar, IndexKind::None] {
        let scratch = Scratch::new();
        let store = displaced(&scratch);
        for n in 0..3 {
            let newer = session(&format!("newer{n}"), "/elsewhere", 1, 9);
            store.save(&newer).unwrap();
        }
        let store = scratch.store_with(index);
        // Looked into, then out of the catalogue and by the index's word.
        for _ in 0..3 {
            let (mut rows, mut after) = (0, None::<Cursor>);
            for page in 0..4 {
                let mut query = Query::new().limit(1);
                if let Some(cursor) = after.take() {
                    query = query.after(cursor);
                }
                let listing = store.list(&query).unwrap();
                assert_eq!(reported(&listing.skipped), ["s.journal"], "page {page}");
                rows += listing.rows.len();
                after = listing.next;
            }
            assert!(rows == 4 && after.is_none());
            for counts in [Counts::Exact, Counts::Skip] {
                let query = Query::new().workspace("/elsewhere").title("none has it");
                let listing = store.list(&query.counts(counts)).unwrap();
                assert_eq!(reported(&listing.skipped), ["s.journal"]);
            }
            for window in [Window::all(), Window::last(1)] {
                let query = LastQuery::new().workspace("/work").window(window);
                let found = store.find_last(&query).unwrap();
                assert_eq!(found.session.unwrap().id, "s");
                assert_eq!(reported(&found.skipped), ["s.journal"]);
                let found = store.find_last(&LastQuery::new().window(window)).unwrap();
                assert_eq!(found.session.unwrap().id, "newer2");
                assert!(found.skipped.is_empty(), "{:?}", found.skipped);
            }
            for (place, expected) in [("/work", vec!["s.journal"]), ("/elsewhere", vec![])] {
                let query = SearchQuery::text("acknowledged").workspace(place);
                let mut hits = store.search(&query).unwrap();
                assert_eq!(hits.by_ref().count(), 0);
                assert_eq!(reported(&hits.take_skipped()), expected);
            }
        }
        // Once it was put aside there is nothing to tell.
        store.append(&id("s"), &turn("more")).unwrap();
        assert!(store.list(&Query::new()).unwrap().skipped.is_empty());
        let found = store.find_last(&LastQuery::new()).unwrap();
        assert!(found.skipped.is_empty());
    }
}

#[test]
fn a_displaced_journal_is_reported_where_the_index_proves_the_answer() {
    let fs = MemoryFs::new();
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
    let store: SessionStore = Builder::on(Arc::new(backend)).open().unwrap();
    store.save(&session("s", "/work", 2, 1)).unwrap();
    store.append(&id("s"), &turn("acknowledged")).unwrap();
    let foreign = serde_json::to_vec(&session("s", "/work", 5, 2)).unwrap();
    fs.plant("s.json", &foreign);
    for listed in [1, 0] {
        let found = store.find_last(&LastQuery::new().workspace("/work"));
        let found = found.unwrap();
        assert_eq!(found.session.unwrap().messages.len(), 5);
        assert_eq!(reported(&found.skipped), ["s.journal"]);
        assert_eq!(found.files_listed, listed);
    }
}

/// A session is never read without what may have been appended to it.
#[test]
fn what_is_no_file_in_the_place_of_a_journal_is_reported_with_its_session() {
    for known in [false, true] {
        let scratch = Scratch::new();
        let store = scratch.store();
        store.save(&session("s", "/work", 2, 1)).unwrap();
        store.save(&session("older", "/work", 2, 0)).unwrap();
        store.append(&id("s"), &turn("appended")).unwrap();
        if known {
            assert_eq!(store.list(&Query::new()).unwrap().rows.len(), 2);
            store.find_last(&LastQuery::new()).unwrap();
        }
        let journal = scratch.file(".store/journal/s.journal");
        fs::rename(&journal, scratch.path().join("kept")).unwrap();
        fs::create_dir(&journal).unwrap();
        let store = scratch.store();
        assert!(store.load(&id("s")).is_err());
        let listing = store.list(&Query::new()).unwrap();
        let ids: Vec<&str> = listing.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((ids, listing.skipped.len()), (vec!["older"], 1));
        let mut hits = store.search(&SearchQuery::text("of s")).unwrap();
        assert_eq!(hits.by_ref().count(), 0);
        let found = store.find_last(&LastQuery::new()).unwrap();
        assert_eq!(found.skipped.len(), 1);
        assert_eq!(found.session.unwrap().id, "older");
        // And what is found out so is not proven.
        fs::remove_dir(&journal).unwrap();
        fs::rename(scratch.path().join("kept"), &journal).unwrap();
        let found = store
            .find_last(&LastQuery::new().window(Window::last(1)))
            .unwrap();
        assert_eq!(found.session.unwrap().id, "s");
        assert_eq!(store.list(&Query::new()).unwrap().rows.len(), 2);
    }
}

/// One session that cannot be read hides no other, and is not shown without its journal, whichever call fails.
#[test]
fn a_fault_beside_one_session_of_a_listing_hides_no_other() {
    let open = |fs: &FaultFs<MemoryFs>| -> SessionStore {
        let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
        Builder::on(Arc::new(backend))
            .threads(1)
            .reads_in_flight(1)
            .open()
            .unwrap()
    };
    let mut injected = 0;
    for listed_before in [false, true] {
        for call in [FsCall::Stat, FsCall::Open, FsCall::Read] {
            for nth in 1.. {
                let fs = FaultFs::new(MemoryFs::new());
                let store = open(&fs);
                store.save(&session("s", "work", 2, 1)).unwrap();
                store.save(&session("older", "work", 2, 0)).unwrap();
                store.append(&id("s"), &turn("appended")).unwrap();
                if listed_before {
                    store.list(&Query::new()).unwrap();
                }
                fs.arm(Fault::errno(call, nth, 5));
                let listing = store.list(&Query::new());
                let reached = fs.injected() > 0;
                fs.disarm();
                if !reached {
                    break;
                }
                injected += 1;
                let what = format!("{call:?} {nth}, listed before: {listed_before}");
                let listing = listing.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(listing.rows.len() + listing.skipped.len(), 2, "{what}");
                for row in &listing.rows {
                    let messages = if row.id == "s" { 3 } else { 2 };
                    assert_eq!(row.messages, Some(messages), "{what}");
                }
            }
        }
    }
    println!("{injected} faults injected into listings");
    assert!(injected > 20, "{injected}");
}
