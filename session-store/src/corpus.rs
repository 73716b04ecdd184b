//! Shows a backend's session documents to the scanner and counts what is read of them. Knows names and stats, no JSON.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use session_codec::{Codec, ReadAt, Revision, TailCap};
use session_scan::{Corpus, Entry, Listing, OpenError, Reason, Rejected};

use crate::Error;
use crate::backend::{Area, Backend, BackendEntry, Blob, BlobStat, OpenBlob, RejectReason};
use crate::failure::from_codec;
use crate::fs::not_a_file_kind;
use crate::journal::{Journal, Overlay};

/// The session documents of a backend, with a count of the bytes that were read.
#[derive(Debug)]
pub(crate) struct Documents<'b> {
    backend: &'b dyn Backend,
    bytes_read: AtomicU64,
    /// The journals there are, once they were listed: where a session has none, none is looked for.
    journals: OnceLock<Journals>,
    /// What is wanted of journals, if not all.
    wanted: Option<TailCap>,
}

/// The journals that a listing showed, by session.
pub(crate) type Journals = HashMap<String, BlobStat>;

/// Lists the journals of a backend. What has a journal's name and cannot be looked at, or is no file, counts as one that may be
/// as new as can be: whoever opens it finds out, and a session is never read without what may have been appended to it.
pub(crate) fn journals(backend: &dyn Backend) -> Result<Journals, Error> {
    let found = backend.list(Area::Journal)?;
    let unknown = BlobStat::new(0, 0, 0, i128::MAX, i128::MAX);
    let rejected = found.rejected.into_iter().filter_map(|rejected| {
        if matches!(rejected.reason, RejectReason::Name) {
            return None;
        }
        let id = rejected.name.to_str()?.strip_suffix(".journal")?.to_owned();
        let stat = backend.stat(&Blob::journal(&id)).ok().flatten();
        Some((id, stat.unwrap_or(unknown)))
    });
    let listed = found
        .entries
        .into_iter()
        .map(|entry| (entry.name, entry.stat));
    Ok(rejected.chain(listed).collect())
}

/// One open document, and what its journal adds to it. What is read at an offset is the document's own.
#[derive(Debug)]
pub(crate) struct Document<'b> {
    blob: Box<dyn OpenBlob>,
    bytes_read: &'b AtomicU64,
    journal: Beside,
}

/// What stands beside a document in the place of its journal.
#[derive(Debug, Default)]
pub(crate) enum Beside {
    #[default]
    Nothing,
    /// Appends that the document lacks, or a journal of which it has everything; and that journal's stat. In a box, as
    /// most documents have none, and are handed on by the thousand.
    Journal(Box<(Overlay, BlobStat)>),
    /// The journal of another document than this one, which somebody else put in its place.
    Displaced,
}

/// What a look at a session says of its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfolded {
    /// The bytes that the journal has and the document lacks.
    Bytes(u64),
    /// It is another document's.
    Displaced,
}

/// The two files of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) document: BlobStat,
    pub(crate) journal: BlobStat,
}

/// How often a document may be replaced, and its journal with it, while the two are being opened.
const OPEN_TRIES: u32 = 16;

impl<'b> Documents<'b> {
    pub(crate) fn new(backend: &'b dyn Backend) -> Self {
        Self {
            backend,
            bytes_read: AtomicU64::new(0),
            journals: OnceLock::new(),
            wanted: None,
        }
    }

    /// Holds of journals no more than a window of this cap needs, and what counts elements or says what members are. Elements
    /// that are not held are nobody's to read: for callers that want windows and headers only.
    pub(crate) fn holding(self, cap: Option<TailCap>) -> Self {
        Self {
            wanted: cap,
            ..self
        }
    }

    /// As `new`, with the journals listed before.
    pub(crate) fn knowing(backend: &'b dyn Backend, journals: Journals) -> Self {
        Self {
            journals: OnceLock::from(journals),
            ..Self::new(backend)
        }
    }

