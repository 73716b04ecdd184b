//! Folding journals into their documents, and everything else that ends a journal.

use std::io::Write as _;
use std::time::SystemTime;

use session_codec::Revision;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::write::{Over, Target, Written};
use crate::Error;
use crate::backend::{AppendFile, Blob, Lock, publish_now};
use crate::corpus::{Beside, Document, Documents};
use crate::failure::{beforehand, from_codec, from_header};
use crate::journal::{announcement, frame};
use crate::trace::{event, span};

/// The journal of a document that is about to be replaced, open at its end.
#[derive(Debug)]
pub(super) struct Ending {
    file: Box<dyn AppendFile>,
    end: u64,
    next: u64,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Folds what was appended into the session's document, so that other programs see all of it in one plain file;
    /// `false` if there was nothing to fold.
    ///
    /// Appends do this by themselves when it pays. Before copying the directory of documents with another tool, call it for
    /// each session that [`list`](SessionStore::list) shows with [unfolded](crate::SessionSummary::unfolded) bytes, or
    /// copy `.store/journal/` as well. The document is rewritten, so the session has another revision afterwards.
    ///
    /// # Errors
    ///
    /// Each of these leaves the session as it was, except `NotDurable`: [`Error::NotFound`]; [`Error::Corrupt`] for a
    /// document or a journal that cannot be read; [`Error::TooLarge`]; [`Error::Locked`]; [`Error::ReadOnly`];
    /// [`Error::Io`].
    pub fn checkpoint(&self, id: &SessionId) -> Result<bool, Error> {
        let path = self.path(id);
        self.writable(id)?;
        if !self.is_there()? {
            return Err(Error::NotFound { path });
        }
        let lock = self.lock(id)?;
        self.fold(id, &lock).map(|folded| folded.is_some())
    }

    /// Folds the journal of a session whose lock is held; returns the new revision if there was anything to fold.
    pub(super) fn fold(&self, id: &SessionId, lock: &Lock) -> Result<Option<Revision>, Error> {
        match self.folded(id, lock)? {
            Some(folded) => folded.durable.map(|()| Some(folded.seen.revision)),
            None => Ok(None),
        }
    }

