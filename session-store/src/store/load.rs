//! Loading one session, whole or as a window.

use std::io;

use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::corpus::{Document, Documents};
use crate::failure::from_codec;
use crate::tail::Dropped;
use crate::trace::{event, span};
use crate::view::Seen;
use crate::{Error, Tail, Window};

impl<S: SessionRecord> SessionStore<S> {
    /// Loads a whole session.
    ///
    /// This handle has then *seen* the session: [`save`](SessionStore::save) may replace it until somebody else does.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Corrupt`] with the byte offset of the first fault, also when the id inside the
    /// document is not the one asked for; [`Error::TooLarge`] beyond the store's [`Limits`](crate::Limits).
    pub fn load(&self, id: &SessionId) -> Result<S, Error> {
        let documents = Documents::new(&*self.shared.backend);
        self.load_from(&documents, id)
    }

    /// Loads the end of a session: the last elements of each capped array, and every other member.
    ///
    /// Memory is bounded by what is returned, not by the file. What is returned is validated in full; elements that
    /// are left out are only checked to be JSON.
    ///
    /// # Errors
    ///
    /// As for [`load`](SessionStore::load), except that the document's size is no reason to refuse.
    pub fn load_tail(&self, id: &SessionId, window: Window) -> Result<Tail<S>, Error> {
        let documents = Documents::new(&*self.shared.backend);
        self.load_tail_from(&documents, id, window)
    }

    pub(super) fn load_from(&self, documents: &Documents<'_>, id: &SessionId) -> Result<S, Error> {
        span!("load", %id);
        let path = self.path(id);
        let failed = |source: io::Error| Error::io("read", &path, source);
        let document = self.document(documents, id)?;
        let before = document.stat().map_err(failed)?;
        let limit = self.shared.limits.document_bytes();
        if before.size > limit {
            return Err(Error::TooLarge {
                path,
                what: "document bytes",
                limit,
            });
        }
        let loaded = self
            .shared
            .codec
            .load_split(&document, S::SPLIT, S::join)
            .map_err(|error| from_codec("read", &path, error))?;
        let after = document.stat().map_err(failed)?;
        let (record, revision) = (loaded.value, loaded.revision);
        if record.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        // A file that was rewritten in place while it was read has no identity worth remembering.
        self.views.saw_whole(
            id,
            Seen {
                revision,
                stat: (before == after).then_some(after),
            },
        );
        event!(%id, bytes = after.size, "load");
        Ok(record)
    }

    pub(super) fn load_tail_from(
        &self,
        documents: &Documents<'_>,
        id: &SessionId,
        window: Window,
    ) -> Result<Tail<S>, Error> {
        span!("load_tail", %id);
        let path = self.path(id);
        let document = self.document(documents, id)?;
        let decoded = self
            .shared
            .codec
            .tail::<S, _>(&document, &window.cap(S::CAPPED))
            .map_err(|error| from_codec("read", &path, error))?;
        if decoded.value.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        let dropped = Dropped::new(decoded.dropped);
        if dropped.total() > 0 {
            self.views.saw_window(id);
        }
        event!(%id, bytes = decoded.bytes, dropped = dropped.total(), "load_tail");
        Ok(Tail::new(
            decoded.value,
            dropped,
            decoded.bytes,
            decoded.revision,
        ))
    }

    fn document<'d>(
        &self,
        documents: &'d Documents<'_>,
        id: &SessionId,
    ) -> Result<Document<'d>, Error> {
        documents.document(id)?.ok_or_else(|| Error::NotFound {
            path: self.path(id),
        })
    }
}
