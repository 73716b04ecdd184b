//! What a file system says of one name: what it is, whose, and the stat of its content.

use std::ffi::OsString;
use std::io;

use super::FileKind;

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A regular file, the only kind that is ever opened.
    File,
    /// Anything else.
    Not(FileKind),
}

impl EntryKind {
    /// A directory.
    pub const DIRECTORY: Self = Self::Not(FileKind::Directory);
}

/// Who owns a file, as far as trust is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Owner {
    /// The effective user of this process.
    Ours,
    /// Somebody else.
    Foreign,
}

/// The identity and extent of a file's content: equal stats mean that nothing was changed in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BlobStat {
    /// The device that holds it.
    pub device: u64,
    /// The number of the file on that device.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the content, in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// Last change of content, name or mode, in nanoseconds since the Unix epoch.
    pub changed: i128,
}

impl BlobStat {
    /// Makes a stat out of its five numbers, for implementations of the traits.
    #[must_use]
    pub fn new(device: u64, inode: u64, size: u64, modified: i128, changed: i128) -> Self {
        Self {
            device,
            inode,
            size,
            modified,
            changed,
        }
    }
}

/// What a file system knows about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStat {
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, `0o777` at most.
    pub mode: u32,
    /// Whose it is.
    pub owner: Owner,
    /// Identity, size and times.
    pub blob: BlobStat,
}

impl FileStat {
    /// Makes a stat, for implementations of [`FileSystem`](super::FileSystem).
    #[must_use]
    pub fn new(kind: EntryKind, mode: u32, owner: Owner, blob: BlobStat) -> Self {
        Self {
            kind,
            mode,
            owner,
            blob,
        }
    }
}

/// One name in a directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct DirEntry {
    /// The bare name.
    pub name: OsString,
    /// What it is, or why that could not be told.
    pub stat: io::Result<FileStat>,
}

impl DirEntry {
    /// Makes an entry, for implementations of [`FileSystem`](super::FileSystem).
    #[must_use]
    pub fn new(name: OsString, stat: io::Result<FileStat>) -> Self {
        Self { name, stat }
    }
}

/// One name in a directory that nobody has asked for more than the directory itself says.
#[derive(Debug)]
#[non_exhaustive]
pub struct DirName {
    /// The bare name.
    pub name: OsString,
    /// What it is, or why that could not be told.
    pub kind: io::Result<EntryKind>,
}

impl DirName {
    /// Makes a name, for implementations of [`FileSystem`](super::FileSystem).
    #[must_use]
    pub fn new(name: OsString, kind: io::Result<EntryKind>) -> Self {
        Self { name, kind }
    }
}
