//! Every index and every storage passes its trait's suite, and the suite catches what it should.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;

use session_index::testing::{
    FaultStorage, Keeps, MemoryStorage, index_conformance, storage_conformance,
};
use session_index::{
    Answer, Change, Error, IndexStorage, JsonMapIndex, MemoryIndex, NoIndex, Pointer, SidecarIndex,
    StorageLock, Watch, WorkspaceIndex,
};

use crate::support::{SHORT, directory, memory};

#[test]
fn memory_storage_keeps_the_promises_of_a_storage() {
    storage_conformance(|| Box::new(memory()));
    storage_conformance(|| Box::new(Arc::new(FaultStorage::new(Box::new(memory())))));
}

#[test]
fn dir_storage_keeps_the_promises_of_a_storage() {
    let mut roots = Vec::new();
    storage_conformance(|| {
        roots.push(tempfile::tempdir().unwrap());
        Box::new(directory(&roots[roots.len() - 1]))
    });
}

#[test]
fn sidecar_index_keeps_the_promises_of_an_index() {
    index_conformance(Keeps::Everything, || Box::new(SidecarIndex::new(memory())));
    let mut roots = Vec::new();
    index_conformance(Keeps::Everything, || {
        roots.push(tempfile::tempdir().unwrap());
        Box::new(Arc::new(SidecarIndex::new(directory(
            &roots[roots.len() - 1],
        ))))
    });
}

#[test]
fn json_map_index_keeps_the_promises_of_an_index() {
    index_conformance(Keeps::Ids, || Box::new(JsonMapIndex::new(memory())));
    let mut roots = Vec::new();
    index_conformance(Keeps::Ids, || {
        roots.push(tempfile::tempdir().unwrap());
        Box::new(JsonMapIndex::new(directory(&roots[roots.len() - 1])))
    });
}

#[test]
fn memory_index_keeps_the_promises_of_an_index() {
    index_conformance(Keeps::Everything, || {
        Box::new(MemoryIndex::new().wait(SHORT))
    });
}

#[test]
fn no_index_keeps_the_promises_of_an_index() {
    index_conformance(Keeps::Nothing, || Box::new(NoIndex));
}

/// One broken way to be an index.
#[derive(Clone, Copy, Debug)]
enum Mutant {
    /// Compares paths by components.
    NormalisesPaths,
    /// Converts paths to text with losses.
    LossyPaths,
    /// Keeps all workspaces under the empty path.
    GlobalIsAPath,
    /// A removal is recorded as none.
    RemovedIsNone,
    /// Writes before the commit.
    WritesAtOnce,
    /// A change does not see its own updates.
    BlindChange,
    /// Nothing is ever forgotten.
    NeverForgets,
    /// Keeps the greater pointer whatever it is told.
    KeepsTheGreatest,
    /// Accepts ids that look like ids only.
    ValidatesIds,
    /// Begins a change without a lock.
    NoLock,
}

/// A sound index with one mutation. Sound operations go through `inner`.
#[derive(Debug)]
struct Mutated {
    inner: MemoryIndex,
    mutant: Mutant,
}

impl Mutated {
    fn path(&self, workspace: Option<&Path>) -> Option<PathBuf> {
        match (self.mutant, workspace) {
            (Mutant::GlobalIsAPath, None) => Some(PathBuf::new()),
            (Mutant::NormalisesPaths, Some(path)) => Some(path.components().collect()),
            (Mutant::LossyPaths, Some(path)) => Some(path.to_string_lossy().into_owned().into()),
            _ => workspace.map(Path::to_owned),
        }
    }
}

/// What a change was told about a workspace.
#[derive(Clone, Debug)]
enum Said {
    Session(Pointer),
    Nothing,
    Removed,
}

impl Said {
    fn to(self, change: &mut dyn Change, workspace: Option<&Path>) {
        match self {
            Self::Session(pointer) => change.record(workspace, pointer),
            Self::Nothing => change.record_none(workspace),
            Self::Removed => change.remove(workspace),
        }
    }
}

#[derive(Debug)]
struct MutatedChange<'a> {
    index: &'a Mutated,
    /// `None` where the mutant takes no lock.
    inner: Option<Box<dyn Change + 'a>>,
    unlocked: Vec<(Option<PathBuf>, Said)>,
}

impl WorkspaceIndex for Mutated {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        self.inner.lookup(self.path(workspace).as_deref())
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        let unlocked = matches!(self.mutant, Mutant::NoLock | Mutant::WritesAtOnce);
        let inner = if unlocked {
            None
        } else {
            Some(self.inner.begin()?)
        };
        Ok(Box::new(MutatedChange {
            index: self,
            inner,
            unlocked: Vec::new(),
        }))
    }
}

impl MutatedChange<'_> {
    fn update(&mut self, workspace: Option<&Path>, said: Said) {
        let path = self.index.path(workspace);
        match &mut self.inner {
            Some(inner) => said.to(&mut **inner, path.as_deref()),
            None if matches!(self.index.mutant, Mutant::WritesAtOnce) => {
                self.index.write(path.as_deref(), said);
            }
            None => self.unlocked.push((path, said)),
        }
    }
}

