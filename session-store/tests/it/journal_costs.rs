//! What appends and folds cost: calls, syncs, and bytes written for each that was appended.

use std::fs;

use session_store::fs::{Fault, FaultFs, FileSystem, FsCall, MemoryFs};
use session_store::{Append, Durability, LastQuery, Message, SessionStore, Window};

use crate::journal_crash::{WORK, base, store as open, turn};
use crate::support::{self, Scratch, id, session, time};

#[test]
fn an_append_costs_one_write_and_one_sync_whatever_the_session_holds() {
    let mut costs = Vec::new();
    for messages in [200, 20_000] {
        let fs = FaultFs::new(MemoryFs::new());
        let store = open(fs.clone(), Durability::Full);
        let mut large = session("s", WORK, messages, 1);
        large
            .messages
            .iter_mut()
            .for_each(|message| *message = Message::user("x".repeat(3_000)));
        store.save(&large).expect("save");
        store
            .append(&id("s"), &turn(1))
            .expect("the append that begins the journal");
        let never = Fault::errno(FsCall::Write, u64::MAX, 5);
        fs.arm(never);
        fs.inner().record();
        store.append(&id("s"), &turn(2)).expect("append");
        let calls = |call| fs.calls(call);
        assert_eq!(calls(FsCall::Write), 1);
        assert_eq!(calls(FsCall::SyncFile), 1);
        assert_eq!(calls(FsCall::SyncDir), 0);
        assert_eq!(calls(FsCall::Read), 0);
        assert_eq!(calls(FsCall::Create), 0);
        let before = fs
            .inner()
            .content(".store/journal/s.journal")
            .expect("a journal")
            .len();
        let mut writer = store.writer(&id("s")).expect("writer");
        fs.arm(never);
        writer.append(&turn(3)).expect("append");
        assert_eq!(
            [
                calls(FsCall::Write),
                calls(FsCall::SyncFile),
                calls(FsCall::SyncDir)
            ],
            [1, 1, 0]
        );
        assert_eq!(
            [
                calls(FsCall::Read),
                calls(FsCall::Open),
                calls(FsCall::Lock)
            ],
            [0, 0, 0]
        );
        // Looked at are the journal's name and the index lock's file, before and after, and the document.
        let all: u64 = FsCall::ALL.into_iter().map(calls).sum();
        assert_eq!((calls(FsCall::Stat), all), (5, 7));
        let after = fs
            .inner()
            .content(".store/journal/s.journal")
            .expect("a journal")
            .len();
        costs.push(after - before);
        drop(writer);
        // A tail inside the journal reads no byte of the document.
        let tail = store
            .find_last(&LastQuery::new().window(Window::last(2)))
            .expect("a tail");
        assert_eq!(tail.session.expect("a session").messages.len(), 2);
        assert!(
            tail.bytes_read < 10_000,
            "{} bytes were read",
            tail.bytes_read
        );
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0] < 400, "{costs:?}");
}

/// Syncs of files and of directories while something is done.
fn syncs(fs: &FaultFs<MemoryFs>, work: impl FnOnce()) -> (u64, u64) {
    fs.arm(Fault::errno(FsCall::Write, u64::MAX, 5));
    work();
    (fs.calls(FsCall::SyncFile), fs.calls(FsCall::SyncDir))
}

