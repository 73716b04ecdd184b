//! Journals through the whole store: one session out of document and appends, in every call that reads or writes.

use std::fs;

use session_store::{
    Append, ConflictReason, Error, LastQuery, Message, Query, Session, SessionStore, SkipReason,
    Window,
};

use crate::support::{Scratch, id, names, session, time, turn};

/// What a program that knows no journals finds.
fn plain(store: &SessionStore) -> Session {
    let mut plain: Session =
        serde_json::from_slice(&fs::read(store.path(&id("s"))).unwrap()).unwrap();
    plain.extra.remove("session_footer");
    plain
}

fn journal(scratch: &Scratch) -> Vec<u8> {
    fs::read(scratch.file(".store/journal/s.journal")).unwrap_or_default()
}

/// A session of `messages`, and `turns` more in the journal.
fn journaled(scratch: &Scratch, messages: usize, turns: usize) -> (SessionStore, Session) {
    let store = scratch.store();
    let mut expected = session("s", "/work", messages, 1);
    store.save(&expected).unwrap();
    for n in 0..turns {
        store.append(&expected.id, &turn(n)).unwrap();
        expected.push(Message::user(format!("turn {n}")));
        expected.touch(time(1_000 + n as u64));
    }
    (store, expected)
}

#[test]
fn an_append_leaves_the_document_and_is_read_with_it() {
    let scratch = Scratch::new();
    let (store, expected) = journaled(&scratch, 3, 2);
    let document = plain(&store);
    assert_eq!(document.messages.len(), 3);
    assert_eq!(store.load(&expected.id).unwrap(), expected);
    for keep in 0..7 {
        let tail = store.load_tail(&expected.id, Window::last(keep)).unwrap();
        let from = expected.messages.len().saturating_sub(keep);
        assert_eq!(tail.messages, expected.messages[from..], "{keep}");
        assert_eq!(tail.dropped().get("messages"), from as u64, "{keep}");
        assert_eq!(tail.updated_at, expected.updated_at);
    }
    let row = store.list(&Query::new()).unwrap().rows.remove(0);
    assert_eq!(row.messages, Some(5));
    assert_eq!(row.updated_at, expected.updated_at);
    assert_eq!(row.unfolded, journal(&scratch).len() as u64);
    assert_eq!(store.last().unwrap().unwrap(), expected);

    assert!(store.checkpoint(&expected.id).unwrap());
    let document = plain(&store);
    assert_eq!(document, expected);
    assert_eq!(names(&scratch.file(".store/journal")), [""; 0]);
    assert!(!store.checkpoint(&expected.id).unwrap());
    assert_eq!(store.list(&Query::new()).unwrap().rows[0].unfolded, 0);
}

#[test]
fn the_newest_session_may_be_newest_for_its_journal() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    store.save(&session("t", "/work", 1, 2)).unwrap();
    let last = |store: &SessionStore| {
        let query = LastQuery::new().workspace("/work").window(Window::last(1));
        store.find_last(&query).unwrap().session.unwrap().id.clone()
    };
    assert_eq!(last(&store), "t");
    store.append(&id("s"), &turn(1)).unwrap();
    for store in [store.clone(), scratch.store()] {
        assert_eq!(last(&store), "s");
        assert_eq!(store.list(&Query::new()).unwrap().rows[0].id, "s");
    }
}

#[test]
fn two_stores_take_turns_and_stale_saves_conflict() {
    let scratch = Scratch::new();
    let (a, mut expected) = journaled(&scratch, 1, 1);
    let b = scratch.store();
    let stale = b.load(&expected.id).unwrap();
    for n in 1..6 {
        let store = if n % 2 == 0 { &a } else { &b };
        store.append(&expected.id, &turn(n)).unwrap();
        expected.push(Message::user(format!("turn {n}")));
        expected.touch(time(1_000 + n as u64));
    }
    assert_eq!(a.load(&expected.id).unwrap(), expected);
    // This store saw it before the other one appended.
    match b.save(&stale) {
        Err(Error::Conflict { reason, .. }) => assert_eq!(reason, ConflictReason::Changed),
        other => panic!("{other:?}"),
    }
    // Whoever has seen all of it may replace it, journal and all.
    expected.title = Some("saved".to_owned());
    a.save(&expected).unwrap();
    assert_eq!(names(&scratch.file(".store/journal")), [""; 0]);
    assert_eq!(b.load(&expected.id).unwrap(), expected);
}

