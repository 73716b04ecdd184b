//! The two traits that callers program against: a lookup, and a guarded change. Knows no storage and no format.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use crate::{Answer, Error, Pointer};

/// Remembers the newest session of each workspace, as a hint.
///
/// A workspace is compared by the bytes of its path and nothing else: `/a` and `/a/` are two. The caller decides which
/// spellings it records and asks for. `None` as workspace stands for all of them together: the newest session there is.
///
/// Whatever an index answers must not change what the caller finds, only how fast. So a caller verifies what it is
/// given, and treats an error like [`Answer::Unknown`].
pub trait WorkspaceIndex: Debug + Send + Sync {
    /// Says what is recorded for `workspace`, without waiting for a change that is being made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the storage cannot be read. What can be read and makes no sense is no error but
    /// [`Answer::Unknown`] with its [`Reason`](crate::Reason).
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error>;

    /// Takes the index lock and starts a change.
    ///
    /// Until the guard goes, no other change to the same storage begins, in this process or in others. So what
    /// [`Change::lookup`] says stays true until the commit.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another change holds the lock for longer than the storage waits, [`Error::Io`] when the
    /// lock cannot be taken at all.
    fn begin(&self) -> Result<Box<dyn Change + '_>, Error>;

    /// Forgets what is recorded for `workspace`, in a change of its own.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin) and [`Change::commit`].
    fn forget(&self, workspace: Option<&Path>) -> Result<(), Error> {
        let mut change = self.begin()?;
        change.remove(workspace);
        change.commit()
    }
}

/// A change to an index that holds its lock.
///
/// Nothing is written before [`commit`](Self::commit); a guard that is dropped without it leaves the index as it was.
#[must_use = "a change that is dropped without `commit` writes nothing"]
pub trait Change: Debug + Send {
    /// Says what is recorded for `workspace`, with what this change did so far on top.
    ///
    /// # Errors
    ///
    /// As [`WorkspaceIndex::lookup`].
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error>;

    /// Records `pointer` as the newest session of `workspace`, whatever was recorded before.
    ///
    /// Whether the session wins against the one recorded is the caller's decision, because only the caller can read
    /// both as they are now. What an index has no way to record is forgotten instead, so that nothing stale remains.
    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer);

    /// Records that `workspace` has no session.
    ///
    /// An index that has no way to say so forgets the workspace instead.
    fn record_none(&mut self, workspace: Option<&Path>);

    /// Forgets what is recorded for `workspace`.
    fn remove(&mut self, workspace: Option<&Path>);

    /// Writes everything that was recorded and removed, and releases the lock.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the first refusal of the storage. Every workspace is tried all the same, and each is either as
    /// it was before or as the change says, never in between.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: WorkspaceIndex + ?Sized> WorkspaceIndex for $pointer {
            fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
                (**self).lookup(workspace)
            }

            fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
                (**self).begin()
            }

            fn forget(&self, workspace: Option<&Path>) -> Result<(), Error> {
                (**self).forget(workspace)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);

/// Both traits are used as `dyn`; this stops compiling when one of them no longer can be.
const _: fn(&dyn WorkspaceIndex, &dyn Change) = |_, _| ();
