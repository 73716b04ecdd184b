//! The footer: an ordinary last member of a document that says where the
//! elements of its arrays lie. Owns its meaning and what is told of its use;
//! the parts own its text, its making and its reading.

mod check;
mod find;
mod gather;
mod marker;
mod rest;
mod tally;
mod text;
mod trail;

use std::fmt;

use crate::Revision;

pub use check::FooterReport;
pub(crate) use find::{Found, Missing, document_revision, find, find_if_there, named_body, settle};
pub(crate) use gather::{Gathered, Keep, gather};
pub(crate) use marker::Marker;
pub(crate) use tally::Tally;
pub(crate) use trail::Trail;

/// Whether an answer was taken by a document's footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FooterUse {
    /// The footer told where to read, and what was read agreed with it.
    Used,
    /// The document does not end with one.
    Absent,
    /// There is one that cannot be relied on; the answer was found without it.
    Ignored(FooterFault),
}

/// Why a footer was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FooterFault {
    /// Its text is not the one spelling of a footer, or its own checksum
    /// differs.
    Malformed,
    /// It is of a version that this library does not know.
    Version,
    /// It is not the end of the document, or there are several.
    Misplaced,
    /// It is longer than any footer has reason to be.
    TooLong,
    /// Its numbers contradict each other or the document's length.
    Numbers,
    /// Bytes that were read do not have the checksum it names.
    Checksum,
    /// The members around the arrays are not where it says.
    Structure,
    /// It does not mark an array that was to be shortened.
    Unmarked,
    /// The document was written under wider limits than it is read with.
    Limits,
    /// What it led to could not be decoded.
    Undecodable,
    /// It was not asked, because every byte was to be validated.
    Strict,
    /// It came at the end of a stream, too late to be asked.
    Streamed,
    /// The end of the document could not be read when it was looked for.
    Unread,
}

impl fmt::Display for FooterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "its text is damaged",
            Self::Version => "its version is unknown",
            Self::Misplaced => "it is not the document's last member",
            Self::TooLong => "it is too long",
            Self::Numbers => "its numbers contradict each other",
            Self::Checksum => "a checksum differs",
            Self::Structure => "the members are not where it says",
            Self::Unmarked => "it does not mark an array that was asked for",
            Self::Limits => "it was written under wider limits",
            Self::Undecodable => "what it led to could not be decoded",
            Self::Strict => "every byte was to be validated",
            Self::Streamed => "it came at the end of a stream",
            Self::Unread => "the end of the document could not be read",
        })
    }
}

/// Reports whether a document that ends like this may end with a footer.
pub(crate) fn looks_ended(end: &[u8]) -> bool {
    text::begin(end).is_some()
}

/// What a document's footer says, read but believed by nobody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    pub(crate) body: u64,
    pub(crate) revision: Revision,
    /// The limit on depth that the writer enforced.
    pub(crate) depth: u32,
    /// Bytes of the longest marked element.
    pub(crate) largest: u64,
    /// Checksums of the stretches around the marked elements.
    pub(crate) rest: Vec<u32>,
    pub(crate) arrays: Vec<MarkedArray>,
}

impl Footer {
    /// Returns the bytes of the document before the footer's comma.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body
    }

    /// Returns the revision that the footer names.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Lists the marked arrays with their numbers of elements, in the order of
    /// the document.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> + Clone {
        self.arrays
            .iter()
            .map(|array| (array.name.as_str(), array.count))
    }

    /// Returns the number of elements of a marked array.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        self.array(name).map(|array| array.count)
    }

    pub(crate) fn array(&self, name: &str) -> Option<&MarkedArray> {
        self.arrays.iter().find(|array| array.name == name)
    }
}

/// Where the elements of one array lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MarkedArray {
    pub(crate) name: String,
    pub(crate) count: u64,
    /// Offset of the first element, or of the closing bracket if there is none.
    pub(crate) start: u64,
    /// Offset of the closing bracket.
    pub(crate) end: u64,
    pub(crate) segments: Vec<Segment>,
}

/// Whole elements that follow each other, with what separates the last of them
/// from the next segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) bytes: u64,
    pub(crate) count: u64,
    pub(crate) checksum: u32,
}
