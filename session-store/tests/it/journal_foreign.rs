//! Programs that take no locks and change a journal while a session is held for a row of appends: what is acknowledged is in the
//! session.

use std::borrow::Cow;
use std::fmt::Debug;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use session_store::{Append, ConflictReason, Error, Redactor, SessionStore, Writer};

use crate::support::{Scratch, id, session, time, turn};

const JOURNAL: &str = ".store/journal/s.journal";

/// A session of one message.
fn saved(scratch: &Scratch) -> SessionStore {
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    store
}

/// What a program does to the journal at a path; returns how many of the two turns before it are left.
type Change = fn(&PathBuf) -> usize;

/// What a synchronizer does, or a backup that is played back: the same bytes, another file.
fn put_back(journal: &PathBuf) -> usize {
    let copy = journal.with_extension("copy");
    fs::copy(journal, &copy).unwrap();
    fs::rename(&copy, journal).unwrap();
    2
}

fn removed(journal: &PathBuf) -> usize {
    fs::remove_file(journal).unwrap();
    0
}

fn emptied(journal: &PathBuf) -> usize {
    let file = OpenOptions::new().write(true).open(journal).unwrap();
    file.set_len(0).unwrap();
    0
}

fn cut(journal: &PathBuf) -> usize {
    let file = OpenOptions::new().write(true).open(journal).unwrap();
    file.set_len(fs::metadata(journal).unwrap().len() - 1)
        .unwrap();
    1
}

fn placed(journal: &PathBuf) -> usize {
    let kept = journal.with_extension("kept");
    fs::rename(journal, &kept).unwrap();
    fs::copy(&kept, journal).unwrap();
    2
}

fn is_conflict<T: Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::Conflict { reason, .. }) => assert_eq!(reason, ConflictReason::Changed),
        other => panic!("{other:?}"),
    }
}

fn lengthened(journal: &PathBuf) -> usize {
    let mut file = OpenOptions::new().append(true).open(journal).unwrap();
    file.write_all(b"no record").unwrap();
    2
}

const CHANGES: [Change; 6] = [put_back, removed, emptied, cut, placed, lengthened];

#[test]
fn what_a_writer_acknowledges_is_in_the_journal_that_has_the_name() {
    for (nth, change) in CHANGES.into_iter().enumerate() {
        for by_writer in [true, false] {
            let scratch = Scratch::new();
            let store = saved(&scratch);
            let mut writer = by_writer.then(|| store.writer(&id("s")).unwrap());
            let mut append = |n| match &mut writer {
                Some(writer) => writer.append(&turn(n)),
                None => store.append(&id("s"), &turn(n)),
            };
            append(0).unwrap();
            append(1).unwrap();
            let left = change(&scratch.file(JOURNAL));
            if by_writer && left < 2 {
                // Whoever holds the session knows that something of it is gone.
                is_conflict(append(2));
            }
            for n in 2..6 {
                append(n).unwrap();
            }
            let loaded = scratch.store().load(&id("s")).unwrap();
            assert_eq!(loaded.messages.len(), 1 + left + 4, "{nth} {by_writer}");
            if let Some(writer) = writer {
                writer.close().unwrap();
            }
            let loaded = scratch.store().load(&id("s")).unwrap();
            assert_eq!(loaded.messages.len(), 1 + left + 4, "{nth} {by_writer}");
        }
    }
}

/// A session to which a writer has added two turns, whose journal was changed then, and how many of the turns that left.
fn changed(change: Change) -> (Scratch, SessionStore, Writer, usize) {
    let scratch = Scratch::new();
    let store = saved(&scratch);
    let mut writer = store.writer(&id("s")).unwrap();
    writer.append(&turn(0)).unwrap();
    writer.append(&turn(1)).unwrap();
    let left = change(&scratch.file(JOURNAL));
    (scratch, store, writer, left)
}

#[test]
fn a_writer_that_is_closed_says_that_what_it_appended_is_gone() {
    for change in CHANGES {
        let (scratch, _, writer, left) = changed(change);
        let closed = writer.close();
        if left == 2 {
            closed.unwrap();
        } else {
            is_conflict(closed);
        }
        let loaded = scratch.store().load(&id("s")).unwrap();
        assert_eq!(loaded.messages.len(), 1 + left);
    }
}

/// What is appended behind bytes that are no record, or where some are missing, would make all of the journal unreadable.
#[test]
fn a_journal_that_was_changed_before_its_writer_went_is_looked_at_again() {
    for change in CHANGES {
        let (scratch, store, writer, left) = changed(change);
        drop(writer);
        store.append(&id("s"), &turn(2)).unwrap();
        let loaded = scratch.store().load(&id("s")).unwrap();
        assert_eq!(loaded.messages.len(), 1 + left + 1);
    }
}

