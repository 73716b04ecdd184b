//! A storage that refuses gives a typed error, and never a wrong answer.

use std::io::ErrorKind;

use session_index::testing::{FaultStorage, MemoryStorage, Operation, Repeat};
use session_index::{Error, JsonMapIndex, Pointer, SidecarIndex, WorkspaceIndex};

use crate::support::{at, find, memory, pointer, record};

const KINDS: [ErrorKind; 4] = [
    ErrorKind::StorageFull,
    ErrorKind::PermissionDenied,
    ErrorKind::ReadOnlyFilesystem,
    ErrorKind::Other,
];

type Storage = FaultStorage<MemoryStorage>;

/// Makes one change of three workspaces, and gives the first error wherever it came from.
fn change(index: &dyn WorkspaceIndex, id: &str) -> Result<(), Error> {
    let mut change = index.begin()?;
    change.lookup(at("/a"))?;
    change.record(at("/a"), pointer(id, 1));
    change.record(at("/b"), pointer(id, 1));
    change.remove(at("/c"));
    change.commit()
}

fn check(index: &dyn WorkspaceIndex, storage: &Storage, atomic: bool) {
    let mut injected = 0;
    for operation in Operation::ALL {
        for repeat in [Repeat::Once, Repeat::FromThenOn] {
            for kind in KINDS {
                for nth in 1..=3 {
                    change(index, "old").unwrap();
                    record(index, at("/c"), &pointer("old", 1));
                    let calls = storage.injected();
                    storage.fail(operation, nth, kind, repeat);
                    let result = change(index, "new");
                    storage.heal();
                    let struck = storage.injected() > calls;
                    injected += storage.injected() - calls;
                    assert_eq!(result.is_err(), struck, "{operation:?} {nth}: {result:?}");
                    let found = ["/a", "/b", "/c"]
                        .map(|path| find(index, at(path)).map(|pointer| pointer.id));
                    let new = [Some("new".to_owned()), Some("new".to_owned()), None];
                    match result {
                        Ok(()) => assert_eq!(found, new),
                        Err(error) => {
                            assert!(error.is_io() && !error.is_locked(), "{error:?}");
                            let old = [const { Some("old") }; 3].map(|id| id.map(str::to_owned));
                            assert!(
                                found
                                    .iter()
                                    .zip(old.iter().zip(&new))
                                    .all(|(found, (old, new))| found == old || found == new)
                            );
                            assert!(
                                !atomic || found == old,
                                "one file is changed as a whole or not at all"
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(injected >= 32, "only {injected} faults struck");
}

#[test]
fn sidecar_that_cannot_be_written_is_old_or_new_in_each_workspace() {
    let storage = FaultStorage::new(memory());
    check(&SidecarIndex::new(&storage), &storage, false);
}

#[test]
fn json_map_that_cannot_be_written_stays_as_it_was() {
    let storage = FaultStorage::new(memory());
    check(&JsonMapIndex::new(&storage), &storage, true);
}

#[test]
fn one_refusal_does_not_keep_other_workspaces_from_being_recorded() {
    let storage = FaultStorage::new(memory());
    let index = SidecarIndex::new(&storage);
    storage.fail(Operation::Replace, 1, ErrorKind::StorageFull, Repeat::Once);
    change(&index, "new").unwrap_err();
    let found = ["/a", "/b"].map(|path| find(&index, at(path)).is_some());
    assert_eq!(found.iter().filter(|found| **found).count(), 1);
}

#[test]
fn lookup_in_a_storage_that_cannot_be_read_is_an_error_and_no_answer() {
    let storage = FaultStorage::new(memory());
    let indexes: [Box<dyn WorkspaceIndex + '_>; 2] = [
        Box::new(SidecarIndex::new(&storage)),
        Box::new(JsonMapIndex::new(&storage)),
    ];
    for index in indexes {
        record(&*index, at("/a"), &pointer("a", 1));
        storage.fail(
            Operation::Read,
            1,
            ErrorKind::PermissionDenied,
            Repeat::FromThenOn,
        );
        assert!(index.lookup(at("/a")).unwrap_err().is_io());
        assert!(index.begin().unwrap().lookup(at("/a")).unwrap_err().is_io());
        storage.heal();
        assert_eq!(
            find(&*index, at("/a")).map(|pointer| pointer.id),
            Some("a".to_owned())
        );
    }
}

#[test]
fn lock_that_is_held_is_told_from_a_lock_that_cannot_be_taken() {
    let cases = [
        (ErrorKind::WouldBlock, true),
        (ErrorKind::TimedOut, true),
        (ErrorKind::PermissionDenied, false),
        (ErrorKind::Unsupported, false),
    ];
    for (kind, locked) in cases {
        let storage = FaultStorage::new(memory());
        storage.fail(Operation::Lock, 1, kind, Repeat::Once);
        let index = SidecarIndex::new(&storage);
        let error = index.forget(at("/a")).unwrap_err();
        assert_eq!(
            (error.is_locked(), error.is_io()),
            (locked, !locked),
            "{kind:?}"
        );
        record(&index, at("/a"), &Pointer::unordered("a"));
    }
}
