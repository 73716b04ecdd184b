//! Named blobs under locks: what the store needs of a medium, and the protocol that makes a replacement safe.
//!
//! Owns where each kind of blob lives, the order of create, write, sync, rename and directory sync, the locks, and the
//! temporaries. Must not know what is in a blob, what a session is, or which session is newest.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::durability::Durability;
use crate::error::Error;
pub use crate::fs::{AppendFile, BlobStat, FileKind, OpenBlob};

mod audit;
#[cfg(feature = "testing")]
mod conformance;
mod dir;
#[cfg(feature = "testing")]
mod fault;
mod listing;
mod lock;
mod memory;
mod names;
mod owner;
mod place;
mod stamp;
mod sweep;
mod trust;
mod write;

pub use audit::{Access, Surroundings};
#[cfg(feature = "testing")]
pub use conformance::backend_conformance;
pub use dir::DirBackend;
#[cfg(feature = "testing")]
pub use fault::{BackendCall, FaultBackend};
pub use listing::{BackendEntry, BackendListing, BackendNames, BackendRejected, RejectReason};
pub use lock::{Lock, LockName};
pub use memory::MemoryBackend;
pub use owner::LockOwner;
#[doc(no_inline)]
pub use session_index::Stamp;
pub use trust::Trust;

/// Which kind of blob, and so which directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Area {
    /// Session documents, `<id>.json`; names are session ids.
    Sessions,
    /// Dot files in the sessions directory that other programs know too, such as `.workspace_index.json`.
    Shared,
    /// Files of the index, in `.store/index/`.
    Index,
    /// Journals, `.store/journal/<id>.journal`; names are session ids.
    Journal,
    /// What was thrown away, in `.store/trash/`.
    Trash,
    /// What was put aside as damaged, in `.store/quarantine/`.
    Quarantine,
}

/// The name of a blob.
///
/// Nothing is checked here; every call of a backend checks the name before it builds a path, and answers
/// [`Error::InvalidId`] for [`Area::Sessions`] and [`Area::Journal`], or an `InvalidInput` error for the other areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Blob<'a> {
    /// The kind.
    pub area: Area,
    /// A session id in [`Area::Sessions`] and [`Area::Journal`], else a bare file name.
    pub name: &'a str,
}

impl<'a> Blob<'a> {
    /// Names a blob of any kind.
    #[must_use]
    pub fn new(area: Area, name: &'a str) -> Self {
        Self { area, name }
    }

    /// Names the document of a session.
    #[must_use]
    pub fn session(id: &'a str) -> Self {
        Self::new(Area::Sessions, id)
    }

    /// Names the journal of a session.
    #[must_use]
    pub fn journal(id: &'a str) -> Self {
        Self::new(Area::Journal, id)
    }

    /// Names a file of the index.
    #[must_use]
    pub fn index(name: &'a str) -> Self {
        Self::new(Area::Index, name)
    }

    /// Names a dot file in the sessions directory.
    #[must_use]
    pub fn shared(name: &'a str) -> Self {
        Self::new(Area::Shared, name)
    }

    /// Names something in the trash.
    #[must_use]
    pub fn trash(name: &'a str) -> Self {
        Self::new(Area::Trash, name)
    }

    /// Names something in quarantine.
    #[must_use]
    pub fn quarantine(name: &'a str) -> Self {
        Self::new(Area::Quarantine, name)
    }
}

/// Fills a new blob; called once.
pub type WriteStep<'a> = dyn FnMut(&mut dyn io::Write) -> Result<(), Error> + 'a;

