//! The refusal of what is no regular file, as an I/O error that keeps the kind.

use std::io;

use super::FileKind;

/// The refusal of everything that is not a regular file, with its kind kept for whoever has to report it.
pub(crate) fn not_a_file(kind: FileKind) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, NotAFile(kind))
}

/// The kind of what was refused as no regular file.
pub(crate) fn not_a_file_kind(error: &io::Error) -> Option<FileKind> {
    let inner = error.get_ref()?.downcast_ref::<NotAFile>()?;
    Some(inner.0)
}

/// Why [`FileSystem::open`](super::FileSystem::open) answers `InvalidInput`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFile(pub FileKind);

impl std::fmt::Display for NotAFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "is {}, not a file", self.0)
    }
}

impl std::error::Error for NotAFile {}
