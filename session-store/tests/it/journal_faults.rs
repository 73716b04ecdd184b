//! Faults at every call of appends and folds, and what appends cost in calls and bytes.

use session_store::fs::{Fault, FaultEffect, FaultFs, FileSystem, FsCall, MemoryFs};
use session_store::{Append, Durability, Error, LastQuery, Message, SessionStore, ToolUse, Window};

use crate::crash::{Kind, Mutant};
use crate::journal_crash::{WORK, base, messages, store as open, turn};
use crate::support::{id, session};

/// What is done while calls fail.
struct Operation {
    name: &'static str,
    run: fn(&SessionStore) -> Result<(), Error>,
    /// How many messages it adds.
    adds: usize,
}

const OPERATIONS: [Operation; 5] = [
    Operation {
        name: "append",
        run: |store| store.append(&id("s"), &turn(3)).map(drop),
        adds: 1,
    },
    Operation {
        name: "append that no journal can say",
        run: |store| {
            let none: [ToolUse; 0] = [];
            let append = turn(3).member("tool_uses", &none).expect("a member");
            store.append(&id("s"), &append).map(drop)
        },
        adds: 1,
    },
    Operation {
        name: "writer",
        run: |store| store.writer(&id("s"))?.append(&turn(3)).map(drop),
        adds: 1,
    },
    Operation {
        name: "fold",
        run: |store| store.checkpoint(&id("s")).map(drop),
        adds: 0,
    },
    Operation {
        name: "overwrite",
        run: |store| store.overwrite(&session("s", WORK, 3, 0)).map(drop),
        adds: 0,
    },
];

/// What an operation meets.
#[derive(Clone, Copy, Debug)]
struct Scene {
    /// The store knows nothing of the appends before.
    fresh: bool,
    /// The document is another file with the same bytes, as after a restore from a backup.
    copied: bool,
}

/// P3, P4, P12, P14: every call of every step fails, once and for good; what was acknowledged is there, once, and so is what
/// comes after.
#[test]
fn a_fault_in_any_call_of_an_append_or_a_fold_loses_and_doubles_nothing() {
    let effects = [
        FaultEffect::Errno(5),
        FaultEffect::Errno(28),
        FaultEffect::ErrnoAfter(5),
        FaultEffect::ShortThenErrno(28),
    ];
    let scenes = [(false, false), (true, false), (false, true), (true, true)];
    let mut injected = 0;
    for operation in OPERATIONS {
        for (fresh, copied) in scenes {
            for call in FsCall::ALL {
                for nth in 1.. {
                    let mut any = false;
                    for effect in effects {
                        let fault = Fault::effect(call, nth, effect);
                        for fault in [fault, fault.from_then_on()] {
                            any |= try_fault(&operation, fault, Scene { fresh, copied });
                            injected += u64::from(any);
                        }
                    }
                    if !any {
                        break;
                    }
                }
            }
        }
    }
    println!("{injected} faults injected into appends and folds");
    assert!(injected > 1000, "{injected}");
}

/// Whether a rename says that it failed, and did not.
fn is_done_all_the_same(fault: &Fault) -> bool {
    fault.call == FsCall::Rename && matches!(fault.effect, FaultEffect::ErrnoAfter(_))
}

fn try_fault(operation: &Operation, fault: Fault, scene: Scene) -> bool {
    let what = format!("{}, {scene:?}, {fault:?}", operation.name);
    let fs = FaultFs::new(MemoryFs::new());
    let first = open(fs.clone(), Durability::Full);
    base(&first);
    for n in 1..3 {
        first.append(&id("s"), &turn(n)).expect("append");
    }
    let store = if scene.fresh {
        open(fs.clone(), Durability::Full)
    } else {
        first
    };
    if scene.copied {
        let bytes = fs.inner().content("s.json").expect("a document");
        fs.inner().plant("s.json", &bytes);
    }
    fs.arm(fault);
    let answer = (operation.run)(&store);
    let reached = fs.injected() > 0;
    fs.disarm();
    if let Err(error) = &answer {
        assert!(
            !error.is_corrupt() && !error.is_conflict(),
            "{what}: {error}"
        );
    }
    let now = messages(&store).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
    let now = now.unwrap_or_else(|| panic!("{what}: gone"));
    match &answer {
        // What may not last is there all the same, and nothing else is called so.
        Ok(()) | Err(Error::NotDurable { .. }) => {
            assert_eq!(now, 3 + operation.adds, "{what}: {answer:?}");
        }
        // A rename that is said to have failed and has not shows what it was to show.
        Err(_) if is_done_all_the_same(&fault) => {
            assert!([3, 3 + operation.adds].contains(&now), "{what}");
        }
        Err(_) => assert_eq!(now, 3, "{what}: {answer:?}"),
    }
    // And life goes on, from this store and from another.
    store
        .append(&id("s"), &turn(now))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(messages(&store), Ok(Some(now + 1)), "{what}");
    let other = open(fs.inner().clone(), Durability::Full);
    other
        .append(&id("s"), &turn(now + 1))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(messages(&store), Ok(Some(now + 2)), "{what}");
    other
        .checkpoint(&id("s"))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(messages(&store), Ok(Some(now + 2)), "{what}");
    let aside = fs.inner().paths();
    assert!(
        !aside.iter().any(|path| path.contains("quarantine/")),
        "{what}: {aside:?}"
    );
    reached
}

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
        // Looked at are the document, once more, the index lock's file before and after, and the journal, for its time.
        let all: u64 = FsCall::ALL.into_iter().map(calls).sum();
        assert_eq!((calls(FsCall::Stat), all), (4, 6));
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

/// P14, and its mutant: a medium that is full amid an append, once, at every call that can be cut short. Gives what is wrong
/// with what was acknowledged after it.
fn full_amid_an_append(kind: Kind) -> (u64, Vec<String>) {
    let (mut injected, mut wrong) = (0, Vec::new());
    for call in FsCall::ALL {
        for nth in 1.. {
            let inner = MemoryFs::new();
            let fs = FaultFs::new(Mutant { inner, kind });
            let store = open(fs.clone(), Durability::Full);
            base(&store);
            store.append(&id("s"), &turn(1)).expect("append");
            fs.arm(Fault::effect(call, nth, FaultEffect::ShortThenErrno(28)));
            let mut acknowledged = 2;
            acknowledged += usize::from(store.append(&id("s"), &turn(2)).is_ok());
            let reached = fs.injected();
            fs.disarm();
            for n in 3..6 {
                acknowledged += usize::from(store.append(&id("s"), &turn(n)).is_ok());
            }
            let other = open(fs, Durability::Full);
            let found = other.load(&id("s")).map(|session| session.messages.len());
            match found {
                Ok(found) if found == acknowledged && acknowledged >= 5 => {}
                other => wrong.push(format!("{call:?} {nth}: {acknowledged}, {other:?}")),
            }
            injected += reached;
            if reached == 0 {
                break;
            }
        }
    }
    (injected, wrong)
}

#[test]
fn a_full_disk_amid_an_append_does_not_poison_later_ones() {
    let (injected, wrong) = full_amid_an_append(Kind::None);
    println!("{injected} times full amid an append");
    assert!(injected > 0);
    assert_eq!(wrong, [""; 0]);
    let (_, wrong) = full_amid_an_append(Kind::NoCut);
    assert!(!wrong.is_empty(), "half a record that stays must be caught");
}
