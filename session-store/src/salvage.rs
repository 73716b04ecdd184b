//! What a salvage recovered and what it could not, as types. Holds no content.

use std::ops::Range;

use session_model::SessionId;

/// Bytes that nothing could be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostRange {
    /// Of the document.
    Document(Range<u64>),
    /// Of the journal.
    Journal(Range<u64>),
}

/// What became of a damaged session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// The damaged session, which is in quarantine now.
    pub from: SessionId,
    /// The new session, with everything that was whole.
    pub id: SessionId,
    /// How many elements of each capped array the new session has.
    pub kept: Vec<(String, u64)>,
    /// Members of the document that were lost, or that no record of this type can have.
    pub refused: Vec<String>,
    /// What is not in the new session, byte for byte.
    pub lost: Vec<LostRange>,
}