#[test]
fn a_writer_keeps_others_out_and_folds_when_it_is_closed() {
    let scratch = Scratch::new();
    let (store, mut expected) = journaled(&scratch, 1, 0);
    let other = SessionStore::builder(scratch.sessions())
        .lock_wait(std::time::Duration::ZERO)
        .open()
        .unwrap();
    let mut writer = store.writer(&expected.id).unwrap();
    for n in 0..3 {
        writer.append(&turn(n)).unwrap();
    }
    let group = [turn(3), turn(4).member("title", "grouped").unwrap()];
    let before = journal(&scratch).len();
    writer.append_all(&group).unwrap();
    assert!(writer.unfolded() > before as u64);
    assert!(
        other
            .append(&expected.id, &turn(9))
            .unwrap_err()
            .is_locked()
    );
    assert_eq!(other.load(&expected.id).unwrap().messages.len(), 6);
    writer.close().unwrap();
    (0..5).for_each(|n| expected.push(Message::user(format!("turn {n}"))));
    expected.title = Some("grouped".to_owned());
    expected.touch(time(1_004));
    let document = plain(&store);
    assert_eq!(document, expected);
    other.append(&expected.id, &turn(9)).unwrap();
}

#[test]
fn a_foreign_document_keeps_its_content_and_the_journal_is_put_aside() {
    let scratch = Scratch::new();
    let (store, _) = journaled(&scratch, 2, 2);
    let kept = journal(&scratch);
    let foreign = session("s", "/work", 7, 5);
    scratch.write_foreign(&foreign);
    assert_eq!(store.load(&id("s")).unwrap(), foreign);
    let listing = store.list(&Query::new()).unwrap();
    assert_eq!(listing.rows[0].messages, Some(7));
    assert!(matches!(listing.skipped[0].reason, SkipReason::Displaced));
    // Reading has moved nothing.
    assert_eq!(journal(&scratch), kept);
    store.append(&id("s"), &turn(9)).unwrap();
    assert_eq!(store.load(&id("s")).unwrap().messages.len(), 8);
    let aside = names(&scratch.file(".store/quarantine"));
    assert_eq!(aside.len(), 1, "{aside:?}");
    let aside = fs::read(scratch.file(&format!(".store/quarantine/{}", aside[0]))).unwrap();
    assert_eq!(aside, kept);
    assert!(store.list(&Query::new()).unwrap().skipped.is_empty());
}

#[test]
fn a_writer_notices_a_foreign_document() {
    let scratch = Scratch::new();
    let (store, expected) = journaled(&scratch, 2, 0);
    let mut writer = store.writer(&expected.id).unwrap();
    writer.append(&turn(1)).unwrap();
    scratch.write_foreign(&session("s", "/work", 7, 5));
    assert!(writer.append(&turn(2)).unwrap_err().is_conflict());
    writer.append(&turn(2)).unwrap();
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 8);
}

#[test]
fn a_copy_of_the_directory_is_the_same_sessions() {
    let scratch = Scratch::new();
    let (_, expected) = journaled(&scratch, 2, 3);
    // Another file with the same bytes, as a backup makes it.
    let bytes = fs::read(scratch.file("s.json")).unwrap();
    fs::remove_file(scratch.file("s.json")).unwrap();
    scratch.write("s.json", &bytes);
    let store = scratch.store();
    assert_eq!(store.load(&expected.id).unwrap(), expected);
    assert_eq!(
        store
            .load_tail(&expected.id, Window::last(4))
            .unwrap()
            .messages,
        expected.messages[1..]
    );
    store.append(&expected.id, &turn(3)).unwrap();
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 6);
    assert_eq!(names(&scratch.file(".store/quarantine")), [""; 0]);
}

