//! A session of which some elements in the middle were loaded: readable, never savable.

use std::ops::{Deref, Range};

use session_codec::{FooterUse, Revision};

/// Some elements of one array of a session, as [`load_page`](crate::SessionStore::load_page) returns them, with every
/// member that is not a capped array.
///
/// Reads go through to the record. As with a [`Tail`](crate::Tail) there is no mutable access and no way to save it, and
/// having loaded one never counts as having seen the session:
///
/// ```compile_fail,E0277
/// use session_store::{SessionId, SessionStore};
///
/// fn clobber(store: &SessionStore, id: &SessionId) -> Result<(), session_store::Error> {
///     let page = store.load_page(id, "messages", 0..10)?;
///     store.save(&page)?; // the page would replace the full history
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Page<S> {
    pub(crate) record: S,
    pub(crate) range: Range<u64>,
    pub(crate) count: u64,
    pub(crate) file_bytes: u64,
    pub(crate) bytes_read: u64,
    pub(crate) revision: Revision,
    pub(crate) footer: FooterUse,
}

impl<S> Deref for Page<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.record
    }
}

impl<S> Page<S> {
    /// The numbers of the elements that are there, from 0, the oldest.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// How many elements the array has, in document and journal together.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The size of the whole document, in bytes, without its journal.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// How many bytes of it were read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The revision of the document this page was cut from. Pages of one revision fit each other.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether the document's footer said where to read, or why it did not.
    #[must_use]
    pub fn footer(&self) -> FooterUse {
        self.footer
    }
}
