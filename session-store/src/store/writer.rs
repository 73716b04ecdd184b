//! One session held for a row of appends.

use std::fmt;

use session_codec::Revision;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::journaling::Journaling;
use crate::append::Append;
use crate::backend::{Blob, Lock};
use crate::{Error, Session};

/// How many times the journal that is folded by a single append is left to a writer: it folds when it is closed, so a fold in
/// between is mostly written for nothing.
const FOLDS_LATER: u64 = 8;

/// A session that nobody else can write to while this is there; see [`SessionStore::writer`].
///
/// Dropping it lets the next writer in and leaves what was appended in the journal, which is as durable there.
/// [`close`](Writer::close) folds it into the document, for programs that know no journals.
#[must_use = "the session's lock is released as soon as this is dropped"]
pub struct Writer<S: SessionRecord = Session> {
    store: SessionStore<S>,
    id: SessionId,
    lock: Lock,
    state: Option<Journaling>,
    /// What the session was after the last call, where that is certain.
    left: Option<Revision>,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Holds a session for a row of appends: its lock is taken and its journal opened once, not once an append.
    ///
    /// Readers are not hindered. Other writers of this session, [`save`](SessionStore::save) through this very store among
    /// them, wait as long as the store waits for locks and then get [`Error::Locked`].
    ///
    /// ```
    /// use session_store::{Append, Message, Session, SessionId, SessionStore};
    ///
    /// # let scratch = tempfile::tempdir()?;
    /// # let store = SessionStore::open(scratch.path().join("sessions"))?;
    /// let session = Session::new(SessionId::new("first")?, "/home/me/project");
    /// store.save(&session)?;
    /// let mut writer = store.writer(&session.id)?;
    /// writer.append(&Append::new().message(&Message::user("Why does the test fail?"))?)?;
    /// writer.append(&Append::new().message(&Message::assistant("It asserts a time."))?)?;
    /// assert_eq!(store.load(&session.id)?.messages.len(), 2);
    /// writer.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Corrupt`]; [`Error::Locked`]; [`Error::ReadOnly`]; [`Error::Io`].
    pub fn writer(&self, id: &SessionId) -> Result<Writer<S>, Error> {
        self.writable(id)?;
        if !self.is_there()? {
            return Err(Error::NotFound {
                path: self.path(id),
            });
        }
        let lock = self.lock(id)?;
        let state = match self.remembered(id)? {
            Some(state) => state,
            None => self.open_journaling(id, &lock)?,
        };
        Ok(Writer {
            store: self.same_handle(),
            id: id.clone(),
            lock,
            left: Some(state.revision()),
            state: Some(state),
        })
    }
}

impl<S: SessionRecord> Writer<S> {
    /// The session that is held.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Adds to the session; see [`SessionStore::append`].
    ///
    /// # Errors
    ///
    /// As for [`SessionStore::append`]; and [`Error::Conflict`] when a program that takes no locks has replaced the
    /// document or the journal since the last append, so that what was appended may be gone. The next append goes on top of what
    /// that program wrote; a journal that is not the document's is then put into quarantine.
    pub fn append(&mut self, append: &Append) -> Result<Revision, Error> {
        let mut state = self.held()?;
        let fold_from = self.store.shared.fold_from.saturating_mul(FOLDS_LATER);
        let appended = self
            .store
            .append_to(&self.id, &self.lock, &mut state, append, fold_from);
        let is_known = !state.is_stale && self.store.shared.journals.is_sound(&self.id);
        self.left = match &appended {
            Ok(revision) => Some(*revision),
            Err(_) => is_known.then(|| state.revision()),
        };
        self.state = Some(state);
        appended
    }

    /// What is known of the session, found out anew unless the journal is where it was; that has to be what was left.
    fn held(&mut self) -> Result<Journaling, Error> {
        let (store, id) = (&self.store, &self.id);
        let is_sound = store.shared.journals.is_sound(id);
        let known = self.state.as_mut();
        let is_in_place = match known.filter(|state| is_sound && !state.is_stale) {
            Some(Journaling {
                open: Some(open), ..
            }) => store.is_as_left(id, open)?,
            Some(_) => store.shared.backend.stat(&Blob::journal(id))?.is_none(),
            None => false,
        };
        if let Some(state) = self.state.take_if(|_| is_in_place) {
            return Ok(state);
        }
        let anew = store.open_journaling(id, &self.lock)?;
        let revision = anew.revision();
        let left = self.left.replace(revision);
        if left.is_none_or(|left| left == revision) {
            return Ok(anew);
        }
        self.state = Some(anew);
        Err(Error::changed(store.path(id)))
    }

    /// Adds several appends at the cost of one: one write, one sync, all of them or none.
    ///
    /// The first one's [base](Append::based_on) is that of all.
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append).
    pub fn append_all<'a>(
        &mut self,
        appends: impl IntoIterator<Item = &'a Append>,
    ) -> Result<Revision, Error> {
        let mut appends = appends.into_iter();
        let first = appends.next().cloned().unwrap_or_default();
        self.append(&appends.fold(first, Append::join))
    }

    /// The bytes that were appended and are not in the document yet.
    #[must_use]
    pub fn unfolded(&self) -> u64 {
        self.state.as_ref().map_or(0, Journaling::unfolded)
    }

    /// Folds what was appended into the document; see [`SessionStore::checkpoint`].
    ///
    /// # Errors
    ///
    /// As for [`SessionStore::checkpoint`], and [`Error::Conflict`] as for [`append`](Self::append), after which the journal is as that
    /// program left it.
    pub fn checkpoint(&mut self) -> Result<bool, Error> {
        let state = self.held()?;
        let (left, is_unfolded) = (state.revision(), state.has_journal);
        match self.store.fold(&self.id, &self.lock) {
            // The document that it was appended to has been replaced, and the journal is not that one's.
            Ok(None) if is_unfolded => {
                self.left = None;
                Err(Error::changed(self.store.path(&self.id)))
            }
            Ok(folded) => {
                self.left = Some(folded.unwrap_or(left));
                Ok(folded.is_some())
            }
            Err(error) => {
                // Else the session is as it was.
                if matches!(error, Error::NotDurable { .. }) {
                    self.left = None;
                }
                Err(error)
            }
        }
    }

    /// Folds what was appended into the document and lets the next writer in.
    ///
    /// # Errors
    ///
    /// As for [`checkpoint`](Self::checkpoint); the lock is released, and what was appended is in the journal still.
    pub fn close(mut self) -> Result<(), Error> {
        self.checkpoint().map(drop)
    }
}

impl<S: SessionRecord> Drop for Writer<S> {
    fn drop(&mut self) {
        // Before the lock goes, so that nobody else's append comes between.
        if let Some(mut state) = self.state.take() {
            state.look();
            self.store.shared.journals.put(&self.id, state);
        }
    }
}

impl<S: SessionRecord> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