/// P13: at every length a journal may be torn to, exactly the whole records count; any damage before them is an error.
#[test]
fn a_torn_tail_is_dropped_and_damage_in_the_middle_is_never_skipped() {
    let scratch = Scratch::new();
    let (store, expected) = journaled(&scratch, 1, 3);
    let whole = journal(&scratch);
    let path = scratch.file(".store/journal/s.journal");
    let (mut seen, mut damaged) = (Vec::new(), 0);
    for end in 1..=whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        match store.load(&expected.id) {
            Ok(found) => seen.push(found.messages.len()),
            Err(error) => assert!(error.is_corrupt() && seen.is_empty(), "{end}: {error}"),
        }
    }
    assert!(seen.is_sorted() && seen.first() == Some(&1) && seen.last() == Some(&4));
    seen.dedup();
    assert_eq!(seen, [1, 2, 3, 4]);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        match store.load(&expected.id) {
            // Only the last record can pass for torn.
            Ok(found) => assert_eq!(found.messages, expected.messages[..3], "byte {at}"),
            Err(error) => {
                assert!(error.is_corrupt(), "byte {at}: {error}");
                damaged += 1;
            }
        }
    }
    assert!(damaged > whole.len() / 2);
    for garbage in [&[0_u8; 100][..], &[0xff; 40], b"{\"id\":\"s\"}"] {
        fs::write(&path, [&whole[..], garbage].concat()).unwrap();
        assert_eq!(store.load(&expected.id).unwrap(), expected);
    }
    // Readers have cut nothing; the next append does, and goes on where the whole records end.
    store.append(&expected.id, &turn(3)).unwrap();
    assert_eq!(journal(&scratch)[..whole.len()], whole);
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 5);
}

#[test]
fn an_empty_journal_is_nothing_and_is_appended_to() {
    let scratch = Scratch::new();
    let (store, expected) = journaled(&scratch, 1, 3);
    fs::write(scratch.file(".store/journal/s.journal"), b"").unwrap();
    let found = store.load(&expected.id).unwrap();
    assert_eq!(found.messages, expected.messages[..1]);
    store.append(&expected.id, &turn(3)).unwrap();
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 2);
    assert!(store.checkpoint(&expected.id).unwrap());
    fs::write(scratch.file(".store/journal/s.journal"), b"").unwrap();
    let mut whole = store.load(&expected.id).unwrap();
    whole.push(Message::user("more"));
    store.save(&whole).unwrap();
    assert_eq!(store.load(&expected.id).unwrap(), whole);
}

#[test]
fn a_damaged_journal_is_reported_and_only_leaves_when_asked_to_by_name() {
    let scratch = Scratch::new();
    let (store, mut expected) = journaled(&scratch, 1, 3);
    let path = scratch.file(".store/journal/s.journal");
    let mut bytes = journal(&scratch);
    let middle = bytes.len() / 2 + 60;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let store = {
        drop(store);
        scratch.store()
    };
    assert!(store.load(&expected.id).unwrap_err().is_corrupt());
    assert!(
        store
            .append(&expected.id, &turn(9))
            .unwrap_err()
            .is_corrupt()
    );
    assert!(store.checkpoint(&expected.id).unwrap_err().is_corrupt());
    let listing = store.list(&Query::new()).unwrap();
    assert_eq!((listing.rows.len(), listing.skipped.len()), (0, 1));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    expected.touch(time(2_000));
    store.overwrite(&expected).unwrap();
    assert_eq!(store.load(&expected.id).unwrap(), expected);
    assert_eq!(names(&scratch.file(".store/quarantine")).len(), 1);
}