/// Journals are begun on documents that last. One that this store made durable is not synced again.
#[test]
fn only_a_document_that_this_store_did_not_make_durable_is_synced_before_its_journal() {
    let fs = FaultFs::new(MemoryFs::new());
    let store = open(fs.clone(), Durability::Full);
    let first = |n: usize| {
        syncs(&fs, || {
            store.append(&id("s"), &turn(n)).expect("append");
        })
    };
    base(&store);
    // Directories that are made are synced as well, once.
    first(1);
    store.checkpoint(&id("s")).expect("fold");
    assert_eq!(first(2), (1, 1), "after a fold");
    store.checkpoint(&id("s")).expect("fold");
    store.overwrite(&session("s", WORK, 3, 0)).expect("save");
    assert_eq!(first(3), (1, 1), "after a save");
    // Another handle with its own memory, and at a level that syncs nothing.
    open(fs.clone(), Durability::Process)
        .overwrite(&session("s", WORK, 4, 0))
        .expect("save");
    assert_eq!(first(4), (2, 2), "after what another store wrote");
    store.checkpoint(&id("s")).expect("fold");
    let content = fs.inner().content("s.json").expect("a document");
    fs.inner().plant("s.json", &content);
    assert_eq!(first(5), (2, 2), "after a restore from a backup");
}

#[test]
fn a_session_is_written_less_than_three_times_what_was_appended() {
    for (by_writer, folded_from) in [(false, 1 << 20), (true, 8 << 20)] {
        let fs = FaultFs::new(MemoryFs::new());
        let store = open(fs.clone(), Durability::Process);
        fs.inner().record();
        base(&store);
        let mut writer = by_writer.then(|| store.writer(&id("s")).expect("a writer"));
        let text = "y".repeat(16_000);
        let mut written = 0_u64;
        let mut sizes = std::collections::BTreeMap::new();
        let mut look = || {
            for path in ["s.json", ".store/journal/s.journal"] {
                // Each file is known by its number: one that is new was written whole, another has grown.
                let Some(stat) = fs.inner().stat(path).expect("stat") else {
                    continue;
                };
                let before = sizes.insert(stat.blob.inode, stat.blob.size).unwrap_or(0);
                written += stat.blob.size - before;
            }
            fs.inner().content("s.json").expect("a document").len()
        };
        for n in 1..=600 {
            let append = Append::new()
                .message(&Message::user(&text))
                .expect("a message");
            match &mut writer {
                Some(writer) => writer.append(&append).expect("append"),
                None => store.append(&id("s"), &append).expect("append"),
            };
            let is_folded = look() > 16_000;
            assert!(is_folded || n * 16_000 < folded_from);
            assert!(!is_folded || n * 16_300 > folded_from);
        }
        if let Some(writer) = writer {
            writer.close().expect("close");
            assert!(look() > 600 * 16_000);
        }
        let appended = 600 * 16_000;
        println!("{written} bytes were written for {appended} that were appended");
        assert!(written < 3 * appended && written > appended, "{written}");
        assert_eq!(store.load(&id("s")).expect("load").messages.len(), 601);
    }
}

#[test]
fn a_journal_is_folded_by_itself_from_the_size_on_that_the_builder_was_told() {
    let mut all_folds = Vec::new();
    for fold_from in [0, 4_000, u64::MAX] {
        let scratch = Scratch::new();
        let store = SessionStore::builder(scratch.sessions())
            .fold_from(fold_from)
            .open()
            .unwrap();
        let mut expected = session("s", "/work", 1, 5);
        store.save(&expected).unwrap();
        let size = |name: &str| fs::metadata(scratch.file(name)).map(|file| file.len());
        let (mut document, mut folds) = (size("s.json").unwrap(), 0);
        for n in 0..60_usize {
            expected.push(Message::user(format!("turn {n}")));
            expected.touch(time(1_000 + n as u64));
            store.append(&id("s"), &support::turn(n)).unwrap();
            let (now, journal) = (size("s.json").unwrap(), size(".store/journal/s.journal"));
            if let Ok(journal) = journal {
                assert_eq!(now, document);
                assert!(journal < fold_from.max(document / 4 * 5));
            } else {
                assert!(now > document);
                folds += 1;
            }
            document = now;
            assert_eq!(store.load(&id("s")).unwrap(), expected);
        }
        all_folds.push(folds);
    }
    assert!(
        all_folds.is_sorted_by(|more, fewer| more > fewer),
        "{all_folds:?}"
    );
    assert_eq!(all_folds[2], 0);
}
