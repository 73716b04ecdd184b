//! Owns what an import says about itself. Knows no format.

use std::collections::BTreeMap;

/// How many kinds are counted by name; a hostile file could make up any number.
const MAX_KINDS: usize = 64;
/// How long a kind's name may be.
const MAX_NAME: usize = 64;

/// What an import found, and where it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The format that was read.
    pub format: &'static str,
    /// Records that were understood as JSON; a session in one document counts once a message.
    pub records: u64,
    /// Messages of the session that was made.
    pub messages: u64,
    /// Records that are no messages and were kept in unknown members, by their kind.
    pub kept: BTreeMap<String, u64>,
    /// Lines that hold something that is no record, whose text was kept if it was not too long.
    pub broken: Vec<Broken>,
    /// Records that shared their line with an earlier one.
    pub glued: u64,
    /// Times that could not be understood, and were kept as they are.
    pub unread_times: u64,
}

/// A line of a transcript that could not be read, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// The byte of the line, from 0, at which what could not be read begins.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: BrokenReason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokenReason {
    /// It is not a JSON object from here on, or one nested deeper than 127. Its text was kept.
    NotARecord,
    /// It is longer than a record may be. It was not kept: the only thing that an import leaves behind.
    TooLong,
    /// The document ends or breaks here. What came before it was read.
    Truncated,
}

impl Report {
    /// Begins the report of a format.
    #[must_use]
    pub fn new(format: &'static str) -> Self {
        Self {
            format,
            ..Self::default()
        }
    }

    /// Returns how many records were kept in unknown members.
    #[must_use]
    pub fn kept_total(&self) -> u64 {
        self.kept.values().sum()
    }

    /// Says whether all was read: nothing was broken.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.broken.is_empty()
    }

    /// Counts a record that was kept.
    pub fn count_kept(&mut self, kind: &str) {
        let mut name: String = kind.chars().take(MAX_NAME).collect();
        if self.kept.len() >= MAX_KINDS && !self.kept.contains_key(&name) {
            "other".clone_into(&mut name);
        }
        *self.kept.entry(name).or_default() += 1;
    }

    pub(super) fn count_broken(&mut self, line: u64, offset: usize, reason: BrokenReason) {
        self.broken.push(Broken {
            line,
            offset: u64::try_from(offset).unwrap_or(u64::MAX),
            reason,
        });
    }
}
