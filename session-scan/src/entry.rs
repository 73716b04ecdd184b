//! What a listing says about one file: its name, its stamp, nothing of its content.
//!
//! Owns [`Entry`] and [`Listing`]. Must not know how a listing is made or what is inside a file.

use crate::Rejected;

/// One candidate file, as a listing saw it.
///
/// The fields other than the name are the file's *stamp*: two entries that are equal in all of them
/// are taken to be the same file with the same content. All times are nanoseconds since the Unix epoch
/// and may be negative.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Entry {
    /// The file's name without its `.json`.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the content (mtime), in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// Time of the last change of content or attributes (ctime), in nanoseconds since the Unix epoch.
    pub changed: i128,
    /// The device the file is on; 0 where there is none.
    pub device: u64,
    /// The file's number on its device; 0 where there is none.
    pub inode: u64,
}

impl Entry {
    /// Describes a file by name, length and mtime; the other stamps are 0.
    #[must_use]
    pub fn new(name: impl Into<String>, size: u64, modified: i128) -> Self {
        Self {
            name: name.into(),
            size,
            modified,
            changed: 0,
            device: 0,
            inode: 0,
        }
    }

    /// Sets the time of the last change of content or attributes.
    #[must_use]
    pub fn changed(mut self, changed: i128) -> Self {
        self.changed = changed;
        self
    }

    /// Sets device and inode.
    #[must_use]
    pub fn identity(mut self, device: u64, inode: u64) -> Self {
        self.device = device;
        self.inode = inode;
        self
    }
}

/// What there is in a [`Corpus`](crate::Corpus), in no particular order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The candidates.
    pub entries: Vec<Entry>,
    /// What looks like a candidate by name and is none, each with its reason.
    pub rejected: Vec<Rejected>,
}

impl Listing {
    /// Makes a listing of these candidates and rejects.
    #[must_use]
    pub fn new(entries: Vec<Entry>, rejected: Vec<Rejected>) -> Self {
        Self { entries, rejected }
    }
}
