//! The two heaps of a scan: candidates by mtime and found hits by rank.
//!
//! Owns their orders. Must not know threads or files.

use std::cmp::Ordering;

use crate::{Entry, Ranked};

/// A candidate that was not looked at; the greatest is the newest, ties go by name so that the order of a listing
/// never matters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidate(pub(crate) Entry);

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.modified.cmp(&other.0.modified)).then_with(|| other.0.name.cmp(&self.0.name))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A hit that waits until nothing unseen can be greater.
pub(crate) struct Pending<H: Ranked> {
    pub(crate) at: i128,
    rank: H::Rank,
    pub(crate) entry: Entry,
    pub(crate) hit: H,
}

impl<H: Ranked> Pending<H> {
    pub(crate) fn new(entry: Entry, hit: H) -> Self {
        Self {
            at: hit.at(),
            rank: hit.rank(),
            entry,
            hit,
        }
    }
}

impl<H: Ranked> Ord for Pending<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.rank.cmp(&other.rank)).then_with(|| self.entry.name.cmp(&other.entry.name))
    }
}

impl<H: Ranked> PartialOrd for Pending<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<H: Ranked> PartialEq for Pending<H> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<H: Ranked> Eq for Pending<H> {}
