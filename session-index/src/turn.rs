//! Telling whether somebody has begun to change an index. Knows no storage.

/// What an index shows of the changes that were begun: another one after each [`begin`](crate::WorkspaceIndex::begin), in
/// any process.
///
/// Equal turns mean that no change was begun in between. So what [`Change::lookup`](crate::Change::lookup) said while a
/// change was held is still so, without reading it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    file: u64,
    count: u64,
    at: i128,
}

impl Turn {
    /// Makes a turn of what tells the changes apart: which file counts them, how many there were, and when the last was.
    #[must_use]
    pub fn new(file: u64, count: u64, at: i128) -> Self {
        Self { file, count, at }
    }
}
