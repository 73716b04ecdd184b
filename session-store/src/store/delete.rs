//! Removing a session for good, and the rename that every removal begins with.

use std::path::PathBuf;

use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::backend::{Blob, Lock};
use crate::trace::{event, span};
use crate::workspace::Workspace;

/// The ending of a name in the trash that is on its way out: what a crash leaves of a deletion.
pub(super) const ERASED: &str = ".erased";

impl<S: SessionRecord> SessionStore<S> {
    /// Deletes a session and erases its file; `false` if there was none.
    ///
    /// The document leaves the directory in one step, so at any moment the session is there whole or not at all, and it
    /// does not come back after a crash. [`trash`](SessionStore::trash) keeps a way back instead. A session that cannot
    /// be read can be deleted too.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::ReadOnly`] and [`Error::Io`] leave the session as it was; with
    /// [`Error::NotDurable`] it is gone, but a power cut may bring it back, or its bytes could not be erased: the next
    /// opening of the store tries that again.
    pub fn delete(&self, id: &SessionId) -> Result<bool, Error> {
        self.writable(id)?;
        if !self.is_there()? {
            return Ok(false);
        }
        let lock = self.lock(id)?;
        let erased = format!("{id}.{:016x}{ERASED}", fastrand::u64(..));
        let was_there = self.remove_document(id, &lock, &erased)?;
        // After the document, so that no crash leaves a session without what was appended to it.
        let erase = |blob: &Blob<'_>| {
            let erased = self
                .shared
                .backend
                .remove(&lock, blob, self.shared.durability);
            erased.map(drop).map_err(|error| match error {
                // The session has left already: whoever is told that it has not would look for it.
                Error::Io { path, source, .. } if was_there => Error::NotDurable { path, source },
                other => other,
            })
        };
        erase(&Blob::journal(id))?;
        if !was_there {
            return Ok(false);
        }
        erase(&Blob::trash(&erased))?;
        event!(%id, "delete");
        Ok(true)
    }

    /// Moves a document into the trash under the index lock, and takes it out of the index and of this handle's view.
    pub(super) fn remove_document(
        &self,
        id: &SessionId,
        lock: &Lock,
        name: &str,
    ) -> Result<bool, Error> {
        self.move_document(id, lock, &Blob::trash(name))
    }

    /// Moves a document out of its place under the index lock, and takes it out of the index and of this handle's view.
    pub(super) fn move_document(
        &self,
        id: &SessionId,
        lock: &Lock,
        to: &Blob<'_>,
    ) -> Result<bool, Error> {
        span!("remove", %id);
        let workspaces = self.recorded_under(id);
        let moved = self.shared.backend.transfer(
            lock,
            &Blob::session(id),
            to,
            self.shared.durability,
            &mut |rename| {
                let unchecked = || Ok(());
                self.change_index(&self.shared.index, unchecked, rename, |change| {
                    for workspace in workspaces
                        .iter()
                        .map(|path| Some(path.as_path()))
                        .chain([None])
                    {
                        if change
                            .lookup(workspace)
                            .is_ok_and(|answer| answer.pointer().is_some_and(|to| to.id == **id))
                        {
                            change.remove(workspace);
                        }
                    }
                    // A pointer to it that is not among these is refuted by whoever follows it; no other becomes untrue.
                    Some(())
                })
            },
        );
        if !matches!(moved, Err(ref error) if !error.is_not_durable()) {
            self.views.forget(id);
        }
        moved
    }

    /// The index keys of a session as its document reads now; none where it cannot be read.
    fn recorded_under(&self, id: &SessionId) -> Vec<PathBuf> {
        let directory = self
            .candidate(id)
            .and_then(|candidate| candidate.header.directory);
        directory.map_or_else(Vec::new, |directory| {
            Workspace::new(&directory, &self.resolver())
                .keys()
                .collect()
        })
    }
}
