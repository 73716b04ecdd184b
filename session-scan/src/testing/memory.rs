//! A corpus without a file system, with the faults a file system has.
//!
//! Owns [`MemoryCorpus`]. Must not be faster or kinder than a directory: it can read short, fail and lose files.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::{Corpus, Entry, FileKind, Listing, OpenError, Reason, Rejected};

/// Files in memory. Built by value, then read-only.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MemoryCorpus {
    files: BTreeMap<String, Stored>,
    longest_read: Option<usize>,
}

#[derive(Clone, Debug)]
struct Stored {
    entry: Entry,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Arc<[u8]>),
    /// Bytes of which only the first few are left when they are read.
    Shrunk(Arc<[u8]>),
    /// Reading fails behind the bytes.
    Failing(Arc<[u8]>),
    Vanished,
    Denied,
    NotAFile(FileKind),
}

/// An opened file of a [`MemoryCorpus`].
#[derive(Clone, Debug)]
pub struct MemoryFile {
    bytes: Arc<[u8]>,
    fails_at_end: bool,
}

impl MemoryFile {
    /// Gives everything that can be read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl MemoryCorpus {
    /// Makes a corpus without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file with this content and mtime.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>, modified: i128) -> Self {
        let bytes = bytes.as_ref();
        self.store(name, bytes.len(), modified, Content::Bytes(bytes.into()))
    }

    /// Adds a file that was listed with this content, of which only the first `left` bytes remain.
    pub fn shrunk(self, name: &str, bytes: &[u8], left: usize, modified: i128) -> Self {
        let kept = &bytes[..left.min(bytes.len())];
        self.store(name, bytes.len(), modified, Content::Shrunk(kept.into()))
    }

    /// Adds a file whose reads fail behind these bytes.
    pub fn failing(self, name: &str, bytes: &[u8], modified: i128) -> Self {
        self.store(
            name,
            bytes.len() + 1,
            modified,
            Content::Failing(bytes.into()),
        )
    }

    /// Adds a file that is listed and then gone.
    pub fn vanished(self, name: &str, modified: i128) -> Self {
        self.store(name, 1, modified, Content::Vanished)
    }

    /// Adds a file that may not be opened.
    pub fn denied(self, name: &str, modified: i128) -> Self {
        self.store(name, 1, modified, Content::Denied)
    }

    /// Adds something that is not a regular file and is reported as such.
    pub fn not_a_file(self, name: &str, kind: FileKind) -> Self {
        self.store(name, 0, 0, Content::NotAFile(kind))
    }

    /// Lets no read give more than this many bytes.
    pub fn longest_read(mut self, bytes: usize) -> Self {
        self.longest_read = Some(bytes.max(1));
        self
    }

    fn store(mut self, name: &str, size: usize, modified: i128, content: Content) -> Self {
        let inode = self.files.len() as u64 + 1;
        let entry = Entry::new(name, size as u64, modified)
            .changed(modified)
            .identity(1, inode);
        self.files
            .insert(name.to_owned(), Stored { entry, content });
        self
    }
}

impl Corpus for MemoryCorpus {
    type File = MemoryFile;

    fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for (name, stored) in &self.files {
            match &stored.content {
                Content::NotAFile(kind) => listing.rejected.push(Rejected::new(
                    format!("{name}.json"),
                    Reason::NotAFile(*kind),
                )),
                _ => listing.entries.push(stored.entry.clone()),
            }
        }
        Ok(listing)
    }

    fn open(&self, entry: &Entry) -> Result<MemoryFile, OpenError> {
        let Some(stored) = self.files.get(&entry.name) else {
            return Err(OpenError::Vanished);
        };
        let (bytes, fails_at_end) = match &stored.content {
            Content::Bytes(bytes) | Content::Shrunk(bytes) => (bytes, false),
            Content::Failing(bytes) => (bytes, true),
            Content::Vanished => return Err(OpenError::Vanished),
            Content::Denied => {
                let denied = io::Error::from(io::ErrorKind::PermissionDenied);
                return Err(OpenError::Rejected(Reason::Io(denied)));
            }
            Content::NotAFile(kind) => {
                return Err(OpenError::Rejected(Reason::NotAFile(*kind)));
            }
        };
        Ok(MemoryFile {
            bytes: Arc::clone(bytes),
            fails_at_end,
        })
    }

    fn read_at(&self, file: &MemoryFile, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| file.bytes.get(offset..));
        let rest = rest.unwrap_or_default();
        if rest.is_empty() && file.fails_at_end && !buf.is_empty() {
            return Err(io::Error::other("the medium failed"));
        }
        let longest = self.longest_read.unwrap_or(usize::MAX);
        let read = rest.len().min(buf.len()).min(longest);
        buf[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}
