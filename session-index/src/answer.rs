//! What an index can say about a workspace: the values that cross the trait. Knows no storage, no lock and no format.

use crate::epoch::Epoch;
use crate::stamp::Stamp;
use crate::state_file::Scope;

/// Points a workspace to the session that was its newest when it was recorded.
///
/// Pointers are ordered as sessions are: by [`at`](Self::at), then [`updated`](Self::updated), then [`id`](Self::id).
/// Everything in it is unchecked data that somebody may have planted: the caller validates the id before it builds a
/// path from it, and reads the session before it believes the times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Pointer {
    /// The first component of the session's order, in nanoseconds since the Unix epoch.
    ///
    /// For a store this is the earlier of `updated_at` and the file's modification time.
    pub at: i128,
    /// The second component of the session's order, in nanoseconds since the Unix epoch.
    pub updated: i128,
    /// The session's id, as recorded. Not validated.
    pub id: String,
}

impl Pointer {
    /// Makes a pointer to the session `id` with its place in the order.
    #[must_use]
    pub fn new(id: impl Into<String>, at: i128, updated: i128) -> Self {
        Self {
            at,
            updated,
            id: id.into(),
        }
    }

    /// Makes a pointer to the session `id` whose place in the order was not recorded.
    ///
    /// Both times are [`i128::MIN`], so that it loses against every pointer that has one.
    #[must_use]
    pub fn unordered(id: impl Into<String>) -> Self {
        Self::new(id, i128::MIN, i128::MIN)
    }

    /// Whether the place in the order was recorded with the id.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        (self.at, self.updated) != (i128::MIN, i128::MIN)
    }
}

/// Whether an answer may be used without looking for newer sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// Nothing shows that the answer is still true: verify the session and look for newer ones.
    #[default]
    Unproven,
    /// Nothing can have become newer since this was recorded.
    Proven,
}

/// Why an index knows nothing about a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing is recorded.
    #[default]
    Absent,
    /// What is recorded does not verify: torn, overwritten, oversized or not in this format at all.
    Damaged,
    /// What is recorded belongs to another version of the format.
    Version,
    /// What is recorded was written for another workspace, such as a file that was copied or renamed.
    OtherWorkspace,
    /// This kind of index has no way to record this workspace.
    Unrecordable,
}

impl Reason {
    /// Whether something is recorded that cannot be used, which a check of the index should mention.
    #[must_use]
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Damaged | Self::Version | Self::OtherWorkspace)
    }

    /// Names the reason in one word, for reports and traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Damaged => "damaged",
            Self::Version => "version",
            Self::OtherWorkspace => "other workspace",
            Self::Unrecordable => "unrecordable",
        }
    }
}

/// What an index says about one workspace.
///
/// Whatever it says, it is a hint unless its [`Proof`] is [`Proven`](Proof::Proven). The default is `Unknown`, which is
/// always a right answer and only costs a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The index cannot help, and why. It never means that there is no session.
    Unknown(Reason),
    /// The newest session that was recorded.
    Hint {
        /// The session, unchecked.
        pointer: Pointer,
        /// Whether newer ones are excluded.
        proof: Proof,
    },
    /// Somebody looked and recorded that the workspace has no session.
    NoneRecorded {
        /// Whether newer ones are excluded.
        proof: Proof,
    },
}

impl Default for Answer {
    fn default() -> Self {
        Self::Unknown(Reason::Absent)
    }
}

impl Answer {
    /// Returns the recorded session, if there is one.
    #[must_use]
    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Hint { pointer, .. } => Some(pointer),
            Self::Unknown(_) | Self::NoneRecorded { .. } => None,
        }
    }

    /// Returns the recorded session, if there is one, without copying it.
    #[must_use]
    pub fn into_pointer(self) -> Option<Pointer> {
        match self {
            Self::Hint { pointer, .. } => Some(pointer),
            Self::Unknown(_) | Self::NoneRecorded { .. } => None,
        }
    }

    /// Returns the proof that came with the answer; what is unknown is unproven.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match self {
            Self::Hint { proof, .. } | Self::NoneRecorded { proof } => *proof,
            Self::Unknown(_) => Proof::Unproven,
        }
    }

    /// Whether the index cannot help.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// What can be recorded under one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Session(Pointer),
    Nothing,
}

impl Recorded {
    /// Turns what was read into an answer.
    pub(crate) fn answer(self, proof: Proof) -> Answer {
        match self {
            Self::Session(pointer) => Answer::Hint { pointer, proof },
            Self::Nothing => Answer::NoneRecorded { proof },
        }
    }

    /// Turns what was read into an answer that proves nothing.
    pub(crate) fn unproven(self) -> Answer {
        self.answer(Proof::Unproven)
    }
}

/// What is recorded under one workspace, and in which epoch it was known to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) recorded: Recorded,
    /// `None` for a hint.
    pub(crate) epoch: Option<Epoch>,
}

/// What an index says about several workspaces at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consultation {
    /// One answer for each workspace, in the order asked.
    pub answers: Vec<Answer>,
    /// The stamp of the watched directory, taken after the answers were read; [`Change::walked`](crate::Change::walked)
    /// takes it. `None` where nothing is watched.
    pub stamp: Option<Stamp>,
    /// Whether every workspace with a session was recorded since anything changed unseen.
    pub scope: Scope,
}

impl Consultation {
    /// Puts together what was read.
    #[must_use]
    pub fn new(answers: Vec<Answer>, stamp: Option<Stamp>, scope: Scope) -> Self {
        Self {
            answers,
            stamp,
            scope,
        }
    }
}
