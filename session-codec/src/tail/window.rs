//! The last elements of one array while it streams by, and the counts of all.
//! Owns which elements stay; must not hold their bytes.

use std::{collections::VecDeque, ops::Range};

use crate::{Error, LimitKind, TailCap};

/// Keeps the starts of the last elements of an array.
///
/// Kept elements stand next to each other, so starts are enough: the bytes kept
/// run from the first start to the last end.
#[derive(Debug)]
pub(super) struct Window {
    keep: usize,
    element_limit: u64,
    starts: VecDeque<u64>,
    total: u64,
    current: u64,
    last_end: u64,
    /// Number and start of the last element over the limit. It matters only if
    /// it is kept.
    oversize: Option<(u64, u64)>,
}

impl Window {
    pub(super) fn new(keep: usize, element_limit: u64) -> Self {
        Self {
            keep,
            element_limit,
            starts: VecDeque::new(),
            total: 0,
            current: 0,
            last_end: 0,
            oversize: None,
        }
    }

    pub(super) fn element_start(&mut self, at: u64) {
        self.current = at;
        // Without a bound the first start is all there is to know.
        if self.keep == 0 || (self.keep == usize::MAX && !self.starts.is_empty()) {
            return;
        }
        if self.starts.len() == self.keep {
            self.starts.pop_front();
        }
        self.starts.push_back(at);
    }

    pub(super) fn element_end(&mut self, at: u64) {
        if at - self.current > self.element_limit {
            self.oversize = Some((self.total, self.current));
        }
        self.total += 1;
        self.last_end = at;
    }

    /// Returns where the bytes begin that may have to be kept.
    pub(super) fn from(&self) -> Option<u64> {
        self.starts.front().copied()
    }

    /// Reports whether the element being read is already over the limit.
    pub(super) fn is_over(&self, at: u64) -> bool {
        self.current >= self.last_end && at.saturating_sub(self.current) > self.element_limit
    }

    pub(super) fn last_end(&self) -> u64 {
        self.last_end
    }

    /// Ends the array: the range to keep and the counts.
    pub(super) fn finish(&self) -> Result<(Range<u64>, Tally), Error> {
        let kept = self.total.min(self.keep as u64);
        let tally = Tally {
            total: self.total,
            kept,
        };
        if let Some((number, offset)) = self.oversize
            && number >= self.total - kept
        {
            let limit = self.element_limit;
            return Err(Error::Limit {
                offset,
                what: LimitKind::ElementBytes,
                limit,
            });
        }
        let range = match self.from() {
            Some(from) if kept > 0 => from..self.last_end,
            _ => 0..0,
        };
        Ok((range, tally))
    }
}

/// Elements that an array has, and how many of them stay.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) total: u64,
    pub(super) kept: u64,
}

/// The tallies of all capped arrays, in the order of the cap.
#[derive(Debug)]
pub(super) struct Tallies(Vec<(String, Tally)>);

impl Tallies {
    pub(super) fn new(cap: &TailCap) -> Self {
        Self(
            cap.arrays()
                .map(|(name, _)| (name.to_owned(), Tally::default()))
                .collect(),
        )
    }

    /// Sets one tally. Of members with one name the last counts, as in a map.
    pub(super) fn set(&mut self, index: usize, tally: Tally) {
        self.0[index].1 = tally;
    }

    /// Reports whether every element of every array stays.
    pub(super) fn drop_nothing(&self) -> bool {
        self.0.iter().all(|(_, tally)| tally.total == tally.kept)
    }

    pub(super) fn counts(&self) -> Vec<(String, u64)> {
        self.0
            .iter()
            .map(|(name, tally)| (name.clone(), tally.total))
            .collect()
    }

    pub(super) fn dropped(&self) -> Vec<(String, u64)> {
        self.0
            .iter()
            .map(|(name, tally)| (name.clone(), tally.total - tally.kept))
            .collect()
    }
}
