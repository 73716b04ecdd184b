//! The step that makes a change visible, with the index told under its lock.

use std::path::Path;
use std::sync::Arc;

use session_index::{Answer, Change, Pointer, WorkspaceIndex};
use session_model::{SessionId, SessionRecord};
use session_scan::Look;

use super::SessionStore;
use super::write::{Over, Target};
use crate::Error;
use crate::backend::Blob;
use crate::corpus::Documents;
use crate::error::ConflictReason;
use crate::order::Recency;
use crate::probe::{Candidate, HeadProbe};
use crate::trace::index_unused;
use crate::workspace::Workspace;

impl<S: SessionRecord> SessionStore<S> {
    /// Makes a written document visible and records it, holding the index lock around exactly the rename.
    ///
    /// If something else is there by now than what the caller's checks were made on, a program that does not take our
    /// locks was faster, and nothing is published.
    pub(super) fn publish(
        &self,
        target: &Target<'_>,
        rename: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let id = target.id;
        let resolver = self.resolver();
        let workspace = target
            .directory
            .map(|directory| Workspace::new(directory, &resolver));
        let mut checked = || {
            if let Over::Only(expected) = target.over
                && self.shared.backend.stat(&Blob::session(id))? != expected
            {
                let (path, reason) = (self.path(id), ConflictReason::Changed);
                return Err(Error::Conflict { path, reason });
            }
            rename()
        };
        self.change_index(&self.shared.index, &mut checked, |change| {
            if let Some(stat) = self.shared.backend.stat(&Blob::session(id))? {
                let recency = Recency::new(id.clone(), target.updated_at, stat.modified);
                self.record(change, workspace.as_ref(), &recency);
            }
            Ok(())
        })
    }

    /// Records, in passing, a session that was not written just now but read: found by a walk, or brought back.
    ///
    /// Whoever holds the index lock is not waited for, and failures leave the index as it was.
    pub(super) fn record_found(&self, found: &Candidate) {
        let resolver = self.resolver();
        let directory = found.header.directory.as_deref();
        let workspace = directory.map(|directory| Workspace::new(directory, &resolver));
        let _unrecorded = self.change_index(&self.shared.hurried_index, &mut || Ok(()), |change| {
            self.record(change, workspace.as_ref(), &found.recency);
            Ok(())
        });
    }

    /// Reads the header of a session outside any walk; `None` where it cannot be used.
    pub(super) fn candidate(&self, id: &SessionId) -> Option<Candidate> {
        let documents = Documents::new(&*self.shared.backend);
        match HeadProbe::<S>::new(&self.shared, &documents, None).look(id) {
            Ok(Some((_, Look::Hit(candidate)))) => Some(candidate),
            _ => None,
        }
    }

    /// Runs a rename under the index lock, then tells the index about it.
    ///
    /// An index that cannot be locked in time stops the change; one that cannot be written only makes lookups slower.
    pub(super) fn change_index(
        &self,
        index: &Arc<dyn WorkspaceIndex>,
        rename: &mut dyn FnMut() -> Result<(), Error>,
        tell: impl FnOnce(&mut dyn Change) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut change = match index.begin() {
            Ok(change) => change,
            Err(error) if error.is_locked() => {
                return Err(Error::Locked {
                    path: self.shared.root.join(".store/locks/.index.lock"),
                });
            }
            Err(unwritable) => {
                index_unused(&unwritable);
                return rename();
            }
        };
        rename()?;
        // The change is visible from here on: whatever happens to the hint, the caller's call has succeeded.
        if tell(&mut *change).is_ok()
            && let Err(error) = change.commit()
        {
            index_unused(&error);
        }
        Ok(())
    }

    /// Points the session's workspace, and the whole store, at a session that is visible.
    pub(super) fn record(
        &self,
        change: &mut dyn Change,
        workspace: Option<&Workspace<'_>>,
        recency: &Recency,
    ) {
        let pointer = Pointer::new(recency.id.as_str(), recency.at, recency.updated);
        let keys = workspace
            .into_iter()
            .flat_map(|workspace| workspace.keys().map(Some));
        for key in keys.chain([None]) {
            let of = workspace.filter(|_| key.is_some());
            if self.wins(change, key.as_deref(), of, recency) {
                change.record(key.as_deref(), pointer.clone());
            }
        }
    }

    /// Whether a session comes before the one that the index points to, as that one reads now.
    fn wins(
        &self,
        change: &dyn Change,
        key: Option<&Path>,
        workspace: Option<&Workspace<'_>>,
        recency: &Recency,
    ) -> bool {
        let Ok(Answer::Hint { pointer, .. }) = change.lookup(key) else {
            return true;
        };
        if pointer.id == recency.id.as_str() {
            return true;
        }
        let Ok(id) = SessionId::new(&pointer.id) else {
            return true;
        };
        let documents = Documents::new(&*self.shared.backend);
        // Bounded, as others wait for the index lock meanwhile. What that cannot settle is replaced: a hint may be wrong.
        let probe = HeadProbe::<S>::new(&self.shared, &documents, workspace).bounded();
        match probe.look(&id) {
            Ok(Some((_, Look::Hit(pointed)))) => pointed.recency < *recency,
            _ => true,
        }
    }
}
