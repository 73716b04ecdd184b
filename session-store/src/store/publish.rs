//! The step that makes a change visible, with the index told under its lock.

use std::path::PathBuf;
use std::sync::Arc;

use session_index::{Change, Rule, WorkspaceIndex};
use session_model::{SessionId, SessionRecord};
use session_scan::Look;

use super::SessionStore;
use super::write::{Over, Target};
use crate::Error;
use crate::backend::Blob;
use crate::order::Recency;
use crate::probe::{Candidate, HeadProbe};
use crate::trace::index_unused;
use crate::workspace::Workspace;

impl<S: SessionRecord> SessionStore<S> {
    /// Makes a written document visible and records it, holding the index lock.
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
        let check = || match target.over {
            Over::Only(expected) if self.shared.backend.stat(&Blob::session(id))? != expected => {
                Err(Error::changed(self.path(id)))
            }
            Over::Only(_) | Over::Anything => Ok(()),
        };
        self.change_index(&self.shared.index, check, rename, |change| {
            let stat = self.shared.backend.stat(&Blob::session(id)).ok()??;
            let recency = Recency::new(id.clone(), target.updated_at, stat.modified);
            self.point(change, workspace.as_ref(), &recency)
        })
    }

    /// Reads the header of a session outside any walk; `None` where it cannot be used.
    pub(super) fn candidate(&self, id: &SessionId) -> Option<Candidate> {
        let documents = self.headers();
        match HeadProbe::<S>::new(&self.shared, &documents, None).look(&documents, id) {
            Ok(Some((_, Look::Hit(candidate), _))) => Some(candidate),
            _ => None,
        }
    }

    /// Runs a rename under the index lock, between two stamps of the directory, then tells the index about it.
    ///
    /// An index that cannot be locked stops the change, as a rename that others do not know of could make them believe
    /// what is no longer true. One that cannot be told everything (`None`), or cannot be written, proves nothing from
    /// here on, which only makes lookups slower.
    pub(super) fn change_index(
        &self,
        index: &Arc<dyn WorkspaceIndex>,
        check: impl FnOnce() -> Result<(), Error>,
        rename: &mut dyn FnMut() -> Result<(), Error>,
        tell: impl FnOnce(&mut dyn Change) -> Option<()>,
    ) -> Result<(), Error> {
        let mut change = match index.begin() {
            Ok(change) => change,
            Err(_) if !self.shared.rules.hold(Rule::Locked) => return rename(),
            Err(error) => return Err(unlockable(self.index_lock(), error)),
        };
        check()?;
        let mut renamed = Ok(());
        change.step(&mut || renamed = rename());
        renamed?;
        // The change is visible from here on: whatever happens to the hint, the caller's call has succeeded.
        if tell(&mut *change).is_some()
            && let Err(error) = change.commit()
        {
            index_unused(&error);
        }
        Ok(())
    }

    pub(super) fn index_lock(&self) -> PathBuf {
        self.shared.root.join(".store/locks/.index.lock")
    }
}

/// Why no change can be made without the index's lock.
pub(super) fn unlockable(path: PathBuf, error: session_index::Error) -> Error {
    match error {
        error if error.is_locked() => Error::Locked { path, owner: None },
        session_index::Error::Io { source, .. } => Error::io("lock", &path, source),
        other => Error::io("lock", &path, std::io::Error::other(other)),
    }
}
