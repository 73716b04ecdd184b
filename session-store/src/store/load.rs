//! Loading one session, whole or as a window.

use std::io;
use std::ops::Range;

use session_codec::TailCap;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::corpus::{Document, Documents};
use crate::failure::from_codec;
use crate::tail::Dropped;
use crate::trace::{event, span};
use crate::view::Seen;
use crate::{Alignment, Error, Page, Tail, Window};

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
        self.load_from(&documents, id, None)
    }

    /// Loads the end of a session: the last elements of each capped array, and every other member.
    ///
    /// Memory is bounded by what is returned, not by the file; so is the time, where the document ends with a footer.
    /// What is returned is validated in full. Elements that are left out are only checked to be JSON, and not even read
    /// where a footer is used.
    ///
    /// # Errors
    ///
    /// As for [`load`](SessionStore::load), except that the document's size is no reason to refuse.
    pub fn load_tail(&self, id: &SessionId, window: Window) -> Result<Tail<S>, Error> {
        let documents = self.windows(window);
        self.load_tail_from(&documents, id, window, None)
    }

    /// Loads some elements of one capped array, wherever in it they stand, and none of the other capped arrays: for
    /// scrolling back through a history.
    ///
    /// `range` counts elements from 0, the oldest; it is cut to what there is. With a footer the cost is that of what is
    /// returned and a part of the array that does not grow with the page; without one the document is walked over.
    ///
    /// ```
    /// use session_store::{Message, Session, SessionId, SessionStore};
    ///
    /// # let scratch = tempfile::tempdir()?;
    /// # let store = SessionStore::open(scratch.path().join("sessions"))?;
    /// let mut session = Session::new(SessionId::new("long")?, "/home/me/project");
    /// for n in 0..10 {
    ///     session.push(Message::user(format!("message {n}")));
    /// }
    /// store.save(&session)?;
    ///
    /// let page = store.load_page(&session.id, "messages", 3..6)?;
    /// assert_eq!(page.messages, session.messages[3..6]);
    /// assert_eq!((page.range(), page.count()), (3..6, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`load_tail`](SessionStore::load_tail); [`Error::Refused`] for an array that the record does not name as
    /// capped.
    pub fn load_page(
        &self,
        id: &SessionId,
        array: &str,
        range: Range<u64>,
    ) -> Result<Page<S>, Error> {
        span!("load_page", %id);
        let path = self.path(id);
        if !S::CAPPED.contains(&array) {
            let reason = "a page is of one of the record's capped arrays".to_owned();
            return Err(Error::Refused { path, reason });
        }
        let documents = Documents::new(&*self.shared.backend);
        let document = self.document(&documents, id, None)?;
        let page = if let Some(overlay) = document.overlay() {
            self.journal_page(&documents, &document, overlay, (array, range), &path)?
        } else {
            let codec = &self.shared.codec;
            let decoded = codec
                .page::<S, _>(&document, S::CAPPED, array, range)
                .map_err(|error| from_codec("read", &path, error))?;
            Page {
                record: decoded.value,
                range: decoded.range,
                count: decoded.count,
                file_bytes: decoded.bytes,
                bytes_read: decoded.bytes_read,
                revision: decoded.revision,
                footer: decoded.footer,
            }
        };
        if page.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        // Whatever its range: the other arrays are empty.
        self.views.saw_window(id);
        event!(%id, bytes = page.bytes_read(), "load_page");
        Ok(page)
    }

    /// Loads a whole session, from the document that is `open` or else from the one that has its name.
    pub(super) fn load_from<'d>(
        &self,
        documents: &'d Documents<'_>,
        id: &SessionId,
        open: Option<Document<'d>>,
    ) -> Result<S, Error> {
        span!("load", %id);
        let path = self.path(id);
        let failed = |source: io::Error| Error::io("read", &path, source);
        let document = self.document(documents, id, open)?;
        let before = document.stat().map_err(failed)?;
        let limit = self.shared.limits.document_bytes();
        if before.size > limit {
            return Err(Error::TooLarge {
                path,
                what: "document bytes",
                limit,
            });
        }
        let (record, revision) = match document.overlay() {
            None => {
                let loaded = self
                    .shared
                    .codec
                    .load_split(&document, S::SPLIT, S::join)
                    .map_err(|error| from_codec("read", &path, error))?;
                (loaded.value, loaded.revision)
            }
            Some(overlay) => self.journal_load(&document, overlay, &path)?,
        };
        let after = document.stat().map_err(failed)?;
        if record.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        // A file that was rewritten in place while it was read has no identity worth remembering, and one that has a
        // journal is not the whole session.
        let is_all = before == after && document.overlay().is_none();
        self.views.saw_whole(
            id,
            Seen {
                revision,
                stat: is_all.then_some(after),
            },
        );
        event!(%id, bytes = after.size, "load");
        Ok(record)
    }

    /// Loads the end of a session, from the document that is `open` or else from the one that has its name.
    pub(super) fn load_tail_from<'d>(
        &self,
        documents: &'d Documents<'_>,
        id: &SessionId,
        window: Window,
        open: Option<Document<'d>>,
    ) -> Result<Tail<S>, Error> {
        span!("load_tail", %id);
        let document = self.document(documents, id, open)?;
        let tail = match (S::PAIRED, window.limit()) {
            (Some(array), Some(limit)) if window.alignment() != Alignment::None => {
                self.aligned(&document, id, window, array, limit)?
            }
            _ => self.tail_of(&document, id, &window.cap(S::CAPPED))?,
        };
        if tail.dropped().total() > 0 {
            self.views.saw_window(id);
        }
        event!(%id, bytes = tail.file_bytes(), dropped = tail.dropped().total(), "load_tail");
        Ok(tail)
    }

    /// Decodes the end of an open document, with what its journal adds.
    pub(super) fn tail_of(
        &self,
        document: &Document<'_>,
        id: &SessionId,
        cap: &TailCap,
    ) -> Result<Tail<S>, Error> {
        if let Some(overlay) = document.overlay() {
            return self.journal_tail(document, overlay, id, cap);
        }
        let path = self.path(id);
        let decoded = self
            .shared
            .codec
            .tail::<S, _>(document, cap)
            .map_err(|error| from_codec("read", &path, error))?;
        if decoded.value.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        let dropped = Dropped::new(decoded.dropped);
        Ok(
            Tail::new(decoded.value, dropped, decoded.bytes, decoded.revision)
                .with_footer(decoded.footer),
        )
    }

    /// Documents of which no more than one window each is wanted.
    pub(super) fn windows(&self, window: Window) -> Documents<'_> {
        // Where one starts that may be extended is found by loading more and more.
        let may_grow = S::PAIRED.is_some() && window.alignment() == Alignment::Extend;
        let cap = (!may_grow).then(|| window.cap(S::CAPPED));
        Documents::new(&*self.shared.backend).holding(cap)
    }

    /// Documents of which no element is wanted, only what they say of themselves and how many elements there are.
    pub(super) fn headers(&self) -> Documents<'_> {
        let none = TailCap::all(S::CAPPED, 0);
        Documents::new(&*self.shared.backend).holding(Some(none))
    }

    fn document<'d>(
        &self,
        documents: &'d Documents<'_>,
        id: &SessionId,
        open: Option<Document<'d>>,
    ) -> Result<Document<'d>, Error> {
        if let Some(open) = open {
            return Ok(open);
        }
        documents.document(id)?.ok_or_else(|| Error::NotFound {
            path: self.path(id),
        })
    }
}
