//! Appends change no name in the sessions directory, so no stamp tells of them.

use std::time::Duration;

use session_index::Rules;
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Append, Message};

use super::hooked::Event;
use super::memory::process;
use crate::support::{id, session};

/// Another process appends to the older session at each moment of a lookup that has to walk.
#[test]
fn an_append_amid_a_lookup_is_seen_by_the_next() {
    let mut appended = 0;
    for moment in 0..80 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("old", "/work", 1, 1)).unwrap();
        writer.store.save(&session("new", "/work", 1, 5)).unwrap();
        // Something foreign, so that the index proves nothing and every workspace is recorded again.
        let foreign = serde_json::to_vec(&session("foreign", "/elsewhere", 1, 1)).unwrap();
        fs.plant("foreign.json", &foreign);

        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        let now = chrono::Utc::now() + Duration::from_secs(3600);
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let append = Append::new().message(&Message::user("more")).unwrap();
                let append = append.updated_at(now).unwrap();
                let _ = done.send(writer.store.append(&id("old"), &append).is_ok());
            })),
        );
        let asked = if moment % 2 == 0 {
            "/work"
        } else {
            "/elsewhere"
        };
        let _ = reader.store.last_for_directory(Some(asked.as_ref()));
        reader.fs.settle();
        if is_done.try_recv() != Ok(true) {
            continue;
        }
        appended += 1;
        let last = process(&fs, Rules::default(), 0).store;
        let expected = last.load(&id("old")).unwrap();
        assert_eq!(expected.messages.len(), 2, "moment {moment}");
        let found = last.last_for_directory(Some("/work".as_ref())).unwrap();
        let fresh = fs.stat("old.json").unwrap().is_some();
        assert!(
            fresh && found.unwrap().id.as_str() == "old",
            "moment {moment}"
        );
    }
    assert!(appended > 5, "only {appended} moments");
}

/// Removes every file of the index: nothing in it is needed.
fn forget_index(fs: &MemoryFs) {
    for entry in fs
        .list(".store/index", &mut |_| true)
        .unwrap()
        .unwrap_or_default()
    {
        let name = entry.name.into_string().unwrap();
        assert!(fs.remove(&format!(".store/index/{name}")).unwrap());
    }
}

fn later() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now() + Duration::from_secs(3600)
}

fn turn() -> Append {
    let append = Append::new().message(&Message::user("more")).unwrap();
    append.updated_at(later()).unwrap()
}

fn last_of(fs: &MemoryFs, directory: &str) -> Option<String> {
    let store = process(fs, Rules::default(), 0).store;
    let found = store.last_for_directory(Some(directory.as_ref())).unwrap();
    found.map(|session| session.id.to_string())
}

/// A walk for one directory takes note of all others, and a journal says when its session was changed.
#[test]
fn a_walk_notes_sessions_with_their_journals() {
    let fs = MemoryFs::new();
    let writer = process(&fs, Rules::default(), 0);
    writer.store.save(&session("old", "/work", 1, 1)).unwrap();
    writer.store.save(&session("new", "/work", 1, 5)).unwrap();
    writer.store.append(&id("old"), &turn()).unwrap();
    forget_index(&fs);
    assert_eq!(last_of(&fs, "/elsewhere"), None);
    assert_eq!(last_of(&fs, "/work").as_deref(), Some("old"));
}

/// What a document says of its directory is out of date where its journal says something else.
#[test]
fn a_session_that_an_append_moved_is_found_where_it_is() {
    let fs = MemoryFs::new();
    let writer = process(&fs, Rules::default(), 0);
    writer.store.save(&session("old", "/work", 1, 1)).unwrap();
    let moved = session("old", "/moved", 1, 1).metadata;
    let append = turn().member("metadata", &moved).unwrap();
    writer.store.append(&id("old"), &append).unwrap();
    forget_index(&fs);
    assert_eq!(last_of(&fs, "/moved").as_deref(), Some("old"));
    assert_eq!(last_of(&fs, "/work"), None);
}

/// Another process folds the newest session's journal at each moment of a lookup.
#[test]
fn a_journal_that_is_folded_amid_a_lookup_counts_before_and_after() {
    let mut folded = 0;
    for moment in 0..40 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("old", "/work", 1, 1)).unwrap();
        writer.store.save(&session("new", "/work", 1, 5)).unwrap();
        // So that the order is that of the files alone.
        fs.set_modified("old.json", 1);
        fs.set_modified("new.json", 2);
        writer.store.append(&id("old"), &turn()).unwrap();
        forget_index(&fs);
        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let _ = done.send(writer.store.checkpoint(&id("old")).is_ok());
            })),
        );
        let found = reader.store.last_for_directory(Some("/work".as_ref()));
        reader.fs.settle();
        folded += u32::from(is_done.try_recv() == Ok(true));
        assert_eq!(
            found.unwrap().unwrap().id.as_str(),
            "old",
            "moment {moment}"
        );
    }
    assert!(folded > 5, "only {folded} moments");
}
