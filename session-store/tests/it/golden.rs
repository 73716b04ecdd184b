//! Stores that released versions of the format left behind, read by this one.
//!
//! `tests/fixtures/format-N/` is a sessions directory of format version N. What was released stays; a new version adds one.

use std::fs;
use std::path::{Path, PathBuf};

use session_store::{Append, FooterUse, Message, Query, SessionStore, Window};

use crate::support::{Scratch, id, session};

fn golden(version: u32) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(format!("format-{version}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// Writes a store like the one that is kept. Run by hand when a format version is released.
#[test]
#[ignore = "writes fixtures, to where GOLDEN says"]
fn write_a_golden_store() {
    let root = std::env::var_os("GOLDEN").expect("a directory to write to");
    let store = SessionStore::open(PathBuf::from(root)).unwrap();
    store
        .save(&session("footed", "/home/me/app", 40, 1))
        .unwrap();
    let journaled = session("journaled", "/home/me/app", 2, 2);
    store.save(&journaled).unwrap();
    for text in ["third", "fourth"] {
        let turn = Append::new().message(&Message::user(text)).unwrap();
        store.append(&journaled.id, &turn).unwrap();
    }
}

#[test]
fn version_1_is_read_with_its_footer_and_its_journal() {
    let scratch = Scratch::new();
    copy(&golden(1), &scratch.sessions());
    let store = scratch.store();

    let whole = store.load(&id("footed")).unwrap();
    assert_eq!(whole, session("footed", "/home/me/app", 40, 1));
    let tail = store.load_tail(&id("footed"), Window::last(2)).unwrap();
    assert_eq!(tail.footer(), FooterUse::Used);
    assert_eq!(tail.dropped().get("messages"), 38);
    assert_eq!(tail.messages, whole.messages[38..]);

    let journaled = store.load(&id("journaled")).unwrap();
    let mut expected = session("journaled", "/home/me/app", 2, 2);
    expected.push(Message::user("third"));
    expected.push(Message::user("fourth"));
    // An append says when it was made.
    assert!(journaled.updated_at > expected.updated_at);
    expected.updated_at = journaled.updated_at;
    assert_eq!(journaled, expected);

    let listing = store.list(&Query::new()).unwrap();
    assert_eq!(listing.rows.len(), 2);
    assert!(listing.skipped.is_empty(), "{:?}", listing.skipped);

    // And written on.
    let turn = Append::new().message(&Message::user("fifth")).unwrap();
    store.append(&id("journaled"), &turn).unwrap();
    expected.push(Message::user("fifth"));
    let again = store.load(&id("journaled")).unwrap();
    assert_eq!(again.messages, expected.messages);
}

#[test]
fn the_body_of_version_1_is_what_is_written_today() {
    // Byte for byte: whoever changes this changes the format. Footers may mark other places.
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .save(&session("footed", "/home/me/app", 40, 1))
        .unwrap();
    let written = fs::read(store.path(&id("footed"))).unwrap();
    let kept = fs::read(golden(1).join("footed.json")).unwrap();
    let body = |bytes: &[u8]| {
        let end = memchr::memmem::find(bytes, b",\"session_footer\"").unwrap();
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    };
    assert_eq!(body(&written), body(&kept));
}
