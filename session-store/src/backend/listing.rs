//! What an area holds: the blobs, and the names that look like blobs and are none. Must not know how either is found.

use std::ffi::OsString;
use std::{fmt, io};

use super::{BlobStat, FileKind};

/// One blob of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendEntry {
    /// The name, as [`Blob::name`](super::Blob::name) takes it.
    pub name: String,
    /// Identity, size and times when it was listed.
    pub stat: BlobStat,
}

impl BackendEntry {
    /// Makes an entry, for implementations of [`Backend`](super::Backend).
    #[must_use]
    pub fn new(name: String, stat: BlobStat) -> Self {
        Self { name, stat }
    }
}

/// A name in the area that is not a blob.
#[derive(Debug)]
#[non_exhaustive]
pub struct BackendRejected {
    /// The whole file name.
    pub name: OsString,
    /// Why it is none.
    pub reason: RejectReason,
}

impl BackendRejected {
    /// Makes a rejection, for implementations of [`Backend`](super::Backend).
    #[must_use]
    pub fn new(name: OsString, reason: RejectReason) -> Self {
        Self { name, reason }
    }
}

/// Why a name is not a blob.
#[derive(Debug)]
#[non_exhaustive]
pub enum RejectReason {
    /// It is not a regular file.
    Kind(FileKind),
    /// It has the right ending, but the rest is no session id or no name that a backend gives.
    Name,
    /// It could not be looked at.
    Io(io::Error),
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "is {kind}, not a file"),
            Self::Name => f.write_str("the name is not one of this store"),
            Self::Io(error) => write!(f, "cannot be looked at: {error}"),
        }
    }
}

/// What is in an area, in no order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BackendListing {
    /// The blobs.
    pub entries: Vec<BackendEntry>,
    /// Names that look like blobs and are none. Dot files and other endings are not even looked at.
    pub rejected: Vec<BackendRejected>,
}

/// The names in an area, in no order, of blobs that nobody has looked at.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BackendNames {
    /// The names, as [`Blob::name`](super::Blob::name) takes them.
    pub names: Vec<String>,
    /// As in [`BackendListing::rejected`], as far as that is known without a look.
    pub rejected: Vec<BackendRejected>,
}

impl BackendNames {
    /// Makes names, for implementations of [`Backend`](super::Backend).
    #[must_use]
    pub fn new(names: Vec<String>, rejected: Vec<BackendRejected>) -> Self {
        Self { names, rejected }
    }
}
