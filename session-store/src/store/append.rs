//! Adding to a session that stays where it is.

use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};
use session_codec::Revision;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::journaling::Journaling;
use super::write::{Over, Target};
use crate::Error;
use crate::append::{Append, UPDATED_AT};
use crate::backend::{Blob, Lock};
use crate::corpus::Documents;
use crate::error::ConflictReason;
use crate::failure::{beforehand, from_codec, from_header};
use crate::trace::{event, span};
use crate::view::Seen;

/// A journal below this size is not folded, however small its document: one more read costs less than one more write.
const FOLD_AT_LEAST: u64 = 1 << 20;

/// An append that fits its session, and what the session is with it.
struct Fitting {
    append: Append,
    header: SessionHeader,
    /// `None` where nothing of it changes but the time.
    kept: Option<Vec<u8>>,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Adds elements and changes members on top of the session that is there.
    ///
    /// The caller need not have loaded it: a window is enough, and so is knowing the id. What is added is decoded as
    /// part of the record before anything is written. Returns the new revision, on which the next append can be based.
    ///
    /// Only what is new is written, into the session's journal, however long the session is. Once the journal has grown
    /// larger than the document it is folded into it, which over a session's life writes less than three times what was
    /// appended. Programs that know no journals see the session as of the last [`checkpoint`](SessionStore::checkpoint).
    /// For many appends in a row, [`writer`](SessionStore::writer) keeps lock and journal open.
    ///
    /// # Errors
    ///
    /// Each of these leaves the session as it was, except `NotDurable`: [`Error::NotFound`]; [`Error::Conflict`] when the
    /// append is [based on](Append::based_on) another revision than the one on disk; [`Error::Corrupt`] for a document
    /// or journal that cannot be continued; [`Error::Refused`] for elements or members that would not load;
    /// [`Error::TooLarge`]; [`Error::Locked`]; [`Error::ReadOnly`]; [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// Writes and syncs what is new. The first append after the document was written reads the document once.
    pub fn append(&self, id: &SessionId, append: &Append) -> Result<Revision, Error> {
        span!("append", %id);
        self.writable(id)?;
        if !self.is_there()? {
            return Err(Error::NotFound {
                path: self.path(id),
            });
        }
        let lock = self.lock(id)?;
        let mut state = match self.remembered(id)? {
            Some(state) => state,
            None => self.open_journaling(id, &lock)?,
        };
        let appended = self.append_to(id, &lock, &mut state, append);
        state.look();
        self.shared.journals.put(id, state);
        appended
    }

    /// Appends to a session whose lock is held.
    pub(super) fn append_to(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        append: &Append,
    ) -> Result<Revision, Error> {
        let path = self.path(id);
        let from = state.revision();
        if append.base().is_some_and(|base| base != from) {
            let reason = ConflictReason::Changed;
            return Err(Error::Conflict { path, reason });
        }
        if append.is_empty() {
            return Ok(from);
        }
        let redacted = self.shared.redactor.as_deref();
        let redacted = redacted.map(|redactor| append.redacted::<S>(redactor));
        let fitting = self.fit(id, redacted.as_ref().unwrap_or(append), state)?;
        let limit = self.shared.limits.document_bytes();
        if state.document.size + state.unfolded() + fitting.append.bytes() > limit {
            let what = "document bytes";
            return Err(Error::TooLarge { path, what, limit });
        }
        if state.clashes(&fitting.append, S::CAPPED) {
            return self.rewrite(id, lock, state, &fitting);
        }
        let told = self.before_append(id, &mut state.keys, &fitting.header)?;
        let written = match self.write_record(id, lock, state, &fitting.append) {
            Ok(()) => Ok(()),
            Err(error @ Error::NotDurable { .. }) => Err(error),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::Unsupported => {
                return self.rewrite(id, lock, state, &fitting);
            }
            Err(error) => return Err(error),
        };
        // A program that takes no locks may have put another document there: then this is no part of the session.
        let document = self.shared.backend.stat(&Blob::session(id));
        if document.is_ok_and(|document| document != Some(state.document)) {
            state.is_stale = true;
            // Unless it has the same content, such as after a link to it was made: then this counts like all that was appended.
            if !self.is_extended(id)? {
                let reason = ConflictReason::Changed;
                return Err(Error::Conflict { path, reason });
            }
        }
        if let Some(kept) = fitting.kept {
            state.kept = kept;
        }
        state.header = Some(fitting.header.clone());
        let revision = state.revision();
        let stat = None;
        self.views.appended(id, from, Seen { revision, stat });
        let journal = state.open.as_ref();
        let modified = state.document.modified;
        self.after_append(id, told, &mut state.keys, &fitting.header, || {
            journal.map_or(modified, |journal| journal.modified().max(modified))
        });
        event!(%id, %revision, "append");
        written?;
        if state.unfolded() < FOLD_AT_LEAST || state.unfolded() < state.document.size / 4 * 5 {
            return Ok(revision);
        }
        // The append is there and certain, whatever becomes of this; the next one tries again.
        state.is_stale = true;
        match self.fold(id, lock) {
            Ok(Some(folded)) => Ok(folded),
            _ => Ok(revision),
        }
    }

