//! A redactor that is set on sessions which are there already: what is made anew is shown to it, what is moved is not.

use std::fs;

use session_store::{Append, Message, Rebind, Session, SessionStore};

use crate::redact::{CANARY, Cat, INSTEAD, everywhere};
use crate::support::{Scratch, id};

/// A session of before, and a store that redacts.
fn before() -> (Scratch, SessionStore, Session) {
    let scratch = Scratch::new();
    let session = everywhere();
    scratch.store().save(&session).unwrap();
    let store = redacting(&scratch);
    (scratch, store, session)
}

fn redacting(scratch: &Scratch) -> SessionStore {
    SessionStore::builder(scratch.sessions())
        .redactor(Cat)
        .open()
        .unwrap()
}

/// How often the canary is in the document of that name, however its first letter is spelled.
fn sings(store: &SessionStore, name: &str) -> usize {
    let text = fs::read_to_string(store.path(&id(name))).unwrap();
    let plain = text.replace("\\u0063", "c");
    plain.matches(CANARY).count()
}

#[test]
fn what_salvage_writes_is_redacted_as_what_a_save_writes() {
    let (_scratch, store, session) = before();
    let path = store.path(&session.id);
    // The journal's part is from before, too.
    let say = Message::user(format!("late {CANARY}"));
    let append = Append::new().message(&say).unwrap();
    SessionStore::open(store.root())
        .unwrap()
        .append(&session.id, &append)
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 3;
    bytes[at] = 0;
    fs::write(&path, &bytes).unwrap();
    let report = store.salvage(&session.id).unwrap().unwrap();
    assert_eq!(sings(&store, report.id.as_str()), 0);
    let salvaged = store.load(&report.id).unwrap();
    assert_eq!(salvaged.title, Some(format!("on {INSTEAD}")));
    assert_eq!(salvaged.messages.len(), session.messages.len() + 1);
    let last = salvaged.messages.last().unwrap();
    assert_eq!(*last, Message::user(format!("late {INSTEAD}")));
    // Saving it as it was loaded changes nothing: that is what a save would have written.
    let once = fs::read(store.path(&report.id)).unwrap();
    store.save(&salvaged).unwrap();
    assert_eq!(fs::read(store.path(&report.id)).unwrap(), once);
    // Nothing is deleted: the damaged document lies in quarantine as it was.
    let aside = store.quarantined().unwrap();
    let kept = aside.iter().map(|aside| {
        let path = store.root().join(".store/quarantine").join(&aside.name);
        fs::read(path).unwrap()
    });
    assert!(kept.into_iter().any(|kept| kept == bytes));
}

#[test]
fn without_a_redactor_salvage_changes_no_text() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let session = everywhere();
    store.save(&session).unwrap();
    let path = store.path(&session.id);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"garbage");
    fs::write(&path, &bytes).unwrap();
    let report = store.salvage(&session.id).unwrap().unwrap();
    assert_eq!(store.load(&report.id).unwrap().messages, session.messages);
    assert!(sings(&store, report.id.as_str()) > 5);
}

#[test]
fn what_is_moved_stays_as_it_was_until_it_is_saved() {
    let (scratch, store, session) = before();
    let there = sings(&store, "s");
    assert!(there > 5);
    let say = Message::user(format!("new {CANARY}"));
    store
        .append(&session.id, &Append::new().message(&say).unwrap())
        .unwrap();
    // Folding copies the document; what was appended was redacted when it was.
    assert!(store.checkpoint(&session.id).unwrap());
    assert_eq!(sings(&store, "s"), there);
    let moved = store.rebind("/home/me", "/home/us", Rebind::Apply).unwrap();
    assert!(moved.sessions[0].outcome.is_ok());
    assert_eq!(sings(&store, "s"), there);
    assert!(store.trash(&session.id).unwrap() && store.restore(&session.id).unwrap());
    assert_eq!(sings(&store, "s"), there);
    // Loading and saving is how a session is redacted afterwards.
    let loaded = store.load(&session.id).unwrap();
    assert!(
        loaded
            .messages
            .contains(&Message::user(format!("new {INSTEAD}")))
    );
    store.save(&loaded).unwrap();
    assert_eq!(sings(&redacting(&scratch), "s"), 0);
}
