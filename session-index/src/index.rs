//! The two traits that callers program against: a lookup, and a guarded change. Knows no storage and no format.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use crate::stamp::Stamp;
use crate::state_file::Scope;
use crate::turn::Turn;
use crate::{Answer, Consultation, Error, Pointer};

/// Remembers the newest session of each workspace: as a hint, or with a proof that nothing has become newer since.
///
/// A workspace is compared by the bytes of its path and nothing else: `/a` and `/a/` are two. The caller decides which
/// spellings it records and asks for. `None` as workspace stands for all of them together: the newest session there is.
///
/// Whatever an index answers must not change what the caller finds, only how fast. So a caller verifies what it is
/// given, and treats an error like [`Answer::Unknown`]. A proof says that no *other* session comes after the one named;
/// whether that one still is where and what it was is for the caller to see when it reads it.
pub trait WorkspaceIndex: Debug + Send + Sync {
    /// Says what is recorded for `workspace`, without waiting for a change that is being made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the storage cannot be read. What can be read and makes no sense is no error but
    /// [`Answer::Unknown`] with its [`Reason`](crate::Reason).
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error>;

    /// Says what is recorded for several workspaces at one moment, and takes a stamp of the watched directory.
    ///
    /// # Errors
    ///
    /// As [`lookup`](Self::lookup).
    fn consult(&self, workspaces: &[Option<&Path>]) -> Result<Consultation, Error> {
        let answers = workspaces.iter().map(|workspace| self.lookup(*workspace));
        Ok(Consultation::new(
            answers.collect::<Result<_, _>>()?,
            None,
            Scope::Some,
        ))
    }

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

    /// Shows how many changes were begun; `None` where that cannot be told.
    ///
    /// [`begin`](Self::begin) shows a new turn before it returns, so that whoever sees the old one afterwards was before
    /// everything that the change reads.
    fn turn(&self) -> Option<Turn> {
        None
    }

    /// Tells for how many workspaces something is recorded, so that it can be [swept](Change::sweep) when that is too many; 0
    /// from an index that needs no sweeping.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the storage cannot be listed.
    ///
    /// # Complexity
    ///
    /// As the number it tells, unlike every other call.
    fn size(&self) -> Result<usize, Error> {
        Ok(0)
    }

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

    /// Makes a step that changes the watched directory, with a stamp taken right before and one right after it.
    ///
    /// An index that proves nothing just makes the step. Whoever commits after this has told the change everything that
    /// the step may have made untrue; whoever cannot drops the change, and nothing is proven any more.
    fn step(&mut self, step: &mut dyn FnMut()) {
        step();
    }

    /// Says that no step is made: what this change [proves](Self::prove) is so for the watched directory as it is now.
    fn still(&mut self) {
        self.step(&mut || ());
    }

    /// Says that what this change [proves](Self::prove) was found by a walk that began after `since` was taken
    /// ([`Consultation::stamp`]), and how far the walk went.
    fn walked(&mut self, since: &Stamp, scope: Scope) {
        let _ = (since, scope);
    }

    /// Says that something has become untrue of which the caller does not know the workspaces: with the commit, nothing that
    /// was recorded is proven any more, and nothing that this change records.
    ///
    /// An index that proves nothing has nothing to do.
    fn doubt(&mut self) {}

    /// Records the newest session of `workspace`, or that there is none, as true.
    ///
    /// It is true if the caller says so and nothing happened that the caller has not seen, which the index checks at the
    /// commit by what [`step`](Self::step) or [`walked`](Self::walked) left it. Otherwise a session is recorded as a hint,
    /// and "none" is not recorded at all.
    fn prove(&mut self, workspace: Option<&Path>, newest: Option<Pointer>) {
        match newest {
            Some(pointer) => self.record(workspace, pointer),
            None => self.record_none(workspace),
        }
    }

    /// Records `pointer` as a hint to the newest session of `workspace`, whatever was recorded before.
    ///
    /// Whether the session wins against the one recorded is the caller's decision, because only the caller can read
    /// both as they are now. What an index has no way to record is forgotten instead, so that nothing stale remains.
    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer);

    /// Records as a hint that `workspace` has no session.
    ///
    /// An index that has no way to say so forgets the workspace instead.
    fn record_none(&mut self, workspace: Option<&Path>);

    /// Forgets what is recorded for `workspace`.
    fn remove(&mut self, workspace: Option<&Path>);

    /// Forgets, with the commit, every workspace of which no session is known to be the newest, and all of them where more than
    /// `most` would be left. Nothing is proven any more afterwards.
    ///
    /// What is gone may have been recorded after somebody began to walk, who then takes it for never recorded, and must not
    /// prove what was found without it. So the change [steps](Self::step) to another stamp before: without that, nothing goes.
    ///
    /// An index whose [size](WorkspaceIndex::size) is 0 has nothing to do.
    fn sweep(&mut self, most: usize) {
        let _ = most;
    }

    /// Writes everything that was recorded and removed, then what proves it, and releases the lock.
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

            fn consult(&self, workspaces: &[Option<&Path>]) -> Result<Consultation, Error> {
                (**self).consult(workspaces)
            }

            fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
                (**self).begin()
            }

            fn turn(&self) -> Option<Turn> {
                (**self).turn()
            }
            fn size(&self) -> Result<usize, Error> {
                (**self).size()
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
