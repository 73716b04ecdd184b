//! Saving a whole session: what may be replaced, what is refused, and the one place where a document is written.

use std::io::{self, Write};

use session_codec::Revision;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::backend::Blob;
use crate::corpus::Documents;
use crate::error::ConflictReason;
use crate::failure::{from_codec, from_header};
use crate::probe::deciding;
use crate::trace::event;
use crate::view::{Seen, View};
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
    /// it never loaded whole, or when the one it saw is gone; [`Error::Refused`] and [`Error::TooLarge`] for what
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
    /// As for [`save`](SessionStore::save), except that instead of `Conflict` there is only [`Error::Partial`]: this
    /// handle has loaded the session through nothing but a window that dropped something, so what it holds is most
    /// likely not the whole.
    pub fn overwrite<W: Whole<S> + ?Sized>(&self, session: &W) -> Result<Revision, Error> {
        self.write(session.record(), Replaces::Anything)
    }

    fn write(&self, record: &S, replaces: Replaces) -> Result<Revision, Error> {
        let id = SessionId::new(record.id())?;
        let path = self.path(&id);
        self.check_header(&id, record)?;
        let lock = self.lock(&id)?;
        match replaces {
            Replaces::WhatWasSeen => self.check_seen(&id)?,
            Replaces::Anything => {
                if let Some(View::Window) = self.views.get(&id) {
                    return Err(Error::Partial { path });
                }
            }
        }
        let mut revision = None;
        let limit = self.shared.limits.document_bytes();
        let written = self.shared.backend.replace(
            &lock,
            &Blob::session(&id),
            self.shared.durability,
            &mut |out| {
                let mut out = Bounded {
                    out,
                    left: limit,
                    exceeded: false,
                };
                let encoded = self.shared.codec.encode(record, &mut out);
                if out.exceeded {
                    return Err(Error::TooLarge {
                        path: path.clone(),
                        what: "document bytes",
                        limit,
                    });
                }
                revision = Some(encoded.map_err(|error| from_codec(&path, error))?.revision);
                Ok(())
            },
            &mut |rename| self.publish(&id, record.directory(), record.updated_at(), rename),
        );
        let Some(revision) = revision else {
            return Err(written.err().unwrap_or_else(|| Error::Refused {
                path,
                reason: UNWRITTEN.to_owned(),
            }));
        };
        match written {
            Ok(stat) => self.views.saw_whole(
                &id,
                Seen {
                    revision,
                    stat: Some(stat),
                },
            ),
            // The new document is in place, only not for certain: saving again must not be a conflict.
            Err(error @ Error::NotDurable { .. }) => {
                self.views.saw_whole(
                    &id,
                    Seen {
                        revision,
                        stat: None,
                    },
                );
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        event!(%id, %revision, "save");
        Ok(revision)
    }

    /// Refuses a record whose JSON does not say what its accessors say: nothing would find it again.
    fn check_header(&self, id: &SessionId, record: &S) -> Result<(), Error> {
        let path = self.path(id);
        let json = self
            .shared
            .codec
            .select(record, &deciding::<S>())
            .map_err(|error| from_codec(&path, error))?;
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

    /// The rule of conflict-checked saves; the caller holds the session's lock.
    fn check_seen(&self, id: &SessionId) -> Result<(), Error> {
        let conflict = |reason| {
            Err(Error::Conflict {
                path: self.path(id),
                reason,
            })
        };
        let on_disk = self.shared.backend.stat(&Blob::session(id))?;
        let seen = match self.views.get(id) {
            Some(View::Whole(seen)) => Some(seen),
            Some(View::Window) | None => None,
        };
        match (seen, on_disk) {
            (None, None) => Ok(()),
            (None, Some(_)) => conflict(ConflictReason::NeverSeen),
            (Some(_), None) => conflict(ConflictReason::Gone),
            (Some(seen), Some(stat)) if seen.stat == Some(stat) => Ok(()),
            (Some(seen), Some(_)) => match self.revision_on_disk(id)? {
                Some(revision) if revision == seen.revision => Ok(()),
                Some(_) => conflict(ConflictReason::Changed),
                None => conflict(ConflictReason::Gone),
            },
        }
    }

    /// The revision of the document as it is, from its bytes; `None` where there is no document.
    pub(super) fn revision_on_disk(&self, id: &SessionId) -> Result<Option<Revision>, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let Some(document) = documents.document(id)? else {
            return Ok(None);
        };
        document
            .revision()
            .map(Some)
            .map_err(|source| Error::io("read", &self.path(id), source))
    }
}

/// A backend that answers success without having asked for the bytes broke its contract.
const UNWRITTEN: &str = "the backend did not take the document";

/// What a write may replace.
#[derive(Clone, Copy)]
enum Replaces {
    WhatWasSeen,
    Anything,
}

/// Stops an encoding at the store's limit, before the temporary fills the disk.
pub(super) struct Bounded<'w> {
    pub(super) out: &'w mut dyn Write,
    pub(super) left: u64,
    pub(super) exceeded: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let length = buf.len() as u64;
        if length > self.left {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.out.write(buf)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
