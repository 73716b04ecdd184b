//! Making the directories that a write needs, and making their names durable. Nothing is made before the first write.

use std::io;
use std::sync::PoisonError;

use super::DirBackend;
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::FileSystem;

impl<F: FileSystem> DirBackend<F> {
    /// Makes sure that a directory of ours exists, and that its name survives what `durability` says.
    ///
    /// A directory made by somebody else may not be durable yet, so each is synced once by every backend that needs it.
    pub(super) fn ensure_dir(
        &self,
        dir: &'static str,
        durability: Durability,
    ) -> Result<(), Error> {
        self.judge()?;
        // One at a time: two threads that both need a directory wait for one sync instead of doing two.
        let mut known = self
            .durable_dirs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for dir in above(dir) {
            let made = self
                .fs
                .make_dir(dir)
                .map_err(|error| self.error("create directory", dir, error))?;
            if made {
                // Whatever was below a directory of that name went with it.
                known.retain(|known| !dir.is_empty() && *known != dir);
            }
            if dir.is_empty() {
                // Somebody else may have made it since the last look.
                self.judge()?;
            }
            if !durability.syncs_directories() || known.contains(dir) {
                continue;
            }
            let synced = if dir.is_empty() {
                self.fs.sync_root_entry()
            } else {
                self.fs.sync_dir(crate::fs::parent(dir))
            };
            match synced {
                // Nobody but its owner can sync the directory above; a root that was there before us is their business.
                Err(error)
                    if dir.is_empty()
                        && !made
                        && error.kind() == io::ErrorKind::PermissionDenied => {}
                answer => answer.map_err(|error| self.error("sync directory", dir, error))?,
            }
            known.insert(dir);
        }
        Ok(())
    }
}

/// Names a directory of ours and those above it, the root first.
fn above(dir: &'static str) -> impl Iterator<Item = &'static str> {
    let ends = dir
        .match_indices('/')
        .map(|(at, _)| at)
        .chain((!dir.is_empty()).then_some(dir.len()));
    std::iter::once("").chain(ends.map(move |end| &dir[..end]))
}
