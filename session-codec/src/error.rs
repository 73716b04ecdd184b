//! What can go wrong, with the byte where it did. Owns the error type and its
//! predicates; must not know which operation failed, and never carries a byte
//! of a document.

use std::{fmt, io};

/// Anything this crate's operations can fail with.
///
/// Offsets count bytes of the document as it was given, also where only a
/// pruned copy of it was parsed. Texts are built from fixed words, type names
/// and numbers; they never quote the document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not one JSON document.
    #[error("parse json at byte {offset}: {reason}")]
    #[non_exhaustive]
    Syntax {
        /// Byte at which the document stops being JSON.
        offset: u64,
        /// What was expected there.
        reason: String,
    },
    /// The document is JSON, but not what the asked type or operation takes.
    #[error("decode json at byte {offset}: {reason}")]
    #[non_exhaustive]
    Data {
        /// Byte at which, or just before which, it was noticed.
        offset: u64,
        /// What was wrong, without the value itself.
        reason: String,
    },
    /// The document is larger, deeper or wider than the limits allow.
    #[error("check json at byte {offset}: {what} is over the limit of {limit}")]
    #[non_exhaustive]
    Limit {
        /// Byte at which the limit was passed.
        offset: u64,
        /// Which limit it was.
        what: LimitKind,
        /// Its value.
        limit: u64,
    },
    /// The value cannot be written as a document.
    #[error("encode json: {reason}")]
    #[non_exhaustive]
    Refused {
        /// Why not.
        reason: Refusal,
    },
    /// Reading or writing failed below this crate.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Names the limit that a document went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// Bytes of one array element.
    ElementBytes,
    /// Containers inside containers.
    Depth,
    /// Members of the document's object.
    Members,
    /// Bytes that a windowed decode would have to hold.
    KeptBytes,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ElementBytes => "size of an array element",
            Self::Depth => "nesting depth",
            Self::Members => "number of members",
            Self::KeptBytes => "size of what is kept",
        })
    }
}

/// Says why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A float is NaN or infinite, which JSON has no text for.
    NotFinite,
    /// The value is not an object, so it cannot be a document.
    NotAnObject,
    /// The value has a member of the reserved name.
    ReservedMember,
    /// A map key is not a string, a number or a bool.
    Key,
    /// A raw JSON text is not JSON.
    RawText,
    /// One name is both replaced and appended to by the same amendment.
    AmendedTwice,
    /// The value's own `Serialize` gave up.
    Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "a float is not finite",
            Self::NotAnObject => "a document must be an object",
            Self::ReservedMember => "a member has the reserved name",
            Self::Key => "a map key cannot be a member name",
            Self::RawText => "a raw text is not json",
            Self::AmendedTwice => "one member is both replaced and appended to",
            Self::Value => "a value refused to be serialised",
        })
    }
}

impl Error {
    pub(crate) fn syntax(offset: u64, reason: &str) -> Self {
        Self::Syntax {
            offset,
            reason: reason.to_owned(),
        }
    }

    pub(crate) fn data(offset: u64, reason: &str) -> Self {
        Self::Data {
            offset,
            reason: reason.to_owned(),
        }
    }

    pub(crate) fn refused(reason: Refusal) -> Self {
        Self::Refused { reason }
    }

    /// Returns the byte of the document at which it failed, if it failed there.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Syntax { offset, .. }
            | Self::Data { offset, .. }
            | Self::Limit { offset, .. } => Some(*offset),
            Self::Refused { .. } | Self::Io(_) => None,
        }
    }

    /// Reports whether the bytes are not JSON.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        matches!(self, Self::Syntax { .. })
    }

    /// Reports whether the document is JSON of the wrong shape.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self, Self::Data { .. })
    }

    /// Reports whether a limit was passed.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Limit { .. })
    }

    /// Reports whether a value cannot be written as a document.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Reports whether reading or writing failed below this crate.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}