/// Makes a change visible by calling the step it is given, exactly once, and does around it what has to happen there.
pub type PublishStep<'a> =
    dyn FnMut(&mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error> + 'a;

/// Publishes with nothing around it: `backend.replace(.., &mut publish_now)`.
///
/// # Errors
///
/// What the step answers.
pub fn publish_now(step: &mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error> {
    step()
}

/// Named blobs: list, stat, read at, replace atomically, move, remove, lock.
///
/// A missing directory is an empty area, and nothing is created before the first write. Readers take no locks, are never
/// blocked, and see a whole old or a whole new blob.
pub trait Backend: Debug + Send + Sync {
    /// Lists an area; an area that does not exist is empty.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the area as a whole cannot be read, [`Error::Untrusted`] if others could have planted it.
    fn list(&self, area: Area) -> Result<BackendListing, Error>;

    /// Names what is in an area, perhaps without looking at any of it: for whoever opens each blob by
    /// [`open_listed`](Self::open_listed), and asks the open one what it is.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn names(&self, area: Area) -> Result<BackendNames, Error> {
        let BackendListing { entries, rejected } = self.list(area)?;
        let names = entries.into_iter().map(|entry| entry.name).collect();
        Ok(BackendNames { names, rejected })
    }

    /// Stats the directory of an area: its times move when a name in it appears, is replaced or goes. `None` if missing.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error>;

    /// Stamps the sessions directory: equal stamps mean that no document has appeared, been replaced or gone in between.
    /// `None` where equal stamps would prove nothing, or the directory is missing.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn stamp(&self) -> Result<Option<Stamp>, Error> {
        Ok(None)
    }

    /// Whether every change from now on is certain to give another stamp than this one, which was taken just now.
    ///
    /// May try the clock of the medium with a temporary that belongs to `lock`.
    fn settles(&self, lock: &Lock, stamp: &Stamp) -> bool {
        let _ = (lock, stamp);
        false
    }

    /// Stats a blob; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if the name belongs to something that is not a regular file, [`Error::InvalidId`],
    /// [`Error::Io`], [`Error::Untrusted`].
    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error>;

    /// Opens a blob for reading; `None` if there is none. Regular files only; no link is followed; a FIFO does not block.
    ///
    /// # Errors
    ///
    /// As [`stat`](Self::stat).
    fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error>;

    /// Opens a blob that a listing showed, perhaps without asking again what it is: if it is no regular file any more, the
    /// open blob's `size` and `stat` refuse it. For whoever looks at many and keeps few.
    ///
    /// # Errors
    ///
    /// As [`stat`](Self::stat).
    fn open_listed(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.open(blob)
    }

    /// Replaces a blob, or makes a new one, atomically, and returns the stat of the new one.
    ///
    /// A temporary named for `lock` is created and filled by `write`, synced as `durability` says, made visible by
    /// the step that `publish` is given, and its directory is synced as `durability` says.
    ///
    /// # Errors
    ///
    /// Those of `write` and `publish`, and:
    ///
    /// | error | target | temporary |
    /// |---|---|---|
    /// | before the rename, the rename itself, `publish` not calling its step | untouched | removed, if that is possible |
    /// | of `publish`, after its step | new content, directory synced if possible | gone |
    /// | [`Error::NotDurable`] | new content, visible, may not survive a power cut | gone |
    ///
    /// The target is never removed, whatever fails, and a file whose sync failed is never synced again.
    fn replace(
        &self,
        lock: &Lock,
        blob: &Blob<'_>,
        durability: Durability,
        write: &mut WriteStep<'_>,
        publish: &mut PublishStep<'_>,
    ) -> Result<BlobStat, Error>;

    /// Opens a blob for adding at its end; `None` if there is none. A new one is begun with [`replace`](Self::replace).
    ///
    /// The caller holds the lock that belongs to the blob for as long as it has this open: only the holder may add, and
    /// only the holder may cut. Readers that have the blob open see what is added.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); an [`Error::Io`] of kind `Unsupported` from a backend whose blobs can only be replaced:
    /// the store then rewrites documents instead of adding to journals.
    fn append(&self, lock: &Lock, blob: &Blob<'_>) -> Result<Option<Box<dyn AppendFile>>, Error>;

    /// Makes a blob durable that is there, content and name, whoever wrote it and however.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], of kind `NotFound` if there is none.
    fn persist(&self, lock: &Lock, blob: &Blob<'_>) -> Result<(), Error>;

    /// Replaces a blob, or makes a new one, unsynced and in whatever way is fastest: readers and crashes may find a mixture
    /// of old and new bytes. For blobs that say themselves whether they are whole.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], with a mixture left behind.
    fn overwrite(&self, lock: &Lock, blob: &Blob<'_>, bytes: &[u8]) -> Result<(), Error> {
        let failed = |source| Error::io("write", &self.describe(blob), source);
        let mut write = |out: &mut dyn io::Write| out.write_all(bytes).map_err(failed);
        let (process, publish) = (Durability::Process, &mut publish_now);
        self.replace(lock, blob, process, &mut write, publish)?;
        Ok(())
    }

    /// Makes every [stamp](Self::stamp) so far one of another time, without any lock.
    /// # Errors
    /// Those of a stamp.
    fn disturb(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Moves a blob to a name that is free, in one atomic step; `false`, without calling `publish`, if there is no `from`.
    ///
    /// # Errors
    ///
    /// An [`Error::Io`] of kind `AlreadyExists` if `to` is taken; [`Error::NotDurable`] if a directory could not be synced
    /// after the move; else as [`replace`](Self::replace).
    fn transfer(
        &self,
        lock: &Lock,
        from: &Blob<'_>,
        to: &Blob<'_>,
        durability: Durability,
        publish: &mut PublishStep<'_>,
    ) -> Result<bool, Error>;

    /// Removes a blob; `false` if there was none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the blob still there, or [`Error::NotDurable`] with the blob gone.
    fn remove(&self, lock: &Lock, blob: &Blob<'_>, durability: Durability) -> Result<bool, Error>;

    /// Takes a lock against other threads and processes, waiting at most about `wait`.
    ///
    /// Locks are not re-entrant. Order: a session's lock first, then the index's.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] if it stays held, [`Error::InvalidId`], [`Error::Io`], [`Error::Untrusted`].
    fn lock(&self, name: LockName<'_>, wait: Duration) -> Result<Lock, Error>;

    /// Opens what shows how often a lock was [somebody's turn](Lock::turn): each turn gives it another stat. `None` where
    /// there is nothing of the kind, or the lock was never taken.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    fn turns(&self, name: LockName<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        let _ = name;
        Ok(None)
    }

    /// Removes every temporary whose lock can be taken at once, and tells how many: their writers are gone.
    ///
    /// # Errors
    ///
    /// The first [`Error::Io`]; the other temporaries were tried nevertheless.
    fn sweep(&self) -> Result<u64, Error>;

    /// Tells who may do something with a blob, where the medium has permissions; `None` else, or if there is no blob.
    ///
    /// # Errors
    ///
    /// As [`stat`](Self::stat).
    fn access(&self, blob: &Blob<'_>) -> Result<Option<Access>, Error> {
        let _ = blob;
        Ok(None)
    }

    /// Tells what there is beside the blobs, in no order; nothing where the medium has none of that.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn surroundings(&self) -> Result<Surroundings, Error> {
        Ok(Surroundings::default())
    }

    /// Names a blob for messages.
    fn describe(&self, blob: &Blob<'_>) -> PathBuf;
}

const _: fn(&dyn Backend) = |_| {};
