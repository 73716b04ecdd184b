//! Listing, deleting, and the trash.

use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use session_store::{Counts, Cursor, Query, SessionStore};

use crate::support::{Scratch, id, moment, names, session};

fn ids(listing: &session_store::Listing) -> Vec<String> {
    listing.rows.iter().map(|row| row.id.to_string()).collect()
}

#[test]
fn a_store_that_does_not_exist_is_empty() {
    let scratch = Scratch::new();
    let listing = scratch.store().list(&Query::new()).unwrap();
    assert!(listing.rows.is_empty() && listing.skipped.is_empty() && listing.next.is_none());
    assert_eq!(names(&scratch.sessions()), [""; 0]);
}

#[test]
fn rows_say_what_the_documents_say() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut written = session("s", "/work", 7, 3);
    written.title = Some("Title".into());
    written.agent = "build".into();
    written.metadata.model = Some("large".into());
    store.save(&written).unwrap();
    let row = store.list(&Query::new()).unwrap().rows.remove(0);
    assert_eq!(row.id, written.id);
    assert_eq!(row.title, written.title);
    assert_eq!(row.agent.as_deref(), Some("build"));
    assert_eq!(row.model, written.metadata.model);
    assert_eq!(row.directory, written.metadata.directory);
    assert_eq!(
        (row.created_at, row.updated_at),
        (written.created_at, written.updated_at)
    );
    assert_eq!(row.messages, Some(7));
    assert_eq!(
        row.bytes,
        fs::metadata(store.path(&written.id)).unwrap().len()
    );
    assert_eq!(
        row.modified,
        fs::metadata(store.path(&written.id))
            .unwrap()
            .modified()
            .unwrap()
    );
    let row = store
        .list(&Query::new().counts(Counts::Skip))
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(row.messages, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_together_are_the_whole_listing_in_order(
        times in proptest::collection::vec((0..4_u64, 0..4_u64, 0..2_usize), 0..12),
        page in 1..5_usize,
    ) {
        let scratch = Scratch::new();
        let store = scratch.store();
        let mut expected = Vec::new();
        for (n, (updated, modified, place)) in times.into_iter().enumerate() {
            let name = format!("s{n}");
            store.save(&session(&name, format!("/work/{place}"), 1, updated)).unwrap();
            scratch.touch(&format!("{name}.json"), moment(modified));
            if place == 0 {
                expected.push((updated.min(modified), updated, name));
            }
        }
        expected.sort_by(|a, b| b.cmp(a));
        let expected: Vec<String> = expected.into_iter().map(|(_, _, name)| name).collect();
        let query = Query::new().workspace("/work/0");
        prop_assert_eq!(&ids(&store.list(&query).unwrap()), &expected);

        let mut paged = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let query = query.clone().limit(page);
            let query = match cursor.take() {
                // A cursor survives being kept as text.
                Some(cursor) => query.after(cursor.to_string().parse().unwrap()),
                None => query,
            };
            let listing = store.list(&query).unwrap();
            paged.extend(ids(&listing));
            match listing.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        prop_assert_eq!(paged, expected);
    }
}

#[test]
fn deleting_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    assert!(store.delete(&id("s")).unwrap());
    assert!(!store.delete(&id("s")).unwrap());
    assert!(store.load(&id("s")).unwrap_err().is_not_found());
    assert!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .is_none()
    );
    assert_eq!(scratch.names(), [".store"]);
    assert_eq!(names(&scratch.file(".store/trash")), [""; 0]);
    assert_eq!(names(&scratch.file(".store/tmp")), [""; 0]);
}

#[test]
fn what_cannot_be_read_can_be_deleted() {
    let scratch = Scratch::new();
    scratch.write("broken.json", "{");
    let store = scratch.store();
    assert!(store.delete(&id("broken")).unwrap());
    assert_eq!(scratch.names(), [".store"]);
}

#[test]
fn a_deletion_that_a_crash_cut_short_is_finished_at_the_next_open() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    store.trash(&id("s")).unwrap();
    let kept = names(&scratch.file(".store/trash"));
    fs::write(scratch.file(".store/trash/t.0123456789abcdef.erased"), "{}").unwrap();
    fs::write(scratch.file(".store/trash/somebody else's"), "?").unwrap();
    let store = scratch.store();
    assert!(store.warnings().is_empty());
    let mut expected = kept;
    expected.push("somebody else's".into());
    expected.sort();
    assert_eq!(names(&scratch.file(".store/trash")), expected);
}

#[test]
fn the_trash_keeps_a_way_back() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (old, new) = (session("s", "/work", 1, 1), session("s", "/work", 2, 2));
    store.save(&old).unwrap();
    assert!(store.trash(&old.id).unwrap());
    assert!(!store.trash(&old.id).unwrap());
    assert!(store.list(&Query::new()).unwrap().rows.is_empty());
    store.save(&new).unwrap();
    // What is there is not replaced, and nothing is lost of the trash.
    assert!(store.restore(&old.id).unwrap_err().is_conflict());
    assert_eq!(store.trashed().unwrap().len(), 1);
    store.delete(&new.id).unwrap();
    assert!(store.restore(&old.id).unwrap());
    assert!(!store.restore(&old.id).unwrap());
    assert_eq!(store.load(&old.id).unwrap(), old);
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap(),
        old
    );
}

#[test]
fn the_trash_is_emptied_by_age_and_by_nothing_else() {
    let scratch = Scratch::new();
    let store: SessionStore = scratch.store();
    for name in ["a", "b"] {
        store.save(&session(name, "/work", 1, 1)).unwrap();
        store.trash(&id(name)).unwrap();
    }
    assert_eq!(store.empty_trash(Duration::from_secs(3_600)).unwrap(), 0);
    assert_eq!(store.trashed().unwrap().len(), 2);
    assert_eq!(store.empty_trash(Duration::ZERO).unwrap(), 2);
    assert_eq!(names(&scratch.file(".store/trash")), [""; 0]);
    assert!(!store.restore(&id("a")).unwrap());
}

#[test]
fn one_session_that_is_held_keeps_no_other_in_the_trash() {
    let scratch = Scratch::new();
    let store: SessionStore = SessionStore::builder(scratch.sessions())
        .lock_wait(Duration::ZERO)
        .open()
        .unwrap();
    for name in ["a", "b", "c"] {
        store.save(&session(name, "/work", 1, 1)).unwrap();
        store.trash(&id(name)).unwrap();
    }
    store.save(&session("b", "/work", 2, 1)).unwrap();
    let held = store.writer(&id("b")).unwrap();
    assert!(store.empty_trash(Duration::ZERO).unwrap_err().is_locked());
    let left: Vec<_> = store.trashed().unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].id, "b");
    drop(held);
    assert_eq!(store.empty_trash(Duration::ZERO).unwrap(), 1);
}
