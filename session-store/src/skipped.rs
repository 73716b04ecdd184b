//! What a walk over many sessions could not use, and why. One bad file never hides another.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use session_scan::{Look, Reason, Unreadable};

use crate::Error;
use crate::backend::{BackendRejected, FileKind, RejectReason};
use crate::catalogue::Unlisted;
use crate::store::Shared;

/// A file that a walk passed over.
#[derive(Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// The file's name in the sessions directory.
    pub name: OsString,
    /// Why it was passed over.
    pub reason: SkipReason,
}

/// Why a file was passed over.
#[derive(Debug)]
#[non_exhaustive]
pub enum SkipReason {
    /// A `.json` name whose stem is no session id.
    InvalidName,
    /// Not a regular file: a directory, a link, a FIFO.
    NotAFile(FileKind),
    /// The session's directory could not be resolved in time, so it is not known whether it is the one asked for.
    Unresolved {
        /// The directory that the session names.
        directory: PathBuf,
    },
    /// A journal that extends another document than the one that is there: a program that knows no journals has put that in
    /// its place. Nothing of the journal is in the session; the next append or save puts it into `.store/quarantine/`.
    Displaced,
    /// Reading the session failed.
    Failed(Error),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Displaced => f.write_str("the journal of a document that was replaced"),
            Self::InvalidName => f.write_str("the name is no session id"),
            Self::NotAFile(kind) => write!(f, "not a regular file but {kind}"),
            Self::Unresolved { directory } => {
                write!(f, "resolve {}: no answer in time", directory.display())
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl Skipped {
    /// Passes over a session whose document cannot be used.
    pub(crate) fn failed(id: &str, error: Error) -> Self {
        Self::session(id, SkipReason::Failed(error))
    }

    pub(crate) fn session(id: &str, reason: SkipReason) -> Self {
        Self {
            name: format!("{id}.json").into(),
            reason,
        }
    }

    /// Takes over a name that the backend did not accept.
    pub(crate) fn rejected(rejected: BackendRejected, shared: &Shared) -> Self {
        let reason = match rejected.reason {
            RejectReason::Kind(kind) => SkipReason::NotAFile(kind),
            RejectReason::Name => SkipReason::InvalidName,
            RejectReason::Io(source) => {
                let path = shared.root.join(&rejected.name);
                SkipReason::Failed(Error::Io {
                    op: "stat",
                    path,
                    source,
                })
            }
        };
        Self {
            name: rejected.name,
            reason,
        }
    }

    /// Reports a journal whose document was replaced.
    pub(crate) fn displaced(id: &str) -> Self {
        Self {
            name: format!("{id}.journal").into(),
            reason: SkipReason::Displaced,
        }
    }

    /// Takes over a name that a catalogue knows as none of a session.
    pub(crate) fn unlisted(unlisted: &Unlisted) -> Self {
        Self {
            name: unlisted.name.clone(),
            reason: unlisted
                .kind
                .map_or(SkipReason::InvalidName, SkipReason::NotAFile),
        }
    }

    /// Takes over a session that a walk could not judge.
    pub(crate) fn unreadable(unreadable: Unreadable, shared: &Shared) -> Self {
        let id = &unreadable.entry.name;
        Self::session(
            id,
            SkipReason::from_scan(unreadable.reason, shared.path(id)),
        )
    }
}

impl SkipReason {
    /// Gives back the store's own reason where the store gave one, else says on which path the scanner failed.
    fn from_scan(reason: Reason, path: PathBuf) -> Self {
        let source = match reason {
            Reason::Io(source) => source,
            Reason::Other(error) => match error.downcast::<Unusable>() {
                Ok(unusable) => return unusable.0,
                Err(error) => match error.downcast::<Error>() {
                    Ok(error) => return Self::Failed(*error),
                    Err(error) => io::Error::other(error),
                },
            },
            other => io::Error::other(other),
        };
        Self::Failed(Error::Io {
            op: "read",
            path,
            source,
        })
    }
}

/// A probe's reason, carried through the scanner as its error.
#[derive(Debug)]
pub(crate) struct Unusable(SkipReason);

impl Unusable {
    /// The answer of a probe that could not tell.
    pub(crate) fn look<H>(reason: SkipReason) -> Look<H> {
        Look::Unreadable(Box::new(Self(reason)))
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unusable {}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skip {}: {}", self.name.to_string_lossy(), self.reason)
    }
}
