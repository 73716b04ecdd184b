//! Adding to a session that stays where it is.

use std::path::Path;

use chrono::Utc;
use session_codec::{Amendment, Revision, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::write::{Over, Target};
use crate::Error;
use crate::append::{Append, UPDATED_AT};
use crate::corpus::Documents;
use crate::error::ConflictReason;
use crate::failure::{from_codec, from_header};
use crate::trace::{event, span};

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
        span!("append", %id);
        let path = self.path(id);
        self.writable(id)?;
        if !self.is_there()? {
            return Err(Error::NotFound { path });
        }
        let lock = self.lock(id)?;
        let documents = Documents::new(&*self.shared.backend);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let stat = document
            .stat()
            .map_err(|source| Error::io("stat", &path, source))?;
        let failed = |error| from_codec("read", &path, error);
        // Of the bytes: what is about to be copied is not taken on a footer's word.
        let from = document.revision().map_err(failed)?;
        if append.base().is_some_and(|base| base != from) {
            let reason = ConflictReason::Changed;
            return Err(Error::Conflict { path, reason });
        }
        if append.is_empty() {
            return Ok(from);
        }
        // Everything of the document but its elements.
        let kept = self
            .shared
            .codec
            .prune(&document, &TailCap::all(S::CAPPED, 0))
            .map_err(failed)?;
        let (amendment, header) = self.check_append(id, append, kept.json)?;
        let target = Target {
            id,
            directory: header.directory.as_deref(),
            updated_at: header.updated_at,
            over: Over::Only(Some(stat)),
        };
        let written = self.write_document(&lock, &target, &mut |out| {
            self.shared.codec.amend(&document, &amendment, out)
        })?;
        self.views.appended(id, from, written.seen);
        event!(%id, revision = %written.seen.revision, "append");
        written.durable.map(|()| written.seen.revision)
    }

    /// Decodes what an append would make of the session, less the elements that are there already.
    ///
    /// Returns the edit, stamped with the present time where the document has an `updated_at` that the caller left
    /// alone, and the header that the session will have.
    fn check_append(
        &self,
        id: &SessionId,
        append: &Append,
        kept: Vec<u8>,
    ) -> Result<(Amendment, SessionHeader), Error> {
        let path = self.path(id);
        let codec = &self.shared.codec;
        let header = |json: &[u8]| {
            SessionHeader::parse(json, S::DIRECTORY).map_err(|error| from_header(&path, &error))
        };
        // Never back in time, whatever the clock says: an append makes no session older.
        let stamp = header(&kept)?
            .updated_at
            .filter(|_| !append.sets(UPDATED_AT))
            .map(|before| before.max(Utc::now()));
        let amendment = append.amendment(stamp);
        let mut added = Vec::new();
        codec
            .amend(kept.as_slice(), &amendment, &mut added)
            .map_err(|error| unfit(&path, error))?;
        let becomes = header(&added)?;
        match codec.decode::<S>(added) {
            Ok(record) if record.id() == id.as_str() => Ok((amendment, becomes)),
            Ok(_) => {
                let reason = "an append cannot change the id".to_owned();
                Err(Error::Refused { path, reason })
            }
            // What is wrong may have been there before.
            Err(error) => Err(match codec.decode::<S>(kept) {
                Ok(_) => unfit(&path, error),
                Err(error) => from_codec("read", &path, error),
            }),
        }
    }
}

/// What cannot be added, as opposed to what cannot be read.
fn unfit(path: &Path, error: session_codec::Error) -> Error {
    match error {
        session_codec::Error::Limit { .. } | session_codec::Error::Io(_) => {
            from_codec("write", path, error)
        }
        other => Error::Refused {
            path: path.to_owned(),
            reason: format!("what is appended does not fit: {other}"),
        },
    }
}
