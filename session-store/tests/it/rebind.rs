//! Sessions of a directory that was moved.

use std::ffi::OsStr;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use session_store::{Error, Progress, Query, Rebind, Session, SessionStore};

use crate::support::{Scratch, id, session};

fn directories(store: &SessionStore) -> Vec<(String, PathBuf)> {
    let rows = store.list(&Query::new()).unwrap().rows;
    let directory = |row: session_store::SessionSummary| {
        (row.id.to_string(), row.directory.unwrap_or_default())
    };
    let mut directories: Vec<_> = rows.into_iter().map(directory).collect();
    directories.sort();
    directories
}

fn filled(scratch: &Scratch) -> SessionStore {
    let store = scratch.store();
    for (at, (name, directory)) in [
        ("exact", "/old/place"),
        ("below", "/old/place/deep/er"),
        ("sibling", "/old/place2"),
        ("up", "/old/place/../other"),
        ("above", "/old"),
    ]
    .iter()
    .enumerate()
    {
        store.save(&session(name, directory, 2, at as u64)).unwrap();
    }
    store
}

#[test]
fn sessions_of_a_moved_directory_move_with_it_and_no_others() {
    let scratch = Scratch::new();
    let store = filled(&scratch);
    let before = store.list(&Query::new()).unwrap();
    let order: Vec<_> = before.rows.iter().map(|row| row.id.clone()).collect();

    let tried = store.rebind("/old/place", "/new", Rebind::DryRun).unwrap();
    assert_eq!(tried.sessions.len(), 2);
    assert!(
        tried
            .sessions
            .iter()
            .all(|one| matches!(one.outcome, Ok(None)))
    );
    assert_eq!(
        directories(&store)[1],
        ("below".into(), "/old/place/deep/er".into())
    );

    let done = store.rebind("/old/place/", "/new", Rebind::Apply).unwrap();
    assert!(done.skipped.is_empty());
    for one in &done.sessions {
        assert_eq!(
            one.outcome.as_ref().unwrap().as_ref(),
            Some(
                &store
                    .load_tail(&one.id, session_store::Window::all())
                    .unwrap()
                    .revision()
            )
        );
    }
    let expected: [(String, PathBuf); 5] = [
        ("above".into(), "/old".into()),
        ("below".into(), "/new/deep/er".into()),
        ("exact".into(), "/new".into()),
        ("sibling".into(), "/old/place2".into()),
        ("up".into(), "/old/place/../other".into()),
    ];
    assert_eq!(directories(&store), expected);
    let after: Vec<_> = store
        .list(&Query::new())
        .unwrap()
        .rows
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(after, order, "activity is not what a move is");
    let last = |directory: &str| {
        store
            .last_for_directory(Some(Path::new(directory)))
            .unwrap()
    };
    assert_eq!(last("/new").map(|session| session.id), Some(id("exact")));
    assert_eq!(last("/old/place"), None);
    assert!(
        store
            .rebind("/old/place", "/new", Rebind::Apply)
            .unwrap()
            .sessions
            .is_empty()
    );
}

/// Whoever calls again because one session was busy must not move the others twice.
#[test]
fn a_directory_below_the_old_one_is_refused_and_reached_by_way_of_another() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("a", "/p", 1, 1)).unwrap();
    store.save(&session("b", "/p/sub", 1, 2)).unwrap();
    for to in ["/p/app", "/p/app/.", "/p/sub"] {
        for how in [Rebind::DryRun, Rebind::Apply] {
            let error = store.rebind("/p", to, how).unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{error}");
        }
    }
    for (from, to) in [
        ("/p", "/away"),
        ("/p", "/away"),
        ("/away", "/p/app"),
        ("/away", "/p/app"),
    ] {
        store.rebind(from, to, Rebind::Apply).unwrap();
    }
    let moved = [("a", "/p/app"), ("b", "/p/app/sub")];
    let moved = moved.map(|(id, directory)| (id.to_owned(), directory.into()));
    assert_eq!(directories(&store), moved);
    // Up again: one that would stay below is named each time, and not moved by any.
    store.save(&session("c", "/p/app/app", 1, 3)).unwrap();
    for _ in 0..2 {
        let done = store.rebind("/p/app", "/p", Rebind::Apply).unwrap();
        let refused = done.sessions.iter().filter(|one| one.outcome.is_err());
        assert_eq!(refused.map(|one| &*one.id).collect::<Vec<_>>(), ["c"]);
    }
    let moved = [("a", "/p"), ("b", "/p/sub"), ("c", "/p/app/app")];
    let moved = moved.map(|(id, directory)| (id.to_owned(), directory.into()));
    assert_eq!(directories(&store), moved);
}

