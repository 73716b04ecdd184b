//! The one error type of the store. Messages are "verb path", never hold transcript content.

use std::io;
use std::path::{Path, PathBuf};

use session_model::InvalidId;

use crate::backend::LockOwner;

/// Why a store operation failed.
///
/// Callers branch with the predicates ([`is_not_found`](Error::is_not_found) and its siblings); the text is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such session.
    #[error("find {}: no such session", path.display())]
    NotFound {
        /// Where the session would be.
        path: PathBuf,
    },
    /// A text that cannot be a session id; no path was built from it.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// A file that is not a session document, or not the one its name says.
    #[error("read {}: {reason}{}", path.display(), at_offset(*offset))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Byte offset of the first fault, where it is known.
        offset: Option<u64>,
        /// What is wrong there.
        reason: String,
    },
    /// A record that `load` would not give back as it is, refused before the session's file was touched.
    #[error("write {}: {reason}", path.display())]
    Refused {
        /// The file that stays as it was.
        path: PathBuf,
        /// What cannot be kept.
        reason: String,
    },
    /// Something is larger or deeper than the store's limits.
    #[error("read or write {}: {what} over the limit of {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large, such as `document bytes` or `depth`.
        what: &'static str,
        /// The limit, in bytes or levels.
        limit: u64,
    },
    /// Another process or thread holds the lock for longer than the store waits.
    #[error("lock {}: held by another writer{}", path.display(), by_owner(*owner))]
    Locked {
        /// The lock.
        path: PathBuf,
        /// Who says to hold it, as a hint; `None` for the index's lock, and where nothing was written down.
        owner: Option<LockOwner>,
    },
    /// The session on disk is not the one this handle has seen; nothing was written.
    #[error("save {}: {reason}", path.display())]
    Conflict {
        /// The file that stays as it was.
        path: PathBuf,
        /// In what way the two differ.
        reason: ConflictReason,
    },
    /// This handle has seen the session only through a window that dropped something; nothing was written.
    #[error("overwrite {}: only a window of this session was loaded", path.display())]
    Partial {
        /// The file that stays as it was.
        path: PathBuf,
    },
    /// The change is visible but its directory could not be synced: a power cut may undo it.
    #[error("sync {}: change is visible but may not survive a power cut", path.display())]
    NotDurable {
        /// The file that was changed.
        path: PathBuf,
        /// What the directory sync answered.
        source: io::Error,
    },
    /// The sessions directory is open to other users.
    #[error("open {}: {reason}", path.display())]
    Untrusted {
        /// The directory.
        path: PathBuf,
        /// Who could plant or change sessions there.
        reason: &'static str,
    },
    /// A write through a store that was opened read-only.
    #[error("write {}: store was opened read-only", path.display())]
    ReadOnly {
        /// The file that stays as it was.
        path: PathBuf,
    },
    /// The caller's own function ended the call.
    #[error("cancelled by the caller")]
    Cancelled,
    /// The operating system refused.
    #[error("{op} {}: {source}", path.display())]
    Io {
        /// The verb, such as `open` or `rename`.
        op: &'static str,
        /// The path it was applied to.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

/// How the session on disk differs from what the handle has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConflictReason {
    /// A file exists and this handle has never loaded or written it whole.
    NeverSeen,
    /// The file was changed since this handle saw it.
    Changed,
    /// The file that this handle saw is gone.
    Gone,
}

impl std::fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NeverSeen => "a session is there that this handle has not loaded whole",
            Self::Changed => "changed by another writer since it was loaded",
            Self::Gone => "removed by another writer since it was loaded",
        })
    }
}

fn at_offset(offset: Option<u64>) -> String {
    offset.map_or_else(String::new, |offset| format!(" at byte {offset}"))
}

fn by_owner(owner: Option<LockOwner>) -> String {
    owner.map_or_else(String::new, |owner| format!(", {owner}"))
}

impl Error {
    /// Makes an I/O error that says what was tried on which path.
    #[must_use]
    pub fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            op,
            path: path.to_owned(),
            source,
        }
    }

    /// The refusal of something that is not a regular file.
    pub(crate) fn not_a_file(path: PathBuf, kind: crate::fs::FileKind) -> Self {
        Self::Corrupt {
            path,
            offset: None,
            reason: crate::fs::NotAFile(kind).to_string(),
        }
    }

    /// A session that is not what the caller has seen, or what this call has read.
    pub(crate) fn changed(path: PathBuf) -> Self {
        let reason = ConflictReason::Changed;
        Self::Conflict { path, reason }
    }

    /// A document whose `id` is not the one in its file's name: a copy, or a foreign file.
    pub(crate) fn misnamed(path: &Path) -> Self {
        let reason = "the id inside is not the one in the file's name".to_owned();
        Self::Corrupt {
            path: path.to_owned(),
            offset: None,
            reason,
        }
    }

    /// Whether the session does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether a text was refused as a session id.
    #[must_use]
    pub fn is_invalid_id(&self) -> bool {
        matches!(self, Self::InvalidId(_))
    }

    /// Whether a file is not the session document it should be.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    /// Whether a record was refused because `load` would not give it back.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether a limit was exceeded.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge { .. })
    }

    /// Whether another writer held a lock for too long; the call can be tried again.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether another writer changed the session; load again and decide.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether a window would have replaced a whole session.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        matches!(self, Self::Partial { .. })
    }

    /// Whether the change is visible but may not survive a power cut.
    #[must_use]
    pub fn is_not_durable(&self) -> bool {
        matches!(self, Self::NotDurable { .. })
    }

    /// Whether the caller's own function ended the call.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// Whether the store was opened read-only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::ReadOnly { .. })
    }

    /// The operating system's error kind, where it is one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } | Self::NotDurable { source, .. } => Some(source.kind()),
            _ => None,
        }
    }
}
