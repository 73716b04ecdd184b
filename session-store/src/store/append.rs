//! Adding to a session that stays where it is.

use std::io;

use session_codec::Revision;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::fit::Fitting;
use super::journaling::Journaling;
use super::told::Became;
use super::write::{Over, Target};
use crate::Error;
use crate::append::Append;
use crate::backend::{Blob, Lock};
use crate::corpus::Documents;
use crate::failure::{beforehand, from_codec};
use crate::trace::{event, span};
use crate::view::Seen;

impl<S: SessionRecord> SessionStore<S> {
    /// Adds elements and changes members on top of the session that is there.
    ///
    /// The caller need not have loaded it: a window is enough, and so is knowing the id. What is added is decoded as
    /// part of the record before anything is written. Returns the new revision, on which the next append can be based.
    ///
    /// Only what is new is written, into the session's journal, however long the session is. Once the journal has
    /// grown to 1 MiB (or what [the builder](crate::Builder::fold_from) was told), and to five quarters of the document, it is
    /// folded into it, which over a session's life writes less than three times what was appended. Programs that know no journals see the session as of the last [`checkpoint`](SessionStore::checkpoint).
    /// For many appends in a row, [`writer`](SessionStore::writer) keeps lock and journal open.
    ///
    /// # Errors
    ///
    /// Each of these leaves the session as it was, except `NotDurable`: [`Error::NotFound`]; [`Error::Conflict`] when the
    /// append is [based on](Append::based_on) another revision than the one on disk, or a program that takes no locks has replaced
    /// the document or the journal while it was written; [`Error::Corrupt`] for a document
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
        let appended = self.append_to(id, &lock, &mut state, append, self.shared.fold_from);
        state.look();
        self.shared.journals.put(id, state);
        appended
    }

    /// Appends to a session whose lock is held, and folds its journal once that has as many bytes and is worth it.
    pub(super) fn append_to(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        append: &Append,
        fold_from: u64,
    ) -> Result<Revision, Error> {
        let path = self.path(id);
        let from = state.revision();
        if append.base().is_some_and(|base| base != from) {
            return Err(Error::changed(path));
        }
        if append.is_empty() {
            return Ok(from);
        }
        let redacted = self.shared.redactor.as_deref();
        let redacted = redacted.map(|redactor| append.redacted::<S>(redactor));
        let mut fitting = self.fit(id, redacted.as_ref().unwrap_or(append), state)?;
        let limit = self.shared.limits.document_bytes();
        if state.document.size + state.unfolded() + fitting.append.bytes() > limit {
            let what = "document bytes";
            return Err(Error::TooLarge { path, what, limit });
        }
        if state.clashes(&fitting.append, S::CAPPED) {
            return self.rewrite(id, lock, state, &fitting);
        }
        let directory = fitting.directory(state.header.as_ref());
        let told = self.before_append(id, &mut state.keys, directory)?;
        let written = match self.write_record(id, lock, state, &fitting.append) {
            Ok(()) => Ok(()),
            Err(error @ Error::NotDurable { .. }) => Err(error),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::Unsupported => {
                return self.rewrite(id, lock, state, &fitting);
            }
            Err(error) => return Err(error),
        };
        // A program that takes no locks may have put another document there, or another journal: then this is no part of the session.
        let backend = &self.shared.backend;
        let document = backend.stat(&Blob::session(id));
        let is_replaced = document.is_ok_and(|document| document != Some(state.document));
        let in_place = match &mut state.open {
            Some(open) => self.is_in_place(id, open),
            // It was begun just now.
            None => backend
                .stat(&Blob::journal(id))
                .map(|named| named.is_some()),
        };
        // What cannot be looked at now is looked at before the next one.
        state.is_stale |= in_place.is_err();
        let is_elsewhere = in_place.is_ok_and(|is| !is);
        if is_replaced || is_elsewhere {
            state.is_stale = true;
            // Unless the document has the same content, such as after a link to it was made: then this counts like all that was appended.
            if is_elsewhere || !self.is_extended(id)? {
                return Err(Error::changed(path));
            }
        }
        fitting.note(state);
        let revision = state.revision();
        let stat = None;
        self.views.appended(id, from, Seen { revision, stat });
        let modified = state.document.modified;
        let journal = state.open.as_ref();
        let modified = journal.map_or(modified, |journal| journal.modified().max(modified));
        let header = state.header.as_ref();
        let directory = header.and_then(|header| header.directory.as_deref());
        let became = Became {
            directory,
            updated_at: fitting.updated_at,
        };
        self.after_append(id, told, &mut state.keys, became, modified);
        event!(%id, %revision, "append");
        written?;
        let worth = fold_from.max(state.document.size / 4 * 5);
        if state.unfolded() < worth {
            return Ok(revision);
        }
        // The append is there and certain, whatever becomes of this; the next one tries again.
        state.is_stale = true;
        match self.folded(id, lock) {
            Ok(Some(folded)) => Ok(folded.seen.revision),
            _ => Ok(revision),
        }
    }

    /// Whether the document that is there is the one that its journal extends.
    fn is_extended(&self, id: &SessionId) -> Result<bool, Error> {
        let documents = self.headers();
        let document = documents.document(id)?;
        Ok(document.is_some_and(|document| document.overlay().is_some()))
    }

    /// Appends by writing the document anew: for what a journal cannot say, and for media on which none can be kept.
    fn rewrite(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        fitting: &Fitting<'_>,
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
        // A program that takes no locks may have put another document there, which a fold has not met.
        let is_known = folded.is_some() || (!state.has_journal && stat == state.document) || {
            let revision = document.revision();
            revision.map_err(|error| from_codec("read", &path, error))? == from
        };
        if !is_known {
            return Err(Error::changed(path));
        }
        let target = Target {
            id,
            directory: fitting.directory(state.header.as_ref()),
            updated_at: fitting.updated_at,
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
}