impl Mutated {
    fn write(&self, workspace: Option<&Path>, said: Said) {
        let mut change = self.inner.begin().unwrap();
        said.to(&mut *change, workspace);
        change.commit().unwrap();
    }
}

impl Change for MutatedChange<'_> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        let path = self.index.path(workspace);
        if let Some((_, said)) = self
            .unlocked
            .iter()
            .rev()
            .find(|(written, _)| *written == path)
        {
            let mirror = MemoryIndex::new();
            let mut change = mirror.begin()?;
            said.clone().to(&mut *change, None);
            return change.lookup(None);
        }
        match &self.inner {
            Some(inner) if !matches!(self.index.mutant, Mutant::BlindChange) => {
                inner.lookup(path.as_deref())
            }
            _ => self.index.inner.lookup(path.as_deref()),
        }
    }

    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer) {
        let current = self.lookup(workspace).unwrap().into_pointer();
        match self.index.mutant {
            Mutant::KeepsTheGreatest if current.is_some_and(|current| current > pointer) => {}
            Mutant::ValidatesIds
                if !pointer.id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {}
            _ => self.update(workspace, Said::Session(pointer)),
        }
    }

    fn record_none(&mut self, workspace: Option<&Path>) {
        self.update(workspace, Said::Nothing);
    }

    fn remove(&mut self, workspace: Option<&Path>) {
        match self.index.mutant {
            Mutant::NeverForgets => {}
            Mutant::RemovedIsNone => self.update(workspace, Said::Nothing),
            _ => self.update(workspace, Said::Removed),
        }
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        for (workspace, said) in self.unlocked {
            self.index.write(workspace.as_deref(), said);
        }
        self.inner.map_or(Ok(()), Change::commit)
    }
}

#[test]
fn index_suite_catches_every_mutant() {
    let mutants = [
        (Mutant::NormalisesPaths, "by its bytes"),
        (Mutant::GlobalIsAPath, "by its bytes"),
        (Mutant::RemovedIsNone, "unknown, not none"),
        (Mutant::WritesAtOnce, "a dropped change"),
        (Mutant::BlindChange, "a change sees its own updates"),
        (Mutant::NeverForgets, "forgetting one workspace"),
        (Mutant::KeepsTheGreatest, "come back unchecked"),
        (Mutant::ValidatesIds, "come back unchecked"),
        (Mutant::NoLock, "a second change waits"),
        #[cfg(unix)]
        (Mutant::LossyPaths, "by its bytes"),
    ];
    for (mutant, promise) in mutants {
        let suite = || {
            index_conformance(Keeps::Everything, || {
                Box::new(Mutated {
                    inner: MemoryIndex::new().wait(SHORT),
                    mutant,
                })
            });
        };
        check_caught(&format!("{mutant:?}"), promise, suite);
    }
}

fn check_caught(mutant: &str, promise: &str, suite: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(suite)).expect_err(mutant);
    let message = panic.downcast_ref::<String>().cloned();
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap();
    assert!(
        message.contains(promise),
        "{mutant} was caught by something else: {message}"
    );
}

/// A storage without one of the promises.
#[derive(Debug)]
struct Broken {
    inner: MemoryStorage,
    mutant: &'static str,
    reads: AtomicU64,
}

impl Watch for Broken {}

impl IndexStorage for Broken {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let bytes = match self.mutant {
            "no limit" => self.inner.read(name, usize::MAX),
            "absent is empty" => Ok(Some(self.inner.read(name, limit)?.unwrap_or_default())),
            _ => self.inner.read(name, limit),
        };
        self.reads.fetch_add(1, Ordering::SeqCst);
        bytes
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.mutant == "in place" {
            self.inner.replace(name, &bytes[..bytes.len() / 2])?;
            // Stays half written until a reader has been there, if there is one: no luck is needed to be caught.
            let reads = self.reads.load(Ordering::SeqCst);
            (0..500)
                .take_while(|_| self.reads.load(Ordering::SeqCst) < reads + 2)
                .for_each(|_| yield_now());
        }
        self.inner.replace(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        self.inner
            .remove(name)
            .map(|removed| removed || self.mutant == "always removed")
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        if self.mutant == "no lock" {
            Ok(StorageLock::new(()))
        } else {
            self.inner.lock()
        }
    }
}

#[test]
fn storage_suite_catches_every_mutant() {
    let mutants = [
        ("no limit", "a read gives the first"),
        ("absent is empty", "an empty storage has no blobs"),
        ("always removed", "removing nothing says so"),
        ("no lock", "a held lock is refused"),
        ("in place", "the old bytes or the new ones"),
    ];
    for (mutant, promise) in mutants {
        let make = || {
            Box::new(Broken {
                inner: memory(),
                mutant,
                reads: AtomicU64::new(0),
            }) as Box<dyn IndexStorage>
        };
        check_caught(mutant, promise, || storage_conformance(make));
    }
}
