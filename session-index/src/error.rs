//! The one error type of the crate. Messages are "verb name", and never hold a path, an id or anything else that was
//! recorded.

use std::io;

/// Why an index could not be read or changed.
///
/// None of these is a reason to stop: an index that cannot be read is the same as no index, and one that cannot be
/// written costs the next lookup a scan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another thread or process held the index lock for longer than the storage waits. Nothing was written.
    #[error("lock index: held by another writer")]
    Locked,
    /// The index file is over its limit. It was neither used nor touched.
    #[error("change {name}: more than {limit} bytes")]
    TooLarge {
        /// The name in the storage.
        name: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The storage refused.
    #[error("{op} {name}")]
    Io {
        /// The verb: `lock`, `read`, `replace`, `remove` or `stamp`.
        op: &'static str,
        /// The name in the storage it was applied to.
        name: String,
        /// The refusal.
        source: io::Error,
    },
}

impl Error {
    /// Whether the index lock was held by somebody else until the wait was over.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked)
    }

    /// Whether the index is over its size limit.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge { .. })
    }

    /// Whether the storage refused.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    pub(crate) fn io(op: &'static str, name: &str, source: io::Error) -> Self {
        Self::Io {
            op,
            name: name.to_owned(),
            source,
        }
    }

    /// Tells a lock that is held from a lock that cannot be taken at all.
    pub(crate) fn lock(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Locked,
            _ => Self::io("lock", "index", source),
        }
    }
}
