//! Salvaging a damaged session: what is whole becomes a new session, and what was there goes into quarantine.
//!
//! Owns the order of these steps. The new session is in place before anything is moved, and its id follows from the bytes
//! of the damaged document and its journal, so that a second try after a crash goes on where the first one was stopped.

use std::cell::Cell;
use std::ops::ControlFlow;

use session_codec::RevisionHasher;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::checkpoint::stamped;
use super::write::{Over, Target};
use crate::backend::{Area, Blob, Lock};
use crate::check::{Finding, Severity};
use crate::progress::{Course, Watch};
use crate::quarantine::{QuarantineReason, Quarantined};
use crate::salvage::SalvageReport;
use crate::trace::{event, span};
use crate::{Error, Progress};

mod fitted;
mod remains;

/// The longest part of the damaged session's id that the new one has.
const STEM: usize = 96;
/// Digits of the hash in the new session's id.
const DIGITS: usize = 16;

impl<S: SessionRecord> SessionStore<S> {
    /// Makes a new session of what is whole in a damaged one, and moves the damaged files into quarantine; `None`, with
    /// nothing done, for a session that a load accepts, and for one that only has the name of another: rename that one.
    ///
    /// Every element of the capped arrays and every other member is taken that a load would accept, from the document, as
    /// [`Codec::salvage`](session_codec::Codec::salvage) finds them, and from all whole records of its journal. The new session's id
    /// begins with the old one's. A [`Redactor`](crate::Redactor) is shown the new session as if it were saved; what goes into quarantine stays as
    /// it was. A member that mirrors a capped array ([`SessionRecord::PARALLEL`]) is left out if it no longer fits it. A damaged document does
    /// not say whether the journal beside it is its own: what that adds is taken. Nothing is deleted; calling this again after a crash finishes what was begun, except between the moves of
    /// the journal and of a document that was sound without it: that document then stays where it is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Corrupt`] where nothing at all is whole; [`Error::TooLarge`] for documents over the
    /// store's limit; [`Error::Locked`], [`Error::ReadOnly`], [`Error::Io`]. The damaged files stay where they are, unless
    /// the error is of the move itself.
    ///
    /// # Memory
    ///
    /// A few times that of the document; up to 65 times where its elements are no longer than a byte.
    pub fn salvage(&self, id: &SessionId) -> Result<Option<SalvageReport>, Error> {
        self.salvage_telling(id, &Watch::default())
    }

    /// Does what [`salvage`](SessionStore::salvage) does, and calls a function before each step of it, such as reading the
    /// files, and before each of the attempts to decode what is left, of which there can be many;
    /// [`ControlFlow::Break`] ends the call.
    ///
    /// It is asked for the last time before the new session is written. So a call that was ended has changed nothing: there
    /// is no new session, and the damaged files are in their places.
    ///
    /// # Errors
    ///
    /// As for [`salvage`](SessionStore::salvage), and [`Error::Cancelled`].
    pub fn salvage_watched(
        &self,
        id: &SessionId,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Result<Option<SalvageReport>, Error> {
        self.salvage_telling(id, &Watch::new(observe))
    }

    fn salvage_telling(
        &self,
        id: &SessionId,
        watch: &Watch,
    ) -> Result<Option<SalvageReport>, Error> {
        span!("salvage", %id);
        let (course, bytes) = (Course::new(watch), Cell::new(0));
        course.expect(1);
        let go_on = || course.step(0, bytes.get());
        self.writable(id)?;
        let path = self.path(id);
        if !self.is_there()? {
            return Err(Error::NotFound { path });
        }
        go_on()?;
        let lock = self.lock(id)?;
        if !self.is_damaged(id)? {
            return Ok(None);
        }
        go_on()?;
        let Some(document) = self.bytes_of(&Blob::session(id))? else {
            return Err(Error::NotFound { path });
        };
        let beside = self.bytes_of(&Blob::journal(id))?;
        let is_beside = beside.is_some();
        let journal = match beside {
            Some(journal) => Some(journal),
            None => self.moved_journal(id, &document)?,
        };
        let size = document.len() + journal.as_ref().map_or(0, Vec::len);
        bytes.set(size as u64);
        go_on()?;
        let mut remains = self.remains(&document);
        if let Some(journal) = &journal {
            self.add_journal(journal, &document, &mut remains);
        }
        if remains.is_nothing() {
            let (offset, reason) = (Some(0), "nothing in it is whole".to_owned());
            return Err(Error::Corrupt {
                path,
                offset,
                reason,
            });
        }
        let new = name(id, &document, journal.as_deref())?;
        let record = self.fitted(&new, &mut remains, &go_on)?;
        // What is written anew is written as a save writes it, whenever the damaged document was.
        let redacted = self.redacted(&new, &record)?;
        go_on()?;
        self.place(&new, redacted.as_ref().unwrap_or(&record))?;
        // The journal first: whoever saves a session of this id removes a journal that has no document.
        if is_beside {
            self.set_journal_aside(id, &lock)?;
        }
        self.set_document_aside(id, &lock)?;
        event!(%id, %new, "salvage");
        let kept = remains.arrays.into_iter();
        Ok(Some(SalvageReport {
            from: id.clone(),
            id: new,
            kept: kept.map(|(name, all)| (name, all.len() as u64)).collect(),
            refused: remains.refused,
            lost: remains.lost,
        }))
    }

    /// Lists what was put into quarantine, in no order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the quarantine cannot be read.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, Error> {
        let listing = self.shared.backend.list(Area::Quarantine)?;
        let entries = listing.entries.into_iter();
        Ok(entries
            .filter_map(|entry| Quarantined::parse(entry.name, entry.stat.size))
            .collect())
    }

