//! Promises about adding to blobs and making them durable. A backend whose blobs can only be replaced says so.

use std::io::ErrorKind;

use super::{AREAS, content, get, lock, name_in, put};
use crate::backend::{AppendFile, Area, Backend, Blob, Lock, LockName, OpenBlob};
use crate::error::Error;

/// Opens a blob for adding; `None` where the backend adds to none.
fn open(backend: &dyn Backend, lock: &Lock, blob: &Blob<'_>) -> Option<Box<dyn AppendFile>> {
    match backend.append(lock, blob) {
        Ok(file) => Some(file.expect("a blob that is there can be added to")),
        Err(error) if error.io_kind() == Some(ErrorKind::Unsupported) => None,
        Err(error) => panic!("append: {error}"),
    }
}

fn read_all(file: &dyn OpenBlob) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    let mut at = 0;
    while at < bytes.len() {
        match file.read_at(&mut bytes[at..], at as u64).expect("read") {
            0 => break,
            count => at += count,
        }
    }
    bytes.truncate(at);
    bytes
}

pub(super) fn nothing_is_added_to_nothing(backend: &dyn Backend) {
    let held = lock(backend);
    for area in AREAS {
        let blob = Blob::new(area, name_in(area));
        match backend.append(&held, &blob) {
            Ok(None) => {}
            Err(error) if error.io_kind() == Some(ErrorKind::Unsupported) => {}
            other => panic!("a blob that is not there is not begun by adding to it: {other:?}"),
        }
        assert_eq!(backend.stat(&blob).expect("stat"), None, "nothing was made");
        let persisted = backend.persist(&held, &blob);
        assert_eq!(
            persisted.err().and_then(|error| error.io_kind()),
            Some(ErrorKind::NotFound),
            "what is not there cannot be made durable"
        );
    }
    for name in ["", "..", "a/b", "../x"] {
        for blob in [Blob::session(name), Blob::journal(name)] {
            for answer in [
                backend.append(&held, &blob).map(drop),
                backend.persist(&held, &blob),
            ] {
                let refused = matches!(&answer, Err(Error::InvalidId(_)));
                let unsupported = answer
                    .as_ref()
                    .is_err_and(|error| error.io_kind() == Some(ErrorKind::Unsupported));
                assert!(refused || unsupported, "{name:?} is no id: {answer:?}");
            }
        }
    }
}

pub(super) fn what_is_added_stands_at_the_end(backend: &dyn Backend) {
    let blob = Blob::journal("one");
    put(backend, &blob, b"begun");
    let reader = backend.open(&blob).expect("open").expect("it is there");
    let held = lock(backend);
    let Some(mut file) = open(backend, &held, &blob) else {
        return;
    };
    for (bytes, whole) in [
        (&b" more"[..], &b"begun more"[..]),
        (b" and more", b"begun more and more"),
    ] {
        file.write_all(bytes).expect("write");
        file.commit().expect("commit");
        let stat = file.stat().expect("stat");
        assert_eq!(
            stat.size,
            whole.len() as u64,
            "the open file knows its size"
        );
        assert_eq!(
            backend.stat(&blob).expect("stat"),
            Some(stat),
            "the open file is the one with the name"
        );
        assert_eq!(content(backend, &blob).as_deref(), Some(whole));
        assert_eq!(
            read_all(&*reader),
            whole,
            "an open reader sees what is added"
        );
    }
    drop(file);
    let mut again = open(backend, &held, &blob).expect("a backend adds always or never");
    again.write_all(b"!").expect("write");
    again.commit().expect("commit");
    assert_eq!(
        content(backend, &blob).as_deref(),
        Some(&b"begun more and more!"[..]),
        "adding goes on where it ended"
    );
}

pub(super) fn a_cut_is_where_the_next_write_goes(backend: &dyn Backend) {
    let blob = Blob::journal("one");
    put(backend, &blob, b"whole and torn");
    let held = lock(backend);
    let Some(mut file) = open(backend, &held, &blob) else {
        return;
    };
    file.truncate(5).expect("truncate");
    assert_eq!(content(backend, &blob).as_deref(), Some(&b"whole"[..]));
    file.write_all(b" again").expect("write");
    file.commit().expect("commit");
    assert_eq!(
        content(backend, &blob).as_deref(),
        Some(&b"whole again"[..]),
        "neither the old bytes nor a hole are between"
    );
}

pub(super) fn an_open_journal_is_not_its_successor(backend: &dyn Backend) {
    let blob = Blob::journal("one");
    put(backend, &blob, b"old");
    let held = lock(backend);
    let Some(mut file) = open(backend, &held, &blob) else {
        return;
    };
    drop(held);
    put(backend, &blob, b"new");
    // A journal that was replaced must not get what its writer still holds back.
    file.write_all(b"late").expect("write");
    assert_eq!(content(backend, &blob).as_deref(), Some(&b"new"[..]));
    assert_ne!(
        file.stat().ok(),
        backend.stat(&blob).expect("stat"),
        "and its writer can tell"
    );
}

pub(super) fn what_is_persisted_stays_as_it_is(backend: &dyn Backend) {
    for area in [Area::Sessions, Area::Journal, Area::Trash] {
        let blob = Blob::new(area, "one");
        put(backend, &blob, b"content");
        let before = get(backend, &blob);
        backend.persist(&lock(backend), &blob).expect("persist");
        assert_eq!(
            get(backend, &blob),
            before,
            "neither bytes nor times change"
        );
    }
}

pub(super) fn a_turn_is_seen_by_who_looked_before(backend: &dyn Backend) {
    let turns = |name: &str| {
        let shown = backend.turns(LockName::Session(name)).expect("turns");
        shown.map(|shown| shown.stat().expect("stat"))
    };
    for name in ["", "..", "a/b"] {
        let refused = backend.turns(LockName::Session(name)).map(drop);
        assert!(
            matches!(refused, Ok(()) | Err(Error::InvalidId(_))),
            "{name:?} is no id: {refused:?}"
        );
    }
    let held = lock(backend);
    let Some(shown) = backend.turns(LockName::Session("one")).expect("turns") else {
        // Then there is nothing to look at, ever.
        held.turn().expect("turn");
        assert_eq!(turns("one"), None, "a backend shows turns always or never");
        return;
    };
    let mut before = shown.stat().expect("stat");
    for _ in 0..3 {
        assert_eq!(turns("one"), Some(before), "looking is no turn");
        held.turn().expect("turn");
        let now = shown.stat().expect("stat");
        assert_ne!(now, before, "a turn is seen by who has it open");
        before = now;
    }
    drop(held);
    let other = backend
        .lock(LockName::Session("two"), super::LONG)
        .expect("a free lock is taken");
    other.turn().expect("turn");
    assert_eq!(
        turns("one"),
        Some(before),
        "another lock's turn is not this one's"
    );
    let again = lock(backend);
    again.turn().expect("turn");
    assert_ne!(
        shown.stat().expect("stat"),
        before,
        "nor does it end with its holder"
    );
}
