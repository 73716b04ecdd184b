//! What several test modules need: short waits, paths, and one-line lookups and changes.

use std::path::Path;
use std::time::Duration;

use session_index::testing::MemoryStorage;
use session_index::{
    Answer, DirStorage, Durability, Pointer, Reason, SidecarIndex, WorkspaceIndex,
};
use tempfile::TempDir;

/// Long enough for a scheduler that is busy with other tests, short enough to wait for in full.
pub(crate) const SHORT: Duration = Duration::from_millis(20);

#[expect(clippy::unnecessary_wraps, reason = "what a lookup takes is an option")]
pub(crate) fn at(path: &str) -> Option<&Path> {
    Some(Path::new(path))
}

pub(crate) fn memory() -> MemoryStorage {
    MemoryStorage::new().wait(SHORT)
}

pub(crate) fn sidecar() -> SidecarIndex<MemoryStorage> {
    SidecarIndex::new(memory())
}

/// A storage whose tests do not wait for a disk.
pub(crate) fn directory(root: &TempDir) -> DirStorage {
    DirStorage::new(root.path().join("a/index"))
        .durability(Durability::Process)
        .wait(SHORT)
}

pub(crate) fn pointer(id: &str, at: i128) -> Pointer {
    Pointer::new(id, at, at)
}

pub(crate) fn record(
    index: &(impl WorkspaceIndex + ?Sized),
    workspace: Option<&Path>,
    pointer: &Pointer,
) {
    let mut change = index.begin().unwrap();
    change.record(workspace, pointer.clone());
    change.commit().unwrap();
}

pub(crate) fn find(
    index: &(impl WorkspaceIndex + ?Sized),
    workspace: Option<&Path>,
) -> Option<Pointer> {
    index.lookup(workspace).unwrap().into_pointer()
}

pub(crate) fn unknown(reason: Reason) -> Answer {
    Answer::Unknown(reason)
}

/// The name of the one blob that is no lock.
pub(crate) fn only_name(index: &SidecarIndex<MemoryStorage>) -> String {
    let names = index.storage().names();
    assert_eq!(names.len(), 1, "{names:?}");
    names.into_iter().next().unwrap()
}
