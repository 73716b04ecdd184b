//! Shows a backend's session documents to the scanner and counts what is read of them. Knows names and stats, no JSON.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use session_codec::{Codec, ReadAt, Revision};
use session_scan::{Corpus, Entry, Listing, OpenError, Reason, Rejected};

use crate::Error;
use crate::backend::{Area, Backend, BackendEntry, Blob, BlobStat, OpenBlob};
use crate::fs::not_a_file_kind;

/// The session documents of a backend, with a count of the bytes that were read.
#[derive(Debug)]
pub(crate) struct Documents<'b> {
    backend: &'b dyn Backend,
    bytes_read: AtomicU64,
}

/// One open document.
#[derive(Debug)]
pub(crate) struct Document<'b> {
    blob: Box<dyn OpenBlob>,
    bytes_read: &'b AtomicU64,
}

impl<'b> Documents<'b> {
    pub(crate) fn new(backend: &'b dyn Backend) -> Self {
        Self {
            backend,
            bytes_read: AtomicU64::new(0),
        }
    }

    /// The bytes read of all documents so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Opens one document, `None` where there is none.
    pub(crate) fn document(&self, id: &str) -> Result<Option<Document<'_>>, Error> {
        self.elsewhere(&Blob::session(id))
    }

    /// Opens a document that is not in its place, such as in the trash.
    pub(crate) fn elsewhere(&self, blob: &Blob<'_>) -> Result<Option<Document<'_>>, Error> {
        Ok(self.opened(self.backend.open(blob)?))
    }

    /// Opens one document that a listing showed; [`Document::confirm`] makes sure of what it is.
    fn listed(&self, id: &str) -> Result<Option<Document<'_>>, Error> {
        Ok(self.opened(self.backend.open_listed(&Blob::session(id))?))
    }

    fn opened(&self, blob: Option<Box<dyn OpenBlob>>) -> Option<Document<'_>> {
        blob.map(|blob| Document {
            blob,
            bytes_read: &self.bytes_read,
        })
    }
}

impl Document<'_> {
    /// Makes sure that a listed document is still a regular file.
    pub(crate) fn confirm(&self, path: impl FnOnce() -> PathBuf) -> Result<(), Error> {
        match self.blob.stat() {
            Ok(_) => Ok(()),
            Err(error) => Err(match not_a_file_kind(&error) {
                Some(kind) => Error::not_a_file(path(), kind),
                None => Error::io("stat", &path(), error),
            }),
        }
    }

    /// The open file's own stat, whatever has since been put in its place.
    pub(crate) fn stat(&self) -> io::Result<BlobStat> {
        self.blob.stat()
    }

    /// The document's revision, from its bytes: a footer's word for it is compared with them.
    pub(crate) fn revision(&self) -> Result<Revision, session_codec::Error> {
        Codec::new().revision(self)
    }
}

impl ReadAt for Document<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.blob.read_at(buf, offset)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.blob.size()
    }
}

/// Documents of a backend's listing as the scanner knows them.
pub(crate) fn entries(found: &[BackendEntry]) -> Vec<Entry> {
    found
        .iter()
        .map(|found| entry(&found.name, &found.stat))
        .collect()
}

/// The same, for whoever needs the listing no more: thousands of names are not copied.
pub(crate) fn into_entries(found: Vec<BackendEntry>) -> Vec<Entry> {
    let entry = |found: BackendEntry| placed(Entry::new(found.name, 0, 0), &found.stat);
    found.into_iter().map(entry).collect()
}

/// A document's stat as the scanner knows it.
pub(crate) fn entry(id: &str, stat: &BlobStat) -> Entry {
    placed(Entry::new(id, 0, 0), stat)
}

fn placed(mut entry: Entry, stat: &BlobStat) -> Entry {
    (entry.size, entry.modified) = (stat.size, stat.modified);
    entry
        .identity(stat.device, stat.inode)
        .changed(stat.changed)
}

impl<'b> Corpus for &'b Documents<'_> {
    type File = Document<'b>;

    fn list(&self) -> io::Result<Listing> {
        let found = self
            .backend
            .list(Area::Sessions)
            .map_err(io::Error::other)?;
        let rejected = found.rejected.into_iter().map(|rejected| {
            let reason = Reason::Other(rejected.reason.to_string().into());
            Rejected::new(rejected.name, reason)
        });
        Ok(Listing::new(entries(&found.entries), rejected.collect()))
    }

    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError> {
        match self.listed(&entry.name) {
            Ok(Some(document)) => Ok(document),
            Ok(None) => Err(OpenError::Vanished),
            Err(error) => Err(OpenError::Rejected(Reason::Other(Box::new(error)))),
        }
    }

    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buf, offset)
    }
}
