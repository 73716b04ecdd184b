//! What lies in the place of a journal and is none, or another document's: nothing of it is lost, and nobody passes over it.

use std::fs;
use std::sync::Arc;

use session_store::backend::{DirBackend, Trust};
use session_store::fs::{Fault, FaultFs, FsCall, MemoryFs};
use session_store::{
    Append, Builder, LastQuery, Message, Query, SearchQuery, SessionStore, Window,
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
