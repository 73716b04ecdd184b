//! The index lock is what keeps updates from being lost: with it everything is kept, and without it the tests see losses.
//!
//! The interleaving is forced, not hoped for: a storage runs the other writer in the middle of a commit.

use std::fmt::{self, Debug};
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use session_index::testing::MemoryStorage;
use session_index::{
    Error, IndexStorage, JsonMapIndex, MemoryIndex, SidecarIndex, StorageLock, Watch,
    WorkspaceIndex,
};

use crate::support::{at, directory, find, memory, pointer, record};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locking {
    Sound,
    /// The mutant: every lock is granted at once.
    None,
}

/// Calls a hook once, before the first `replace`.
struct Interleaved<'a> {
    storage: &'a MemoryStorage,
    locking: Locking,
    hook: Mutex<Option<Box<dyn FnOnce() + Send + 'a>>>,
}

impl Debug for Interleaved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interleaved")
            .field("locking", &self.locking)
            .finish_non_exhaustive()
    }
}

impl<'a> Interleaved<'a> {
    fn new(storage: &'a MemoryStorage, locking: Locking, hook: impl FnOnce() + Send + 'a) -> Self {
        Self {
            storage,
            locking,
            hook: Mutex::new(Some(Box::new(hook))),
        }
    }
}

impl Watch for Interleaved<'_> {}

impl IndexStorage for Interleaved<'_> {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        self.storage.read(name, limit)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if let Some(hook) = self.hook.lock().unwrap().take() {
            hook();
        }
        self.storage.replace(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        self.storage.remove(name)
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        match self.locking {
            Locking::Sound => self.storage.lock(),
            Locking::None => Ok(StorageLock::new(())),
        }
    }
}

/// Two writers add one entry each, the second one in the middle of the first one's commit. One that finds the index
/// locked tries again afterwards. Returns how many entries are kept.
fn two_upserts(locking: Locking) -> usize {
    let storage = memory();
    let second = || {
        let index = JsonMapIndex::new(Interleaved::new(&storage, locking, || ()));
        let mut change = index.begin()?;
        change.record(at("/second"), pointer("second", 1));
        change.commit()
    };
    let early = Mutex::new(None);
    let first = JsonMapIndex::new(Interleaved::new(&storage, locking, || {
        *early.lock().unwrap() = Some(second());
    }));
    record(&first, at("/first"), &pointer("first", 1));
    drop(first);
    let early: Result<(), Error> = early
        .into_inner()
        .unwrap()
        .expect("the second writer ran inside the first one's commit");
    if early.is_err_and(|error| error.is_locked()) {
        second().unwrap();
    }
    let index = JsonMapIndex::new(&storage);
    ["/first", "/second"]
        .iter()
        .filter(|path| find(&index, at(path)).is_some())
        .count()
}

#[test]
fn two_interleaved_upserts_are_both_kept() {
    assert_eq!(two_upserts(Locking::Sound), 2);
    assert_eq!(
        two_upserts(Locking::None),
        1,
        "the mutant without a lock must lose one, or this test shows nothing"
    );
}

/// Two writers each record their session only if it is greater than the one recorded; the greater one's whole change
/// falls between the other's decision and its commit. Returns the id that is kept.
fn two_decisions(locking: Locking) -> String {
    let storage = memory();
    let offer = |id: &str, rank: i128, meanwhile: &dyn Fn()| -> Result<(), Error> {
        let index = SidecarIndex::new(Interleaved::new(&storage, locking, || ()));
        let mut change = index.begin()?;
        let wins = change
            .lookup(at("/x"))?
            .pointer()
            .is_none_or(|recorded| *recorded < pointer(id, rank));
        meanwhile();
        if wins {
            change.record(at("/x"), pointer(id, rank));
        }
        change.commit()
    };
    let refused = Mutex::new(false);
    let greater = || {
        *refused.lock().unwrap() =
            offer("greater", 2, &|| ()).is_err_and(|error| error.is_locked());
    };
    offer("smaller", 1, &greater).unwrap();
    if *refused.lock().unwrap() {
        offer("greater", 2, &|| ()).unwrap();
    }
    find(&SidecarIndex::new(&storage), at("/x")).unwrap().id
}

#[test]
fn greater_of_two_interleaved_sessions_is_kept() {
    assert_eq!(two_decisions(Locking::Sound), "greater");
    assert_eq!(
        two_decisions(Locking::None),
        "smaller",
        "the mutant without a lock must keep the wrong one"
    );
}

/// Four threads with an index value of their own each upsert 100 workspaces.
fn check_threads(make: impl Fn() -> Box<dyn WorkspaceIndex> + Sync) {
    thread::scope(|scope| {
        for thread in 0..4 {
            let make = &make;
            scope.spawn(move || {
                let index = make();
                for number in 0..100 {
                    record_patiently(&*index, &format!("/{thread}/{number}"));
                }
            });
        }
    });
    let index = make();
    let kept = (0..4).flat_map(|thread| (0..100).map(move |number| format!("/{thread}/{number}")));
    assert_eq!(
        kept.filter(|path| find(&*index, at(path)).is_some())
            .count(),
        400
    );
}

fn record_patiently(index: &dyn WorkspaceIndex, path: &str) {
    loop {
        match index.begin() {
            Ok(mut change) => {
                change.record(at(path), pointer(path, 1));
                return change.commit().unwrap();
            }
            Err(error) => assert!(error.is_locked(), "{error}"),
        }
    }
}

#[test]
fn every_upsert_of_four_threads_is_kept() {
    let (storage, index) = (Arc::new(memory()), Arc::new(MemoryIndex::new()));
    check_threads(|| Box::new(JsonMapIndex::new(Arc::clone(&storage))));
    check_threads(|| Box::new(SidecarIndex::new(Arc::clone(&storage))));
    check_threads(|| Box::new(Arc::clone(&index)));
    let root = tempfile::tempdir().unwrap();
    check_threads(|| Box::new(JsonMapIndex::new(directory(&root))));
    check_threads(|| Box::new(SidecarIndex::new(directory(&root))));
}