#[test]
fn what_a_journal_cannot_order_is_written_into_the_document() {
    let scratch = Scratch::new();
    let (store, mut expected) = journaled(&scratch, 2, 2);
    let replaced = Append::new()
        .member("messages", &[Message::user("only")])
        .unwrap();
    store
        .append(&expected.id, &replaced.updated_at(time(2_000)).unwrap())
        .unwrap();
    expected.messages = vec![Message::user("only")];
    expected.touch(time(2_000));
    assert_eq!(store.load(&expected.id).unwrap(), expected);
    store.append(&expected.id, &turn(1)).unwrap();
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 2);
}

#[test]
fn deleting_and_trashing_take_the_journal_along() {
    let scratch = Scratch::new();
    let (store, expected) = journaled(&scratch, 2, 2);
    assert!(store.trash(&expected.id).unwrap());
    assert_eq!(names(&scratch.file(".store/journal")), [""; 0]);
    assert!(store.restore(&expected.id).unwrap());
    assert_eq!(store.load(&expected.id).unwrap(), expected);
    store.append(&expected.id, &turn(5)).unwrap();
    assert!(store.delete(&expected.id).unwrap());
    assert_eq!(names(&scratch.file(".store/journal")), [""; 0]);
    store.save(&session("s", "/work", 1, 1)).unwrap();
    assert_eq!(store.load(&expected.id).unwrap().messages.len(), 1);
}

/// What a backup that makes hard links does, or `touch`, or `chmod`: the file is another version of the same content.
#[test]
fn an_append_counts_once_where_only_the_stamp_of_the_document_changed() {
    for by_writer in [true, false] {
        let scratch = Scratch::new();
        let (store, mut expected) = journaled(&scratch, 1, 1);
        let mut writer = by_writer.then(|| store.writer(&expected.id).unwrap());
        for n in 1..4 {
            fs::hard_link(
                store.path(&expected.id),
                scratch.path().join(format!("backup {n}")),
            )
            .unwrap();
            match &mut writer {
                Some(writer) => writer.append(&turn(n)).unwrap(),
                None => store.append(&expected.id, &turn(n)).unwrap(),
            };
            expected.push(Message::user(format!("turn {n}")));
            expected.touch(time(1_000 + n as u64));
        }
        drop(writer);
        assert_eq!(store.load(&expected.id).unwrap(), expected);
    }
}

/// A journal is begun on the document's bytes, not on what its footer says of them.
#[test]
fn a_journal_stays_with_a_document_whose_footer_is_wrong_about_what_no_window_reads() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let session = session("s", "/work", 3, 1);
    store.save(&session).unwrap();
    let path = store.path(&session.id);
    let edited = fs::read_to_string(&path).unwrap();
    let edited = edited.replace("message 0 of", "massage 0 of");
    fs::write(&path, &edited).unwrap();
    let other = scratch.store();
    other.append(&session.id, &turn(0)).unwrap();
    // As a backup does that is played back.
    let copy = scratch.path().join("copy");
    fs::write(&copy, &edited).unwrap();
    fs::rename(&copy, &path).unwrap();
    let loaded = scratch.store().load(&session.id).unwrap();
    assert_eq!(loaded.messages.len(), 4);
}

/// What names more members than a journal may is written into the document, and so is all that was appended before.
#[test]
fn a_journal_names_only_so_many_members() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 0)).unwrap();
    for half in 0..2 {
        let names = (0..600).map(|n| format!("member {}", 600 * half + n));
        let append = names.fold(Append::new(), |append, name| {
            append.member(&name, &half).unwrap()
        });
        store.append(&id("s"), &append).unwrap();
        let is_there = scratch.file(".store/journal/s.journal").exists();
        assert_eq!(is_there, half == 0);
    }
    let json = fs::read(store.path(&id("s"))).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(document["member 0"], 0);
    assert_eq!(document["member 1199"], 1);
    store.append(&id("s"), &turn(1)).unwrap();
}
