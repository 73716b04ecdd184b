//! The findings, and their texts.

use std::fmt;

use session_codec::FooterFault;

use super::Severity;

/// One thing that a check found. Offsets count bytes of the file concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The document is not JSON from here on, as `serde_json` judges.
    Malformed {
        /// The first fault.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The document is over one of the store's limits.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The document's own members are not those of a session.
    Header {
        /// In what way.
        reason: String,
    },
    /// What is JSON but not of the record's type: a load of the session fails.
    Unfit {
        /// Which element of which array, counted from 0 and through the journal; `None` where it is another member.
        element: Option<(String, u64)>,
        /// What the type has against it.
        reason: String,
    },
    /// The id in the document is not the one in the file's name: the file was renamed or copied, and wants its name back.
    Misnamed,
    /// The document has no id: a salvage gives it one.
    Nameless,
    /// The name of a document belongs to something else, or its file cannot be read.
    Unreadable {
        /// What the system, or the store, says of it.
        reason: String,
    },
    /// A footer that is sound in itself says what is not so: it is forged, or the document was edited under it. A load does
    /// not look at footers; a tail or a list may.
    FalseFooter {
        /// The first thing in which it errs.
        fault: FooterFault,
    },
    /// A footer that readers ignore.
    UselessFooter {
        /// Why they do.
        fault: FooterFault,
    },
    /// A journal ends in an append that was never acknowledged; the next append cuts it off.
    TornJournal {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// A journal is damaged before acknowledged appends.
    DamagedJournal {
        /// The first record that cannot be read.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A journal that belongs to another document than the one which is there.
    DisplacedJournal,
    /// A journal with nothing in it.
    EmptyJournal,
    /// A journal without a document.
    OrphanedJournal,
    /// A tool was called and no later message has its result: an interrupted turn, or a lost message.
    CallWithoutResult {
        /// Which message calls, counted from 0.
        message: u64,
    },
    /// A result of a tool that no earlier message called.
    ResultWithoutCall {
        /// Which message has the result, counted from 0.
        message: u64,
    },
    /// A member is there more than once, and which of them counts is up to the reader.
    DuplicateMember {
        /// How many are not the first of their name.
        count: u64,
    },
    /// Other users may do something with a file of the session that only its owner should.
    Permissions {
        /// The permission bits it has.
        mode: u32,
    },
    /// A file of the session belongs to another user.
    ForeignOwner,
    /// Other users may do something with a directory of the store that only its owner should, or it is another user's.
    Directory {
        /// Its name below the root, which is the empty one.
        name: String,
        /// The permission bits it has.
        mode: u32,
        /// Whether it belongs to another user.
        foreign: bool,
    },
    /// Lock files of sessions that are not there. They are never deleted, as somebody may be about to lock them.
    StaleLocks {
        /// How many there are.
        count: u64,
    },
    /// A temporary: of a writer at work, or of one that is gone and for the next `open` to remove.
    Temporary {
        /// Its file name.
        name: String,
    },
    /// A file is in [quarantine](crate::SessionStore::quarantined).
    Quarantined {
        /// Its file name.
        name: String,
    },
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::Header { .. }
            | Self::Unfit { .. }
            | Self::Misnamed
            | Self::Nameless
            | Self::Unreadable { .. }
            | Self::DamagedJournal { .. } => Severity::Error,
            Self::FalseFooter { .. }
            | Self::UselessFooter { .. }
            | Self::DisplacedJournal
            | Self::ResultWithoutCall { .. }
            | Self::DuplicateMember { .. }
            | Self::Permissions { .. }
            | Self::ForeignOwner
            | Self::Directory { .. } => Severity::Warning,
            Self::TornJournal { .. }
            | Self::EmptyJournal
            | Self::OrphanedJournal
            | Self::CallWithoutResult { .. }
            | Self::StaleLocks { .. }
            | Self::Temporary { .. }
            | Self::Quarantined { .. } => Severity::Note,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { offset, reason } => write!(f, "{reason} at byte {offset}"),
            Self::TooLarge { what, limit } => write!(f, "{what} over the limit of {limit}"),
            Self::Header { reason } | Self::Unreadable { reason } => f.write_str(reason),
            Self::Unfit { element, reason } => match element {
                Some((array, at)) => write!(f, "element {at} of \"{array}\": {reason}"),
                None => f.write_str(reason),
            },
            Self::Misnamed => f.write_str("the id inside is not the one in the file's name"),
            Self::Nameless => f.write_str("there is no id inside"),
            Self::FalseFooter { fault } => write!(f, "the footer is false: {fault}"),
            Self::UselessFooter { fault } => write!(f, "the footer is not used: {fault}"),
            Self::TornJournal { offset, bytes } => {
                write!(
                    f,
                    "{bytes} bytes of an unfinished append at byte {offset} of the journal"
                )
            }
            Self::DamagedJournal { offset, reason } => {
                write!(f, "{reason} at byte {offset} of the journal")
            }
            Self::DisplacedJournal => f.write_str("the journal is of another document"),
            Self::EmptyJournal => f.write_str("the journal is empty"),
            Self::OrphanedJournal => f.write_str("the journal has no document"),
            Self::CallWithoutResult { message } => {
                write!(f, "message {message} calls a tool that never answers")
            }
            Self::ResultWithoutCall { message } => {
                write!(
                    f,
                    "message {message} has the result of a call that is not there"
                )
            }
            Self::Permissions { mode } => {
                write!(
                    f,
                    "other users have access: mode {mode:04o} instead of 0600"
                )
            }
            Self::DuplicateMember { count } => write!(f, "{count} members are there a second time"),
            Self::ForeignOwner => f.write_str("a file belongs to another user"),
            Self::Directory {
                name,
                mode,
                foreign,
            } => {
                let whose = if *foreign { ", of another user" } else { "" };
                write!(
                    f,
                    "directory \"{name}\": mode {mode:04o} instead of 0700{whose}"
                )
            }
            Self::StaleLocks { count } => write!(f, "{count} locks of sessions that are not there"),
            Self::Temporary { name } => write!(f, "temporary {name}"),
            Self::Quarantined { name } => write!(f, "in quarantine: {name}"),
        }
    }
}
