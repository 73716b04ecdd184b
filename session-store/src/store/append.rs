//! Adding to a session that stays where it is.

use chrono::Utc;
use session_codec::{Amendment, Revision, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::save::Bounded;
use crate::Error;
use crate::append::{Append, UPDATED_AT};
use crate::backend::Blob;
use crate::corpus::{Document, Documents};
use crate::error::ConflictReason;
use crate::failure::{from_codec, from_header};
use crate::trace::event;
use crate::view::{Seen, View};

impl<S: SessionRecord> SessionStore<S> {
    /// Adds elements and changes members on top of the session that is there.
    ///
    /// The caller need not have loaded it: a window is enough, and so is knowing the id. What is added is decoded as
    /// part of the record before anything is written. Returns the new revision, on which the next append can be based.
    ///
    /// The document is rewritten by copying its bytes; nothing of its body is decoded or changed.
    ///
    /// # Errors
    ///
    /// Each of these leaves the file as it was, except `NotDurable`: [`Error::NotFound`]; [`Error::Conflict`] when the
    /// append is [based on](Append::based_on) another revision than the one on disk; [`Error::Corrupt`] for a document
    /// that cannot be continued; [`Error::Refused`] for elements or members that would not load;
    /// [`Error::TooLarge`]; [`Error::Locked`]; [`Error::ReadOnly`]; [`Error::Io`].
    pub fn append(&self, id: &SessionId, append: &Append) -> Result<Revision, Error> {
        let path = self.path(id);
        let lock = self.lock(id)?;
        let documents = Documents::new(&*self.shared.backend);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let from = self.revision_of(id, &document)?;
        if append.base().is_some_and(|base| base != from) {
            return Err(Error::Conflict {
                path,
                reason: ConflictReason::Changed,
            });
        }
        if append.is_empty() {
            return Ok(from);
        }
        let (amendment, header) = self.check_append(id, append, &document)?;
        let limit = self.shared.limits.document_bytes();
        let mut revision = None;
        let written = self.shared.backend.replace(
            &lock,
            &Blob::session(id),
            self.shared.durability,
            &mut |out| {
                let mut out = Bounded {
                    out,
                    left: limit,
                    exceeded: false,
                };
                let amended = self.shared.codec.amend(&document, &amendment, &mut out);
                if out.exceeded {
                    return Err(Error::TooLarge {
                        path: path.clone(),
                        what: "document bytes",
                        limit,
                    });
                }
                revision = Some(amended.map_err(|error| from_codec(&path, error))?.revision);
                Ok(())
            },
            &mut |rename| self.publish(id, header.directory.as_deref(), header.updated_at, rename),
        );
        let stat = match written {
            Ok(stat) => Some(stat),
            Err(Error::NotDurable { .. }) => None,
            Err(error) => return Err(error),
        };
        let to = revision.unwrap_or(from);
        self.views.appended(id, from, Seen { revision: to, stat });
        event!(%id, revision = %to, "append");
        written.map(|_| to)
    }

    /// The revision of an open document: the one this handle saw where the file is the same, else from its bytes.
    fn revision_of(&self, id: &SessionId, document: &Document<'_>) -> Result<Revision, Error> {
        let failed = |source| Error::io("read", &self.path(id), source);
        let stat = document.stat().map_err(failed)?;
        match self.views.get(id) {
            Some(View::Whole(Seen {
                revision,
                stat: Some(seen),
            })) if seen == stat => Ok(revision),
            _ => document.revision().map_err(failed),
        }
    }

    /// Decodes what an append would make of the session, less the elements that are there already.
    ///
    /// Returns the edit, stamped with the present time where the document has an `updated_at` that the caller left
    /// alone, and the header that the session will have.
    fn check_append(
        &self,
        id: &SessionId,
        append: &Append,
        document: &Document<'_>,
    ) -> Result<(Amendment, SessionHeader), Error> {
        let path = self.path(id);
        let codec = &self.shared.codec;
        let failed = |error| from_codec(&path, error);
        let kept = codec
            .prune(document, &TailCap::all(S::CAPPED, 0))
            .map_err(failed)?;
        let stamped = SessionHeader::parse(&kept.json, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?
            .updated_at
            .filter(|_| !append.sets(UPDATED_AT))
            .map(|_| Utc::now());
        let amendment = append.amendment(stamped);
        let mut added = Vec::new();
        codec
            .amend(kept.json.as_slice(), &amendment, &mut added)
            .map_err(|error| refused(&path, &error))?;
        let header = SessionHeader::parse(&added, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?;
        let record: S = codec
            .decode(added)
            .map_err(|error| refused(&path, &error))?;
        if record.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        Ok((amendment, header))
    }
}

/// What does not decode here is what the caller wants to add, not what is on disk.
fn refused(path: &std::path::Path, error: &session_codec::Error) -> Error {
    Error::Refused {
        path: path.to_owned(),
        reason: format!("appended members do not fit: {error}"),
    }
}
