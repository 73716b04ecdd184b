//! A listing that believes its catalogue, and a journal that is folded in the middle of it.

use session_index::Rules;
use session_store::fs::{FileSystem as _, MemoryFs};
use session_store::{Append, Message, Query};

use super::hooked::Event;
use super::memory::{process, put};
use crate::support::{id, session};

/// Another process folds a journal at each moment of a listing: what a reader has seen before it does not go again.
#[test]
fn a_fold_amid_a_listing_takes_nothing_away() {
    let mut folded = 0;
    for moment in 0..40 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("s", "/work", 1, 1)).unwrap();
        let reader = process(&fs, Rules::default(), 1);
        let messages = || reader.store.list(&Query::new()).unwrap().rows[0].messages;
        // The catalogue knows the document, which is older than the journal.
        let before = messages().unwrap();
        let append = Append::new().message(&Message::user("more")).unwrap();
        writer.store.append(&id("s"), &append).unwrap();
        assert_eq!(messages(), Some(before + 1));
        let (done, is_done) = std::sync::mpsc::channel();
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let _ = done.send(writer.store.checkpoint(&id("s")).unwrap());
            })),
        );
        assert_eq!(messages(), Some(before + 1), "moment {moment}");
        reader.fs.settle();
        folded += u64::from(is_done.try_recv() == Ok(true));
    }
    assert!(folded > 3, "too few to mean anything");
}

/// A foreign program puts an old document in the place of one that was appended to: what is left of the journal is none of
/// its, and does not say when it was changed.
#[test]
fn a_displaced_journal_moves_no_row() {
    let fs = MemoryFs::new();
    let store = process(&fs, Rules::default(), 0).store;
    let old = session("a", "/work", 1, 5);
    store.save(&old).unwrap();
    store.save(&session("b", "/work", 1, 4)).unwrap();
    let append = Append::new().message(&Message::user("more")).unwrap();
    store.append(&id("a"), &append).unwrap();
    let modified = i128::from(crate::support::time(3).timestamp()) * 1_000_000_000;
    put(
        &fs,
        "a.json",
        &serde_json::to_vec(&old).unwrap(),
        Some(modified),
    );
    for _ in 0..2 {
        let listing = store.list(&Query::new()).unwrap();
        let ids: Vec<_> = listing.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(store.last().unwrap().unwrap().id.as_str(), "b");
    }
}

/// A foreign program removes a document whose journal stays: that costs the listings after it no proof.
#[test]
fn a_journal_without_a_document_leaves_listings_their_catalogue() {
    let fs = MemoryFs::new();
    let process = process(&fs, Rules::default(), 0);
    let store = &process.store;
    for name in ["a", "b", "c"] {
        store.save(&session(name, "/work", 1, 1)).unwrap();
    }
    let append = Append::new().message(&Message::user("more")).unwrap();
    store.append(&id("b"), &append).unwrap();
    store.list(&Query::new()).unwrap();
    assert!(fs.remove("b.json").unwrap());
    // How often a directory is listed: that of the journals, and that of the sessions where nothing is proven.
    let lists = || {
        process.fs.take_calls();
        let rows = store.list(&Query::new()).unwrap().rows;
        assert_eq!(rows.len(), 2);
        let calls = process.fs.take_calls().into_iter();
        calls.filter(|call| *call == "list").count()
    };
    assert_eq!([lists(), lists(), lists()], [2, 1, 1]);
    // What comes in its place is seen.
    let back = serde_json::to_vec(&session("b", "/work", 4, 1)).unwrap();
    put(&fs, "b.json", &back, None);
    assert_eq!(store.list(&Query::new()).unwrap().rows.len(), 3);
}