    /// The bytes read of all documents so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Lists the journals, so that what is listed after this knows of them.
    pub(crate) fn journals(&self) -> Result<&Journals, Error> {
        if let Some(known) = self.journals.get() {
            return Ok(known);
        }
        let found = journals(self.backend)?;
        Ok(self.journals.get_or_init(|| found))
    }

    /// Documents of a listing as the scanner knows them: a session was last changed when its journal was, if that is later.
    /// The listing is taken, so that thousands of names are not copied.
    /// Journals are listed before documents; those that were not are taken not to be there.
    pub(crate) fn entries(&self, found: Vec<BackendEntry>) -> Vec<Entry> {
        let journals = self.journals.get().filter(|journals| !journals.is_empty());
        let entry = |mut found: BackendEntry| {
            if let Some(journal) = journals.and_then(|journals| journals.get(&found.name)) {
                found.stat.modified = found.stat.modified.max(journal.modified);
            }
            placed(Entry::new(found.name, 0, 0), &found.stat)
        };
        found.into_iter().map(entry).collect()
    }

    /// Opens one document and its journal, `None` where there is no document.
    ///
    /// The journal is opened first. A document that is opened later is not older: if its journal was folded into it in
    /// between, the journal no longer has its name, and both are opened again.
    pub(crate) fn document(&self, id: &str) -> Result<Option<Document<'_>>, Error> {
        let looked_for = self
            .journals
            .get()
            .is_none_or(|journals| journals.contains_key(id));
        for _ in 0..OPEN_TRIES {
            let journal = if looked_for {
                self.backend.open(&Blob::journal(id))?
            } else {
                None
            };
            let Some(blob) = self.backend.open(&Blob::session(id))? else {
                return Ok(None);
            };
            let mut document = Document {
                blob,
                bytes_read: &self.bytes_read,
                journal: Beside::Nothing,
            };
            let Some(journal) = journal else {
                return Ok(Some(document));
            };
            if let Some(beside) = self.beside(id, &document, &*journal)? {
                document.journal = beside;
                return Ok(Some(document));
            }
        }
        let path = self.backend.describe(&Blob::session(id));
        let busy = io::Error::new(io::ErrorKind::ResourceBusy, "replaced again and again");
        Err(Error::io("open", &path, busy))
    }

    /// Says what an open journal is to an open document; `None` if the journal has gone since.
    fn beside(
        &self,
        id: &str,
        document: &Document<'_>,
        open: &dyn OpenBlob,
    ) -> Result<Option<Beside>, Error> {
        let path = self.backend.describe(&Blob::journal(id));
        let failed = |source| Error::io("read", &path, source);
        let stat = open.stat().map_err(failed)?;
        if stat.size == 0 {
            // Journals appear with their first record in them: this one holds nothing that was acknowledged.
            return Ok(Some(Beside::Nothing));
        }
        self.bytes_read.fetch_add(stat.size, Ordering::Relaxed);
        let parsed = match &self.wanted {
            Some(cap) => Journal::end_of(open, stat.size, cap).map_err(failed)?,
            None => Journal::parse(open.read_all().map_err(failed)?).ok(),
        };
        if let Some(journal) = parsed
            && journal.begin.stat == document.stat().map_err(failed)?
        {
            let overlay = Overlay::new(journal, 0, true);
            return Ok(Some(Beside::Journal(Box::new((overlay, stat)))));
        } else if self
            .backend
            .stat(&Blob::journal(id))?
            .is_none_or(|named| named.inode != stat.inode)
        {
            return Ok(None);
        }
        let journal = Journal::parse(open.read_all().map_err(failed)?);
        let journal = journal.map_err(|damage| Error::Corrupt {
            path: path.clone(),
            offset: Some(damage.offset as u64),
            reason: damage.reason.to_owned(),
        })?;
        let described = self.backend.describe(&Blob::session(id));
        let revision = document
            .hash()
            .map_err(|error| from_codec("read", &described, error))?;
        Ok(Some(match journal.absorbed_by(revision) {
            Some(from) => Beside::Journal(Box::new((Overlay::new(journal, from, false), stat))),
            None => Beside::Displaced,
        }))
    }

    /// Opens a document that is not in its place, such as in the trash, and that has no journal there.
    pub(crate) fn elsewhere(&self, blob: &Blob<'_>) -> Result<Option<Document<'_>>, Error> {
        Ok(self.opened(self.backend.open(blob)?))
    }

    /// Opens one document that a listing showed; [`Document::confirm`] makes sure of what it is.
    fn listed(&self, id: &str) -> Result<Option<Document<'_>>, Error> {
        let journals = self.journals.get();
        if journals.is_none_or(|journals| journals.contains_key(id)) {
            return self.document(id);
        }
        Ok(self.opened(self.backend.open_listed(&Blob::session(id))?))
    }

    fn opened(&self, blob: Option<Box<dyn OpenBlob>>) -> Option<Document<'_>> {
        blob.map(|blob| Document {
            blob,
            bytes_read: &self.bytes_read,
            journal: Beside::Nothing,
        })
    }
}