/// Changes a journal once an append has been looked at and before it is written.
#[derive(Debug)]
struct InBetween {
    journal: PathBuf,
    change: Change,
    is_due: AtomicBool,
}

impl Redactor for &'static InBetween {
    fn redact<'t>(&self, _: &[&str], text: &'t str) -> Cow<'t, str> {
        if self.is_due.swap(false, Ordering::Relaxed) {
            (self.change)(&self.journal);
        }
        Cow::Borrowed(text)
    }
}

/// What went into a file that has lost its name meanwhile is not acknowledged.
#[test]
fn an_append_into_a_journal_that_loses_its_name_is_a_conflict() {
    for change in [put_back, removed, placed] {
        for by_writer in [true, false] {
            let scratch = Scratch::new();
            let store = saved(&scratch);
            store.append(&id("s"), &turn(0)).unwrap();
            let between: &'static InBetween = Box::leak(Box::new(InBetween {
                journal: scratch.file(JOURNAL),
                change,
                is_due: AtomicBool::new(false),
            }));
            let store = SessionStore::builder(scratch.sessions())
                .redactor(between)
                .open()
                .unwrap();
            let mut writer = by_writer.then(|| store.writer(&id("s")).unwrap());
            let mut append = |n| match &mut writer {
                Some(writer) => writer.append(&turn(n)),
                None => store.append(&id("s"), &turn(n)),
            };
            append(1).unwrap();
            between.is_due.store(true, Ordering::Relaxed);
            is_conflict(append(2));
            append(3).unwrap();
            let loaded = scratch.store().load(&id("s")).unwrap();
            let texts = serde_json::to_string(&loaded.messages).unwrap();
            assert!(texts.contains("turn 3") && !texts.contains("turn 2"));
        }
    }
}

/// Puts another document in the place of the one that is there: of the same session, with two messages more.
fn put_another(scratch: &Scratch) {
    let theirs = Scratch::new();
    let store = theirs.store();
    store.save(&session("s", "/work", 3, 2)).unwrap();
    let copy = scratch.path().join("theirs");
    fs::copy(theirs.file("s.json"), &copy).unwrap();
    fs::rename(&copy, scratch.file("s.json")).unwrap();
}

#[test]
fn a_writer_that_is_closed_says_that_the_document_it_appended_to_was_replaced() {
    let ends: [fn(Writer) -> Result<(), Error>; 2] = [
        |writer| writer.close(),
        |mut writer| writer.checkpoint().map(drop),
    ];
    for end in ends {
        let scratch = Scratch::new();
        let store = saved(&scratch);
        let mut writer = store.writer(&id("s")).unwrap();
        writer.append(&turn(0)).unwrap();
        put_another(&scratch);
        is_conflict(end(writer));
        let loaded = scratch.store().load(&id("s")).unwrap();
        assert_eq!(loaded.messages.len(), 3, "theirs");
    }
}

/// Sets an array that is added to: no journal can say that, so the document is written.
fn unsayable() -> Append {
    Append::new().member("tool_uses", &[(); 0]).unwrap()
}

#[test]
fn what_no_journal_can_say_is_not_added_to_a_document_that_was_replaced() {
    for turns in [0, 1] {
        let scratch = Scratch::new();
        let store = saved(&scratch);
        let mut writer = store.writer(&id("s")).unwrap();
        for n in 0..turns {
            writer.append(&turn(n)).unwrap();
        }
        let mut mine = session("s", "/work", 1, 1);
        mine.touch(time(9));
        put_another(&scratch);
        is_conflict(writer.append(&unsayable()));
        drop(writer);
        // Whoever has not seen what is there now does not overwrite it.
        is_conflict(store.save(&mine));
        store.append(&id("s"), &unsayable()).unwrap();
        let loaded = scratch.store().load(&id("s")).unwrap();
        assert_eq!(loaded.messages.len(), 3);
    }
}

#[test]
fn a_writer_says_that_a_document_is_gone_that_has_what_it_appended() {
    let ways: [fn(&mut Writer); 2] = [
        |writer| assert!(writer.append(&unsayable()).is_ok()),
        |writer| assert!(writer.checkpoint().unwrap()),
    ];
    for written in ways {
        let scratch = Scratch::new();
        let store = saved(&scratch);
        let mut writer = store.writer(&id("s")).unwrap();
        writer.append(&turn(0)).unwrap();
        written(&mut writer);
        writer.append(&turn(1)).unwrap();
        written(&mut writer);
        put_another(&scratch);
        is_conflict(writer.append(&turn(2)));
        writer.append(&turn(3)).unwrap();
        written(&mut writer);
        put_another(&scratch);
        is_conflict(writer.close());
        let loaded = scratch.store().load(&id("s")).unwrap();
        assert_eq!(loaded.messages.len(), 3);
    }
}
