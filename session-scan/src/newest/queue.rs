//! The two queues of a scan: candidates by mtime and found hits by rank.
//!
//! Owns their orders. Must not know threads or files.

use std::cmp::Ordering;

use crate::{Entry, Ranked};

/// How many candidates are put in order at first: the wanted file is usually among the newest, and finding these few is
/// linear.
const FIRST: usize = 64;

/// The candidates that were not looked at, newest first; ties go by name, so that the order of a listing never matters.
///
/// Entries stay where they are; what is sorted, and only as far as somebody looks, is their times.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    entries: Vec<Entry>,
    order: Vec<Key>,
    /// Keys before this were taken.
    next: usize,
    /// Keys before this are in order, and none after them belongs before one of them.
    sorted: usize,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    modified: i128,
    index: usize,
}

impl Candidates {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let key = |(index, entry): (usize, &Entry)| Key {
            modified: entry.modified,
            index,
        };
        Self {
            order: entries.iter().enumerate().map(key).collect(),
            entries,
            next: 0,
            sorted: 0,
        }
    }

    /// Counts those that were not taken.
    pub(crate) fn len(&self) -> usize {
        self.order.len() - self.next
    }

    /// Drops those that `keep` refuses.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        let entries = &self.entries;
        let mut place = 0;
        let (next, sorted) = (self.next, self.sorted);
        let mut dropped_sorted = 0;
        self.order.retain(|key| {
            let stays = place < next || keep(&entries[key.index]);
            dropped_sorted += usize::from(!stays && place < sorted);
            place += 1;
            stays
        });
        self.sorted -= dropped_sorted;
    }

    /// Shows the newest.
    pub(crate) fn peek(&mut self) -> Option<&Entry> {
        self.sort(1);
        let key = self.order.get(self.next)?;
        Some(&self.entries[key.index])
    }

    /// Takes the newest; [`entry`](Self::entry) shows it.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        self.sort(1);
        let key = self.order.get(self.next)?;
        self.next += 1;
        Some(key.index)
    }

    /// Shows one that was taken.
    pub(crate) fn entry(&self, taken: usize) -> &Entry {
        &self.entries[taken]
    }

    /// Gives one that was taken, which is not shown again.
    pub(crate) fn take_entry(&mut self, taken: usize) -> Entry {
        let entry = &mut self.entries[taken];
        // Only those that were not taken are compared by name.
        let name = std::mem::take(&mut entry.name);
        Entry { name, ..*entry }
    }

    /// Shows as many as `most` of the newest that are not older than `at`, newest first.
    pub(crate) fn newest(&mut self, most: usize, at: Option<i128>) -> Vec<&Entry> {
        self.sort(most);
        let end = self.order.len().min(self.next + most);
        let keys = &self.order[self.next..end];
        let wanted = at.map_or(keys.len(), |at| {
            keys.partition_point(|key| key.modified >= at)
        });
        (keys[..wanted].iter())
            .map(|key| &self.entries[key.index])
            .collect()
    }

    /// Takes those of the newest for which `is_taken` says so, and gives them; the others stay, in order.
    pub(crate) fn take(&mut self, is_taken: &[bool]) -> Vec<usize> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let batch = &mut self.order[self.next..self.next + is_taken.len()];
        for (key, is_taken) in batch.iter().zip(is_taken) {
            if *is_taken {
                taken.push(*key);
            } else {
                left.push(*key);
            }
        }
        let (before, after) = batch.split_at_mut(taken.len());
        before.copy_from_slice(&taken);
        after.copy_from_slice(&left);
        self.next += taken.len();
        taken.into_iter().map(|key| key.index).collect()
    }

    /// Puts the next `want` in order, and all of them if that is more than a few.
    fn sort(&mut self, want: usize) {
        if (self.next + want).min(self.order.len()) <= self.sorted {
            return;
        }
        let entries = &self.entries;
        let compare = |a: &Key, b: &Key| {
            (b.modified.cmp(&a.modified))
                .then_with(|| entries[a.index].name.cmp(&entries[b.index].name))
        };
        let rest = &mut self.order[self.sorted..];
        if want <= FIRST && self.sorted == 0 && rest.len() > 2 * FIRST {
            rest.select_nth_unstable_by(FIRST, compare);
            rest[..FIRST].sort_unstable_by(compare);
            self.sorted = FIRST;
        } else {
            rest.sort_unstable_by(compare);
            self.sorted = self.order.len();
        }
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