impl Document<'_> {
    /// Makes sure that a listed document is still a regular file, and gives its stat.
    pub(crate) fn confirm(&self, path: impl FnOnce() -> PathBuf) -> Result<BlobStat, Error> {
        match self.blob.stat() {
            Ok(stat) => Ok(stat),
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

    /// The document's stat as the session's: it was last changed when its document or its journal was.
    pub(crate) fn placed(&self, mut stat: BlobStat) -> BlobStat {
        if let Beside::Journal(journal) = &self.journal {
            stat.modified = stat.modified.max(journal.1.modified);
        }
        stat
    }

    /// What stands in the place of the document's journal.
    pub(crate) fn beside(&self) -> &Beside {
        &self.journal
    }

    /// The files that the session was read from, if there are two of them that are one session.
    pub(crate) fn files(&self) -> Option<Files> {
        let Beside::Journal(journal) = &self.journal else {
            return None;
        };
        Some(Files {
            document: self.stat().ok()?,
            journal: journal.1,
        })
    }

    /// What stands beside the document, in short; `None` where that adds nothing to it.
    pub(crate) fn unfolded(&self) -> Option<Unfolded> {
        match &self.journal {
            Beside::Displaced => Some(Unfolded::Displaced),
            _ => self
                .overlay()
                .map(|overlay| Unfolded::Bytes(overlay.bytes())),
        }
    }

    /// What the journal adds to the document, if it adds anything.
    pub(crate) fn overlay(&self) -> Option<&Overlay> {
        match &self.journal {
            Beside::Journal(journal) => Some(&journal.0).filter(|overlay| !overlay.is_empty()),
            _ => None,
        }
    }

    /// The revision of document and journal as one.
    pub(crate) fn revision(&self) -> Result<Revision, session_codec::Error> {
        let document = self.own_revision()?;
        Ok(self
            .overlay()
            .map_or(document, |overlay| overlay.revision(document)))
    }

    /// The revision of the document without its journal, which says it where it can.
    pub(crate) fn own_revision(&self) -> Result<Revision, session_codec::Error> {
        match &self.journal {
            Beside::Journal(journal) if journal.0.is_same_file() => {
                Ok(journal.0.journal().begin.revision)
            }
            _ => self.hash(),
        }
    }

    /// The document's revision, from its bytes: a footer's word for it is compared with them.
    fn hash(&self) -> Result<Revision, session_codec::Error> {
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
        // First: what is folded into its document in between is then listed with the one or the other.
        self.journals().map_err(io::Error::other)?;
        let found = self
            .backend
            .list(Area::Sessions)
            .map_err(io::Error::other)?;
        let rejected = found.rejected.into_iter().map(|rejected| {
            let reason = Reason::Other(rejected.reason.to_string().into());
            Rejected::new(rejected.name, reason)
        });
        let entries = self.entries(found.entries);
        Ok(Listing::new(entries, rejected.collect()))
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