    /// Whether a load fails for what the files hold, and not only for their name.
    fn is_damaged(&self, id: &SessionId) -> Result<bool, Error> {
        // A new handle, as this one's user has not seen what is loaded here.
        match self.clone().load(id) {
            Ok(_) => return Ok(false),
            // What is too deep or too long inside of a document that is not, can be left out as what is damaged.
            Err(Error::Corrupt { .. }) => {}
            Err(Error::TooLarge { .. }) if self.is_readable(id)? => return Ok(true),
            Err(error) => return Err(error),
        }
        let findings = self.check_bytes(id)?.findings;
        let mut errors = findings
            .iter()
            .filter(|finding| finding.severity() == Severity::Error);
        let is_misnamed = findings.contains(&Finding::Misnamed);
        Ok(!is_misnamed || !errors.all(|finding| *finding == Finding::Misnamed))
    }

    /// Whether a document's bytes are no more than may be.
    fn is_readable(&self, id: &SessionId) -> Result<bool, Error> {
        let document = self.shared.backend.stat(&Blob::session(id))?;
        let limit = self.shared.limits.document_bytes();
        Ok(document.is_some_and(|document| document.size <= limit))
    }

    fn bytes_of(&self, blob: &Blob<'_>) -> Result<Option<Vec<u8>>, Error> {
        let path = self.shared.backend.describe(blob);
        let Some(open) = self.shared.backend.open(blob)? else {
            return Ok(None);
        };
        let failed = |source| Error::io("read", &path, source);
        let limit = self.shared.limits.document_bytes();
        if open.stat().map_err(failed)?.size > limit {
            let what = "document bytes";
            return Err(Error::TooLarge { path, what, limit });
        }
        open.read_all().map(Some).map_err(failed)
    }

    /// The journal that an earlier try has moved already, of which there is a new session.
    fn moved_journal(&self, id: &SessionId, document: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        for aside in self.quarantined()? {
            if aside.id != *id || aside.reason != QuarantineReason::Journal {
                continue;
            }
            // Nobody has salvaged what is longer than a session may be.
            let journal = match self.bytes_of(&Blob::quarantine(&aside.name)) {
                Err(Error::TooLarge { .. }) => None,
                journal => journal?,
            };
            if let Some(journal) = journal {
                let new = name(id, document, Some(&journal))?;
                if self.shared.backend.stat(&Blob::session(&new))?.is_some() {
                    return Ok(Some(journal));
                }
            }
        }
        Ok(None)
    }

    /// Writes the new session, unless an earlier try has written it.
    fn place(&self, id: &SessionId, record: &S) -> Result<(), Error> {
        let lock = self.lock(id)?;
        if self.shared.backend.stat(&Blob::session(id))?.is_some() {
            // A new handle, as nobody has seen what is loaded here.
            match self.clone().load(id) {
                Ok(_) => {
                    self.shared.backend.persist(&lock, &Blob::session(id))?;
                    return Ok(());
                }
                // As a crash may leave what was not synced; or somebody has gone on with it since, and that was damaged too.
                Err(Error::Corrupt { .. }) => {
                    if self.shared.backend.stat(&Blob::journal(id))?.is_some() {
                        self.set_journal_aside(id, &lock)?;
                    }
                    self.set_document_aside(id, &lock)?;
                }
                Err(error) => return Err(error),
            }
        }
        let target = Target {
            id,
            directory: record.directory(),
            updated_at: record.updated_at(),
            over: Over::Only(None),
        };
        let written = self.write_document(&lock, &target, &mut |out| {
            self.shared.codec.encode(record, out)
        })?;
        written.durable
    }

    /// Moves a damaged document into quarantine.
    fn set_document_aside(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        let name = format!("{}.json", stamped(id));
        self.move_document(id, lock, &Blob::quarantine(&name))
            .map(drop)
    }
}

/// The id of the session that is made of these bytes.
fn name(id: &SessionId, document: &[u8], journal: Option<&[u8]>) -> Result<SessionId, Error> {
    let mut hasher = RevisionHasher::new();
    hasher.update(document);
    hasher.update(journal.unwrap_or_default());
    let mark = hasher.finish().to_string();
    let stem = &id.as_str()[..id.as_str().len().min(STEM)];
    let mark = &mark[..mark.len().min(DIGITS)];
    Ok(SessionId::new(&format!("{stem}-salvaged-{mark}"))?)
}
