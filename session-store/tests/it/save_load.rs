//! Save and load, and the rules that keep one writer from undoing another.

use session_store::{ConflictReason, Error, Limits, Message, Session, SessionStore, Window};

use crate::support::{Scratch, id, session, time, transcripts};

fn reason(result: Result<impl Sized, Error>) -> Option<ConflictReason> {
    match result {
        Err(Error::Conflict { reason, .. }) => Some(reason),
        Err(other) => panic!("not a conflict: {other}"),
        Ok(_) => None,
    }
}

#[test]
fn what_was_saved_is_loaded() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let saved = session("a", "/work", 3, 1);
    store.save(&saved).unwrap();
    assert_eq!(store.load(&saved.id).unwrap(), saved);
    assert_eq!(scratch.names(), [".store", "a.json"]);
}

#[test]
fn nothing_is_written_before_the_first_save() {
    let scratch = Scratch::new();
    let store = scratch.store();
    assert!(store.load(&id("a")).unwrap_err().is_not_found());
    assert!(store.last().unwrap().is_none());
    assert!(!store.delete(&id("a")).unwrap_or(false));
    assert!(!scratch.file("a.json").exists());
}

#[test]
fn transcripts_survive_load_and_save_with_equal_values() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for (name, original) in transcripts() {
        let value: serde_json::Value = serde_json::from_slice(&original).unwrap();
        let loaded: Session = serde_json::from_slice(&original).unwrap();
        // The same session is there in several versions, each of which replaces the one before.
        store.overwrite(&loaded).unwrap();
        let stored = std::fs::read(store.path(&loaded.id)).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&stored).unwrap(),
            value,
            "{name}"
        );
        assert_eq!(store.load(&loaded.id).unwrap(), loaded, "{name}");
    }
}

#[test]
fn a_stale_save_is_a_conflict_and_writes_nothing() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    let mut first = session("s", "/work", 1, 1);
    a.save(&first).unwrap();
    let mut second = b.load(&first.id).unwrap();
    second.push(Message::user("from b"));
    b.save(&second).unwrap();

    let on_disk = std::fs::read(a.path(&first.id)).unwrap();
    first.push(Message::user("from a"));
    assert_eq!(reason(a.save(&first)), Some(ConflictReason::Changed));
    assert_eq!(std::fs::read(a.path(&first.id)).unwrap(), on_disk);

    // Loading again, or saying so by name, resolves it.
    let mut merged = a.load(&first.id).unwrap();
    merged.push(Message::user("from a"));
    a.save(&merged).unwrap();
    b.overwrite(&second).unwrap();
    assert_eq!(a.load(&first.id).unwrap(), second);
}

#[test]
fn a_save_without_having_seen_the_session_is_a_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    assert_eq!(
        reason(store.clone().save(&whole)),
        Some(ConflictReason::NeverSeen)
    );
    assert_eq!(reason(store.save(&whole)), None);
}

#[test]
fn a_save_of_a_session_that_was_removed_is_a_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    assert!(store.clone().delete(&whole.id).unwrap());
    assert_eq!(reason(store.save(&whole)), Some(ConflictReason::Gone));
    store.overwrite(&whole).unwrap();
    // Whoever removed it knows that it is gone.
    assert!(store.delete(&whole.id).unwrap());
    store.save(&whole).unwrap();
}

#[test]
fn a_file_that_was_only_touched_is_no_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    scratch.touch("s.json", crate::support::moment(77));
    assert_eq!(reason(store.save(&whole)), None);
}

#[test]
fn another_writer_between_two_equal_saves_is_not_forgotten() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    let (x, y) = (session("s", "/work", 1, 1), session("s", "/work", 2, 2));
    a.save(&x).unwrap();
    b.overwrite(&y).unwrap();
    assert_eq!(reason(a.save(&x)), Some(ConflictReason::Changed));
    a.overwrite(&x).unwrap();
    assert_eq!(b.load(&x.id).unwrap(), x);
}

#[test]
fn a_window_never_replaces_the_history() {
    let scratch = Scratch::new();
    let history = session("s", "/work", 10, 1);
    scratch.store().save(&history).unwrap();

    let store = scratch.store();
    let tail = store.load_tail(&history.id, Window::last(2)).unwrap();
    let mut clone: Session = (*tail).clone();
    clone.push(Message::user("one more"));
    assert_eq!(reason(store.save(&clone)), Some(ConflictReason::NeverSeen));
    assert!(store.overwrite(&clone).unwrap_err().is_partial());
    // Not even when the handle appends to the window in between.
    store
        .append(
            &history.id,
            &session_store::Append::new()
                .message(&Message::user("x"))
                .unwrap(),
        )
        .unwrap();
    assert_eq!(reason(store.save(&clone)), Some(ConflictReason::NeverSeen));
    assert!(store.overwrite(&clone).unwrap_err().is_partial());
    assert_eq!(store.load(&history.id).unwrap().messages.len(), 11);
    // Having loaded it whole, the handle may.
    store.overwrite(&clone).unwrap();
}

#[test]
fn a_window_that_dropped_nothing_does_not_count_as_seen_either() {
    let scratch = Scratch::new();
    let history = session("s", "/work", 2, 1);
    scratch.store().save(&history).unwrap();
    let store = scratch.store();
    let tail = store.load_tail(&history.id, Window::all()).unwrap();
    assert_eq!(tail.dropped().total(), 0);
    assert_eq!(
        reason(store.save(&(*tail).clone())),
        Some(ConflictReason::NeverSeen)
    );
    store.overwrite(&(*tail).clone()).unwrap();
}

#[test]
fn the_last_session_of_a_directory_may_be_saved_after_it_was_loaded() {
    let scratch = Scratch::new();
    scratch.store().save(&session("s", "/work", 2, 1)).unwrap();
    let store = scratch.store();
    let mut last = store
        .last_for_directory(Some("/work".as_ref()))
        .unwrap()
        .unwrap();
    last.push(Message::user("next"));
    last.touch(time(2));
    store.save(&last).unwrap();
}

#[test]
fn what_save_refuses_leaves_the_file_as_it_was() {
    let scratch = Scratch::new();
    let limits = Limits::default().document(4_000).element(1_000).depth(12);
    let store = SessionStore::builder(scratch.sessions())
        .limits(limits)
        .open()
        .unwrap();
    let good = session("s", "/work", 2, 1);
    store.save(&good).unwrap();
    let before = std::fs::read(store.path(&good.id)).unwrap();

    let mut large = good.clone();
    large.messages = (0..100)
        .map(|n| Message::user(format!("a message of some length {n}")))
        .collect();
    let mut long = good.clone();
    long.push(Message::user("x".repeat(1_001)));
    let mut deep = good.clone();
    let nested = format!("{}1{}", "[".repeat(12), "]".repeat(12));
    deep.extra
        .insert("nested", session_store::RawJson::from_text(nested).unwrap());
    for (what, refused) in [
        ("document bytes", large),
        ("element bytes", long),
        ("depth", deep),
    ] {
        match store.save(&refused) {
            Err(Error::TooLarge { what: named, .. }) => assert_eq!(named, what),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(
            std::fs::read(store.path(&good.id)).unwrap(),
            before,
            "{what}"
        );
        assert_eq!(
            crate::support::names(&scratch.file(".store/tmp")),
            [""; 0],
            "{what}"
        );
    }
    assert_eq!(store.load(&good.id).unwrap(), good);
}