    /// Whether the document that is there is the one that its journal extends.
    fn is_extended(&self, id: &SessionId) -> Result<bool, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let document = documents.document(id)?;
        Ok(document.is_some_and(|document| document.overlay().is_some()))
    }

    /// Appends by writing the document anew: for what a journal cannot say, and for media on which none can be kept.
    fn rewrite(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        fitting: &Fitting,
    ) -> Result<Revision, Error> {
        let path = self.path(id);
        let from = state.revision();
        state.is_stale = true;
        let folded = self.fold(id, lock).map_err(beforehand)?;
        let documents = Documents::new(&*self.shared.backend);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let stat = document
            .stat()
            .map_err(|source| Error::io("stat", &path, source))?;
        let target = Target {
            id,
            directory: fitting.header.directory.as_deref(),
            updated_at: fitting.header.updated_at,
            over: Over::Only(Some(stat)),
        };
        let amendment = fitting.append.amendment();
        let written = self.write_document(lock, &target, &mut |out| {
            self.shared.codec.amend(&document, &amendment, out)
        })?;
        self.views
            .appended(id, folded.unwrap_or(from), written.seen);
        event!(%id, revision = %written.seen.revision, "append");
        written.durable.map(|()| written.seen.revision)
    }

    /// Decodes what an append would make of the session, less the elements that are there already.
    ///
    /// Returns the append stamped with the present time where the record has an `updated_at` that the caller left alone.
    fn fit(&self, id: &SessionId, append: &Append, state: &Journaling) -> Result<Fitting, Error> {
        let path = self.path(id);
        let (codec, kept) = (&self.shared.plain_codec, state.kept.as_slice());
        let header = |json: &[u8]| {
            SessionHeader::parse(json, S::DIRECTORY).map_err(|error| from_header(&path, &error))
        };
        let before = match &state.header {
            Some(header) => header.clone(),
            None => header(kept)?,
        };
        let only_adds = append.members().next().is_none()
            && append
                .elements()
                .all(|(array, _)| S::CAPPED.contains(&array));
        // Never back in time, whatever the clock says: an append makes no session older.
        let stamp: Option<DateTime<Utc>> = before
            .updated_at
            .filter(|_| !append.sets(UPDATED_AT))
            .map(|before| before.max(Utc::now()));
        let append = append.clone().stamped(stamp);
        let edited = |wanted: &dyn Fn(&str) -> bool| {
            let mut edited = Vec::with_capacity(kept.len() + 256);
            let amended = codec.amend(kept, &append.amendment_of(wanted), &mut edited);
            amended.map(|_| edited).map_err(|error| unfit(&path, error))
        };
        let added = edited(&|_| true)?;
        let (header, becomes) = if only_adds {
            let mut header = before;
            header.updated_at = stamp;
            (header, None)
        } else {
            let becomes = edited(&|array| !S::CAPPED.contains(&array))?;
            (header(&becomes)?, Some(becomes))
        };
        match codec.decode::<S>(added) {
            Ok(record) if record.id() == id.as_str() => Ok(Fitting {
                append,
                header,
                kept: becomes,
            }),
            Ok(_) => {
                let reason = "an append cannot change the id".to_owned();
                Err(Error::Refused { path, reason })
            }
            // What is wrong may have been there before.
            Err(error) => Err(match codec.decode::<S>(kept.to_vec()) {
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