#[test]
fn nothing_but_the_directory_changes() {
    let scratch = Scratch::new();
    let store = scratch.store();
    // Either layout, unknown members, numbers of any size, odd white space.
    let text = r#"{ "id":"s", "pages": [1, 2.50, 123456789012345678901234567890],
        "metadata": {"x":{"directory":"/old"}, "directory" : "/old/a", "model":"m", "n":1e400},
        "messages":[{"role":"user","content":[{"type":"text","text":"\u00e9"}]}],"updated_at":"2026-01-01T00:00:00Z"}"#;
    scratch.write("s.json", text);
    store.rebind("/old", "/n\"ew", Rebind::Apply).unwrap();
    let after = fs::read_to_string(scratch.file("s.json")).unwrap();
    let metadata = r#"{"x":{"directory":"/old"},"directory":"/n\"ew/a","model":"m","n":1e400}"#;
    let (head, tail) = (
        text.find("{\"x\"").unwrap(),
        text.find(",\n        \"messages\"").unwrap(),
    );
    assert_eq!(&after[..head], &text[..head]);
    assert!(after[head..].starts_with(metadata), "{after}");
    assert!(
        after[head + metadata.len()..].starts_with(text[tail..].trim_end_matches('}')),
        "{after}"
    );
}

#[test]
fn bytes_that_are_not_utf_8_come_and_go_with_their_directory() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let odd = Path::new(OsStr::from_bytes(b"/odd\xff"));
    store.save(&session("s", odd, 1, 1)).unwrap();
    store.rebind(odd, "/plain", Rebind::Apply).unwrap();
    let text = fs::read_to_string(scratch.file("s.json")).unwrap();
    assert!(!text.contains("directory_bytes"));
    assert_eq!(directories(&store), [("s".into(), "/plain".into())]);
    store.rebind("/plain", odd, Rebind::Apply).unwrap();
    assert_eq!(directories(&store), [("s".into(), odd.to_owned())]);
    assert_eq!(store.load(&id("s")).unwrap(), session("s", odd, 1, 1));
}

#[test]
fn a_handle_that_has_seen_the_old_directory_does_not_bring_it_back() {
    let scratch = Scratch::new();
    let store = filled(&scratch);
    let seen: Session = store.load(&id("exact")).unwrap();
    store.rebind("/old/place", "/new", Rebind::Apply).unwrap();
    assert!(store.save(&seen).unwrap_err().is_conflict());
    let other = store.clone();
    let fresh = other.load(&id("exact")).unwrap();
    assert_eq!(fresh.metadata.directory.as_deref(), Some(Path::new("/new")));
    other.save(&fresh).unwrap();
}

#[test]
fn one_that_cannot_be_changed_is_named_and_stops_no_other() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("good", "/old", 1, 1)).unwrap();
    scratch.write(
        "twice.json",
        r#"{"id":"twice","metadata":{"directory":"/x","directory":"/old"},"messages":[]}"#,
    );
    scratch.write(
        "broken.json",
        r#"{"id":"broken","metadata":{"directory":"/old"},"messages":[}"#,
    );
    let done = store.rebind("/old", "/new", Rebind::Apply).unwrap();
    let failed: Vec<_> = done
        .sessions
        .iter()
        .filter(|one| one.outcome.is_err())
        .map(|one| one.id.to_string())
        .collect();
    assert_eq!(done.sessions.len(), failed.len() + 1, "{done:?}");
    assert_eq!(
        store
            .load(&id("good"))
            .unwrap()
            .metadata
            .directory
            .as_deref(),
        Some(Path::new("/new"))
    );
    for name in failed {
        assert!(
            fs::read_to_string(scratch.file(&format!("{name}.json")))
                .unwrap()
                .contains("/old")
        );
    }
    let reader = SessionStore::builder(scratch.sessions())
        .read_only()
        .open()
        .unwrap();
    let refused = reader
        .rebind("/new", "/old", Rebind::Apply)
        .unwrap()
        .sessions;
    assert!(refused[0].outcome.as_ref().unwrap_err().is_read_only());
    assert!(store.rebind("relative", "/new", Rebind::Apply).is_err());
}

/// Where nothing moves, nothing is written.
#[test]
fn a_directory_that_stays_is_not_rebound() {
    let scratch = Scratch::new();
    let store = filled(&scratch);
    let before = fs::read(store.path(&id("exact"))).unwrap();
    let stat = || fs::metadata(store.path(&id("exact"))).unwrap().ino();
    let inode = stat();
    let told = Arc::new(Mutex::new(Progress::default()));
    let last = Arc::clone(&told);
    let rebinding = store
        .rebind_watched("/old/place", "/old/place", Rebind::Apply, move |progress| {
            *last.lock().unwrap() = *progress;
            ControlFlow::Continue(())
        })
        .unwrap();
    let told = *told.lock().unwrap();
    assert!(told.of > 0 && told.files == told.of, "{told:?}");
    assert!(!rebinding.sessions.is_empty());
    for one in &rebinding.sessions {
        assert!(matches!(one.outcome, Ok(None)), "{one:?}");
    }
    assert_eq!(
        (stat(), fs::read(store.path(&id("exact"))).unwrap()),
        (inode, before)
    );
}