    /// Does as `fold`, and tells of a document that is there, but not for certain, as well.
    pub(super) fn folded(&self, id: &SessionId, lock: &Lock) -> Result<Option<Written>, Error> {
        span!("fold", %id);
        let path = self.path(id);
        let failed = |source| Error::io("read", &path, source);
        let documents = Documents::new(&*self.shared.backend);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let Some(overlay) = document.overlay() else {
            return Ok(None);
        };
        let amendment = overlay.amendment(&[]);
        let header = self.header_with(&document, overlay, &path)?;
        let header = SessionHeader::parse(&header, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?;
        let from = document
            .revision()
            .map_err(|error| from_codec("read", &path, error))?;
        let target = Target {
            id,
            directory: header.directory.as_deref(),
            updated_at: header.updated_at,
            over: Over::Only(Some(document.stat().map_err(failed)?)),
        };
        // It was read a moment ago, under this very lock, unless it has to be begun anew.
        let journal = if self.shared.journals.is_sound(id) {
            self.ending(id, lock, &document)?
        } else {
            self.journal_of(id, lock)?
        };
        let written = self.write_over(lock, &target, journal, &mut |out| {
            self.shared.codec.amend(&document, &amendment, out)
        })?;
        self.views.appended(id, from, written.seen);
        event!(%id, bytes = overlay.bytes(), "fold");
        Ok(Some(written))
    }

    /// Finds the journal that a document about to be replaced has, and makes away with one that is not this document's.
    pub(super) fn journal_of(&self, id: &SessionId, lock: &Lock) -> Result<Option<Ending>, Error> {
        let (backend, blob) = (&self.shared.backend, Blob::journal(id));
        if backend.stat(&blob)?.is_none() {
            return Ok(None);
        }
        if !self.shared.journals.is_sound(id) {
            self.renew_journal(id, lock)?;
        }
        let documents = Documents::new(&**backend);
        let document = match documents.document(id) {
            Ok(document) => document,
            // Whoever checks for conflicts has come across this before, and stopped.
            Err(Error::Corrupt { path, .. }) if path == backend.describe(&blob) => {
                self.set_journal_aside(id, lock)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some(document) = document else {
            let removed = backend.remove(lock, &blob, self.shared.durability);
            removed.map_err(beforehand)?;
            return Ok(None);
        };
        self.ending(id, lock, &document)
    }

    /// Opens the journal that stands beside a document, at its end; makes away with one that is not this document's.
    fn ending(
        &self,
        id: &SessionId,
        lock: &Lock,
        document: &Document<'_>,
    ) -> Result<Option<Ending>, Error> {
        let (backend, blob) = (&self.shared.backend, Blob::journal(id));
        match document.beside() {
            Beside::Nothing => Ok(None),
            Beside::Displaced => {
                self.set_journal_aside(id, lock)?;
                Ok(None)
            }
            Beside::Journal(journal) => {
                let Some(mut file) = backend.append(lock, &blob)? else {
                    return Ok(None);
                };
                let journal = journal.0.journal();
                if journal.torn() > 0 {
                    file.truncate(journal.end()).map_err(|source| {
                        Error::io("truncate", &backend.describe(&blob), source)
                    })?;
                }
                Ok(Some(Ending {
                    file,
                    end: journal.end(),
                    next: journal.next(),
                }))
            }
        }
    }

    /// Begins a journal anew whose file failed to sync: what ends it relies on it once more.
    fn renew_journal(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        match self.open_journaling(id, lock) {
            // Whoever asked finds out on the way, and says it better.
            Ok(_) | Err(Error::Corrupt { .. } | Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes into a journal that a document of this revision has everything, before that document appears.
    pub(super) fn announce(
        &self,
        id: &SessionId,
        journal: &mut Ending,
        revision: Revision,
    ) -> Result<(), Error> {
        let path = self.shared.backend.describe(&Blob::journal(id));
        let Some(record) = frame(journal.next, &announcement(revision)) else {
            return Ok(());
        };
        let mut op = "write";
        let mut written = journal.file.write_all(&record);
        if written.is_ok() && self.shared.durability.syncs_files() {
            op = "sync";
            written = journal.file.commit();
        }
        written.map_err(|source| {
            // That document will not appear; a record which says that it might does no harm.
            let _cut = journal.file.truncate(journal.end);
            self.shared.journals.poison(id);
            Error::io(op, &path, source)
        })
    }

    /// Removes a journal of which the document has everything. One that cannot be removed says so itself.
    pub(super) fn drop_journal(&self, id: &SessionId, lock: &Lock, journal: Ending) {
        drop(journal);
        let (backend, blob) = (&self.shared.backend, Blob::journal(id));
        if backend.remove(lock, &blob, self.shared.durability).is_ok() {
            self.shared.journals.cure(id);
        }
    }

    /// Folds the journal of a session that is about to leave, or puts aside what cannot be folded.
    pub(super) fn fold_or_set_aside(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        match self.fold(id, lock) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.set_displaced_aside(id, lock),
            Err(Error::NotFound { .. }) => self.clear_orphan(id, lock),
            Err(Error::Corrupt { .. } | Error::Refused { .. } | Error::TooLarge { .. }) => {
                self.set_journal_aside(id, lock)
            }
            Err(error) => Err(beforehand(error)),
        }
    }

    /// Moves a journal into quarantine that is another document's than the one that is there.
    fn set_displaced_aside(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        if self.shared.backend.stat(&Blob::journal(id))?.is_none() {
            return Ok(());
        }
        let documents = Documents::new(&*self.shared.backend);
        let document = documents.document(id)?;
        match document.as_ref().map(Document::beside) {
            Some(Beside::Displaced) => self.set_journal_aside(id, lock),
            _ => Ok(()),
        }
    }

    /// Removes a journal without a document: what a deletion left that a crash cut short.
    pub(super) fn clear_orphan(&self, id: &str, lock: &Lock) -> Result<(), Error> {
        let (backend, blob) = (&self.shared.backend, Blob::journal(id));
        if backend.stat(&blob)?.is_some() && backend.stat(&Blob::session(id))?.is_none() {
            let removed = backend.remove(lock, &blob, self.shared.durability);
            removed.map_err(beforehand)?;
        }
        Ok(())
    }

    /// Moves a journal into quarantine, under a name that says whose it was and when.
    pub(super) fn set_journal_aside(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        let name = format!("{}.journal", stamped(id));
        let moved = self.shared.backend.transfer(
            lock,
            &Blob::journal(id),
            &Blob::quarantine(&name),
            self.shared.durability,
            &mut publish_now,
        );
        moved.map_err(beforehand)?;
        event!(%id, "journal_set_aside");
        Ok(())
    }
}

/// A name for what leaves its place, less its ending: `<id>.<milliseconds since the epoch>.<random>`.
pub(super) fn stamped(id: &SessionId) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    format!("{id}.{now:013}.{:08x}", fastrand::u32(..))
}
