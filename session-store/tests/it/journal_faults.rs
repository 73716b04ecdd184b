//! Faults at every call of appends and folds.

use std::sync::Arc;

use session_store::backend::DirBackend;
use session_store::fs::{Fault, FaultEffect, FaultFs, FsCall, MemoryFs};
use session_store::{Builder, Durability, Error, IndexKind, SessionStore, ToolUse, Trust, Window};

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

/// A session with an append that could neither be synced nor cut off again.
fn uncertain() -> SessionStore {
    let syncs = FaultFs::new(MemoryFs::new());
    let cuts = FaultFs::new(syncs.clone());
    let store = open(cuts.clone(), Durability::Full);
    base(&store);
    store.append(&id("s"), &turn(1)).expect("append");
    syncs.arm(Fault::errno(FsCall::SyncFile, 1, 5));
    cuts.arm(Fault::errno(FsCall::Truncate, 1, 5));
    let answer = store.append(&id("s"), &turn(2));
    assert!(
        matches!(answer, Err(Error::NotDurable { .. })),
        "{answer:?}"
    );
    assert_eq!((syncs.injected(), cuts.injected()), (1, 1));
    syncs.disarm();
    cuts.disarm();
    assert_eq!(messages(&store), Ok(Some(3)));
    store
}

/// What may not last is there all the same, and who appended it has seen it.
#[test]
fn an_append_that_is_not_durable_was_seen_by_who_made_it() {
    let store = uncertain();
    let there = store.load_tail(&id("s"), Window::last(1)).expect("a tail");
    store
        .append(&id("s"), &turn(3).based_on(there.revision()))
        .expect("that is what is there");
    assert_eq!(messages(&store), Ok(Some(4)));
    uncertain()
        .save(&session("s", WORK, 3, 5))
        .expect("nobody else has changed it");
}

/// The revision that an append answers is that of what is there, whatever became of the fold behind it.
#[test]
fn the_revision_of_an_append_is_that_of_the_document_that_it_was_folded_into() {
    let mut not_certain = 0;
    for nth in 1.. {
        let fs = FaultFs::new(MemoryFs::new());
        let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("a backend");
        let store: SessionStore = Builder::on(Arc::new(backend))
            .index(IndexKind::None)
            .fold_from(1)
            .open()
            .expect("a store");
        base(&store);
        fs.arm(Fault::errno(FsCall::SyncDir, nth, 5));
        let appended = (1..40).map(|n| store.append(&id("s"), &turn(n)));
        let appended: Vec<_> = appended.collect();
        let reached = fs.injected() > 0;
        fs.disarm();
        if let Some(Ok(revision)) = appended.last() {
            let there = store.load_tail(&id("s"), Window::last(1)).expect("a tail");
            assert_eq!(there.revision(), *revision, "directory sync {nth}");
            not_certain += usize::from(reached);
        }
        if !reached {
            break;
        }
    }
    assert!(not_certain > 3, "{not_certain}");
}
