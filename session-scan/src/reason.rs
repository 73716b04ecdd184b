//! Why a file is not an answer: the reasons that are reported instead of skipping in silence.
//!
//! Owns the vocabulary of refusals. Must not decide who is refused.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io;

use crate::Entry;

/// What a directory entry is, when it is not a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A named pipe, which would block whoever opens it naively.
    Fifo,
    /// A symbolic link; links are never followed.
    Symlink,
    /// A Unix socket.
    Socket,
    /// A block or character device.
    Device,
    /// Something the system has no name for.
    Unknown,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Fifo => "a named pipe",
            Self::Symlink => "a symbolic link",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Unknown => "of unknown kind",
        })
    }
}

/// Why a file was not listed, not opened, or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is not a regular file.
    #[error("not a regular file but {0}")]
    NotAFile(FileKind),
    /// Its name ends in `.json`, but the part before that is not an accepted name.
    #[error("not an accepted name")]
    Name,
    /// The operating system refused.
    #[error("input or output failed")]
    Io(#[source] io::Error),
    /// A probe, or a corpus of another kind, gave this reason.
    #[error("not readable as what it should be")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// A visible `*.json` name that is not a candidate.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// The full file name, `.json` included, exactly as the directory has it.
    pub name: OsString,
    /// Why it is not a candidate.
    pub reason: Reason,
}

impl Rejected {
    /// Pairs a name with the reason.
    #[must_use]
    pub fn new(name: impl Into<OsString>, reason: Reason) -> Self {
        Self {
            name: name.into(),
            reason,
        }
    }
}

/// A candidate that could not be opened, read or understood.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// The candidate, as listed.
    pub entry: Entry,
    /// Why it could not be used.
    pub reason: Reason,
}

impl Unreadable {
    /// Pairs a candidate with the reason.
    #[must_use]
    pub fn new(entry: Entry, reason: Reason) -> Self {
        Self { entry, reason }
    }
}

/// Why [`Corpus::open`](crate::Corpus::open) gave no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file went away after it was listed. That is no fault: it counts as a miss and is not reported.
    #[error("gone since it was listed")]
    Vanished,
    /// The file is there and can't be used.
    #[error("refused to open")]
    Rejected(#[source] Reason),
}
