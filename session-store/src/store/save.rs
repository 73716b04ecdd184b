//! Saving a whole session: what may be replaced, and what is refused.

use session_codec::Revision;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::write::{Over, Target};
use crate::Error;
use crate::backend::{Blob, BlobStat};
use crate::error::ConflictReason;
use crate::failure::{from_codec, from_header};
use crate::probe::deciding;
use crate::redact;
use crate::trace::{event, span};
use crate::view::View;
use crate::whole::Whole;

impl<S: SessionRecord> SessionStore<S> {
    /// Saves a whole session, unless somebody else has changed it since this handle saw it.
    ///
    /// The session's file is replaced in one step: readers see the old document or the new one, and at
    /// [`Durability::Full`](crate::Durability::Full) the new one survives a power cut once this returns. Returns the
    /// revision that was written.
    ///
    /// # Errors
    ///
    /// Each of these leaves the file as it was, except `NotDurable`:
    /// [`Error::Conflict`] when the document on disk is not the one this handle loaded or wrote, when there is one that
    /// it never loaded whole, or when the one it saw is gone; [`Error::Partial`] when a window was loaded after the
    /// whole and the record has fewer elements than the document; [`Error::Refused`] and [`Error::TooLarge`] for what
    /// `load` would not give back; [`Error::Locked`] when another writer holds on; [`Error::InvalidId`];
    /// [`Error::ReadOnly`]; [`Error::Io`]. With [`Error::NotDurable`] the new document is visible, but a power cut may
    /// undo it.
    pub fn save<W: Whole<S> + ?Sized>(&self, session: &W) -> Result<Revision, Error> {
        self.write(session.record(), Replaces::WhatWasSeen)
    }

    /// Saves a whole session over whatever is there: the last writer wins.
    ///
    /// # Errors
    ///
    /// As for [`save`](SessionStore::save), but without `Conflict`. [`Error::Partial`], when this handle has loaded the
    /// session through nothing but a window that dropped something, so that what it holds is most likely not the whole.
    pub fn overwrite<W: Whole<S> + ?Sized>(&self, session: &W) -> Result<Revision, Error> {
        self.write(session.record(), Replaces::Anything)
    }

    fn write(&self, record: &S, replaces: Replaces) -> Result<Revision, Error> {
        let id = SessionId::new(record.id())?;
        span!("save", %id);
        let redacted = self.redacted(&id, record)?;
        let record = redacted.as_ref().unwrap_or(record);
        self.check_header(&id, record)?;
        let lock = self.lock(&id)?;
        let over = match replaces {
            Replaces::WhatWasSeen => Over::Only(self.check_seen(&id)?),
            Replaces::Anything => Over::Anything,
        };
        self.check_whole(&id, record, replaces)?;
        let target = Target {
            id: &id,
            directory: record.directory(),
            updated_at: record.updated_at(),
            over,
        };
        let written = self.write_document(&lock, &target, &mut |out| {
            self.shared.codec.encode(record, out)
        })?;
        self.views.saw_whole(&id, written.seen);
        event!(%id, revision = %written.seen.revision, "save");
        written.durable.map(|()| written.seen.revision)
    }

    /// Makes another record of one in which the store's redactor changes something.
    pub(super) fn redacted(&self, id: &SessionId, record: &S) -> Result<Option<S>, Error> {
        let Some(redactor) = &self.shared.redactor else {
            return Ok(None);
        };
        let path = self.path(id);
        let failed = |error| from_codec("write", &path, error);
        let mut json = Vec::new();
        let codec = &self.shared.plain_codec;
        codec.encode(record, &mut json).map_err(failed)?;
        // What the codec encodes is text; if it were not, nothing of it would be written.
        let json = String::from_utf8(json).map_err(|_| Error::Refused {
            path: path.clone(),
            reason: "the record is not text".to_owned(),
        })?;
        let changed = redact::redacted::<S>(&**redactor, &[], &json);
        changed
            .map(|json| codec.decode(json.into_bytes()).map_err(failed))
            .transpose()
    }

