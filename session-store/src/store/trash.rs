//! The way back: sessions that were thrown away and can be restored.

use std::time::{Duration, SystemTime};

use session_index::Rule;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::checkpoint::stamped;
use super::delete::ERASED;
use crate::backend::{Area, Blob, LockName, RejectReason};
use crate::corpus::Documents;
use crate::error::ConflictReason;
use crate::order::Recency;
use crate::probe::HeadProbe;
use crate::trace::event;
use crate::workspace::Workspace;
use crate::{Error, Trashed};

/// The ending of a restorable name in the trash: `<id>.<milliseconds since the epoch>.<random>.json`.
const TRASHED: &str = ".json";

impl<S: SessionRecord> SessionStore<S> {
    /// Moves a session to the trash, out of every lookup and listing; `false` if there was none.
    ///
    /// # Errors
    ///
    /// As for [`delete`](SessionStore::delete).
    pub fn trash(&self, id: &SessionId) -> Result<bool, Error> {
        self.writable(id)?;
        if !self.is_there()? {
            return Ok(false);
        }
        let lock = self.lock(id)?;
        let name = format!("{}{TRASHED}", stamped(id));
        self.fold_or_set_aside(id, &lock)?;
        let moved = self.remove_document(id, &lock, &name)?;
        event!(%id, moved, "trash");
        Ok(moved)
    }

    /// Brings the latest trashed version of a session back; `false` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when a session of that id exists again; nothing is replaced. Else as for
    /// [`delete`](SessionStore::delete).
    pub fn restore(&self, id: &SessionId) -> Result<bool, Error> {
        self.writable(id)?;
        if !self.is_there()? {
            return Ok(false);
        }
        let lock = self.lock(id)?;
        let path = self.path(id);
        let latest = self
            .trashed()?
            .into_iter()
            .filter(|trashed| trashed.id == *id)
            .max_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
        let Some(latest) = latest else {
            return Ok(false);
        };
        self.clear_orphan(id, &lock)?;
        // Read before the index is locked: where it belongs may take the file system a while to say.
        let documents = Documents::new(&*self.shared.backend);
        let probe = HeadProbe::<S>::new(&self.shared, &documents, None);
        let trashed = documents.elsewhere(&Blob::trash(&latest.name));
        let header = trashed
            .ok()
            .flatten()
            .and_then(|document| probe.header(id, &document).ok());
        let resolver = self.resolver();
        let workspace = header
            .as_ref()
            .and_then(|header| header.directory.as_deref())
            .map(|directory| Workspace::new(directory, &resolver));
        let restored = self.shared.backend.transfer(
            &lock,
            &Blob::trash(&latest.name),
            &Blob::session(id),
            self.shared.durability,
            &mut |rename| {
                let unchecked = || Ok(());
                self.change_index(&self.shared.index, unchecked, rename, |change| {
                    if !self.shared.rules.hold(Rule::Restored) {
                        return Some(());
                    }
                    let header = header.as_ref()?;
                    let stat = self.shared.backend.stat(&Blob::session(id)).ok()??;
                    let recency = Recency::new(id.clone(), header.updated_at, stat.modified);
                    self.point(change, workspace.as_ref(), &recency)
                })
            },
        );
        event!(%id, "restore");
        match restored {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Error::Conflict {
                    path,
                    reason: ConflictReason::NeverSeen,
                })
            }
            other => other,
        }
    }

    /// Lists what is in the trash, in no order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the trash, or a session in it, cannot be looked at.
    pub fn trashed(&self) -> Result<Vec<Trashed>, Error> {
        let listing = self.shared.backend.list(Area::Trash)?;
        // Left out in silence, a session would neither be restored nor erased, and nobody would know.
        for rejected in listing.rejected {
            if let (RejectReason::Io(source), Some(name)) =
                (rejected.reason, rejected.name.to_str())
            {
                let path = self.shared.backend.describe(&Blob::trash(name));
                return Err(Error::io("stat", &path, source));
            }
        }
        Ok(listing
            .entries
            .into_iter()
            .filter_map(|entry| Trashed::parse(entry.name, entry.stat.size))
            .collect())
    }

    /// Erases what was trashed longer ago than `older_than`, and says how many sessions that were.
    ///
    /// Nothing empties the trash on its own.
    ///
    /// # Errors
    ///
    /// The first failure, such as [`Error::Locked`] where somebody is restoring one of them; all others were erased.
    pub fn empty_trash(&self, older_than: Duration) -> Result<usize, Error> {
        let Some(limit) = SystemTime::now().checked_sub(older_than) else {
            return Ok(0);
        };
        let erase = |trashed: &Trashed| {
            let lock = self.lock(&trashed.id)?;
            let blob = Blob::trash(&trashed.name);
            let backend = &self.shared.backend;
            backend.remove(&lock, &blob, self.shared.durability)
        };
        let (mut erased, mut failed) = (0, None);
        let trashed = self.trashed()?.into_iter();
        for trashed in trashed.filter(|trashed| trashed.at <= limit) {
            match erase(&trashed) {
                Ok(was_there) => erased += usize::from(was_there),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        event!(erased, "empty_trash");
        failed.map_or(Ok(erased), Err)
    }

    /// Removes what a crash left behind: temporaries whose writers are gone, and deletions cut short after the rename.
    pub(crate) fn sweep(&self) -> Result<(), Error> {
        let backend = &self.shared.backend;
        // The first trouble is told, and keeps nothing else from being removed.
        let mut swept = backend.sweep().map(drop);
        for entry in backend.list(Area::Trash)?.entries {
            let Some(id) = entry
                .name
                .strip_suffix(ERASED)
                .and_then(|stem| stem.split('.').next())
            else {
                continue;
            };
            let removed = match backend.lock(LockName::Session(id), Duration::ZERO) {
                Ok(lock) => self.clear_orphan(id, &lock).and_then(|()| {
                    backend.remove(&lock, &Blob::trash(&entry.name), self.shared.durability)
                }),
                // Somebody is at it, or it is not ours.
                Err(error) if error.is_locked() || error.is_invalid_id() => Ok(false),
                Err(error) => Err(error),
            };
            swept = swept.and(removed.map(drop));
        }
        swept
    }
}