    /// Refuses what is most likely a window: a record from a handle that has seen nothing else, or that has been given
    /// a window after the whole and now has fewer elements than are on disk.
    fn check_whole(&self, id: &SessionId, record: &S, replaces: Replaces) -> Result<(), Error> {
        let path = self.path(id);
        match (self.views.get(id), replaces) {
            (Some(View::Window), Replaces::Anything) => Err(Error::Partial { path }),
            (Some(View::WholeThenWindow(_)), _) if self.is_shorter(id, record)? => {
                Err(Error::Partial { path })
            }
            _ => Ok(()),
        }
    }

    /// Whether a capped array of the record has fewer elements than the document on disk.
    fn is_shorter(&self, id: &SessionId, record: &S) -> Result<bool, Error> {
        let path = self.path(id);
        let codec = &self.shared.codec;
        let documents = self.headers();
        let Some(document) = documents.document(id)? else {
            return Ok(false);
        };
        let mut json = Vec::new();
        codec
            .encode(record, &mut json)
            .map_err(|error| from_codec("write", &path, error))?;
        let failed = |error| from_codec("read", &path, error);
        let new = codec.count(json.as_slice(), S::CAPPED).map_err(failed)?;
        let old = self.counted(&document, S::CAPPED, &path)?;
        Ok(new.iter().zip(&old).any(|((_, new), (_, old))| new < old))
    }

    /// Refuses a record whose JSON does not say what its accessors say: nothing would find it again.
    fn check_header(&self, id: &SessionId, record: &S) -> Result<(), Error> {
        let path = self.path(id);
        let json = self
            .shared
            .codec
            .select(record, &deciding::<S>())
            .map_err(|error| from_codec("write", &path, error))?;
        let header = SessionHeader::parse(&json, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?;
        let refused = |member: &str| Error::Refused {
            path: path.clone(),
            reason: format!("the record's `{member}` is not what its accessor answers"),
        };
        if header.id.as_deref() != Some(id.as_str()) {
            return Err(refused("id"));
        }
        if header.directory.as_deref() != record.directory() {
            return Err(refused("directory"));
        }
        if header.updated_at != record.updated_at() {
            return Err(refused("updated_at"));
        }
        Ok(())
    }

    /// The rule of conflict-checked saves, and what it was checked on; the caller holds the session's lock.
    fn check_seen(&self, id: &SessionId) -> Result<Option<BlobStat>, Error> {
        let conflict = |reason| {
            Err(Error::Conflict {
                path: self.path(id),
                reason,
            })
        };
        let on_disk = self.shared.backend.stat(&Blob::session(id))?;
        let seen = match self.views.get(id) {
            Some(View::Whole(seen) | View::WholeThenWindow(seen)) => Some(seen),
            // What came out of a window is not the session that somebody else has removed.
            Some(View::Window) if on_disk.is_none() => return conflict(ConflictReason::Gone),
            Some(View::Window) | None => None,
        };
        match (seen, on_disk) {
            (None, None) => Ok(None),
            (None, Some(_)) => conflict(ConflictReason::NeverSeen),
            (Some(_), None) => conflict(ConflictReason::Gone),
            (Some(seen), Some(stat))
                if seen.stat == Some(stat)
                    && self.shared.backend.stat(&Blob::journal(id))?.is_none() =>
            {
                Ok(on_disk)
            }
            (Some(seen), Some(_)) => match self.revision_on_disk(id)? {
                Some(revision) if revision == seen.revision => Ok(on_disk),
                Some(_) => conflict(ConflictReason::Changed),
                None => conflict(ConflictReason::Gone),
            },
        }
    }

    /// The revision of the document as it is, from its bytes; `None` where there is no document.
    fn revision_on_disk(&self, id: &SessionId) -> Result<Option<Revision>, Error> {
        let documents = self.headers();
        let Some(document) = documents.document(id)? else {
            return Ok(None);
        };
        document
            .revision()
            .map(Some)
            .map_err(|error| from_codec("read", &self.path(id), error))
    }
}

/// What a write may replace.
#[derive(Clone, Copy)]
enum Replaces {
    WhatWasSeen,
    Anything,
}
