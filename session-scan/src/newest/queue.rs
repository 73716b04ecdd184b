//! The two queues of a scan: candidates by mtime and found hits by rank.
//!
//! Owns their orders. Must not know threads or files.

use std::cmp::Ordering;

use crate::{Entry, Ranked};

/// How many candidates are put in order at first: the wanted file is usually among the newest, and finding these few is
/// linear.
pub(super) const FIRST: usize = 64;

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

    /// Takes about `most` of the newest, and gives them in the order in which they were listed.
    pub(crate) fn pop_as_listed(&mut self, most: usize) -> Vec<usize> {
        let entries = &self.entries;
        let rest = &mut self.order[self.next..];
        // The last few are not worth another choice.
        let most = if most.saturating_mul(2) < rest.len() {
            rest.select_nth_unstable_by(most, |a, b| compare(entries, a, b));
            most
        } else {
            rest.len()
        };
        let mut taken: Vec<usize> = rest[..most].iter().map(|key| key.index).collect();
        taken.sort_unstable();
        self.next += most;
        self.sorted = self.next;
        taken
    }

    /// Takes the next ones in no promised order, which is that of the listing as long as nobody asked for the newest.
    pub(crate) fn pop_any(&mut self, most: usize) -> Vec<usize> {
        let most = most.min(self.len());
        let taken = &self.order[self.next..self.next + most];
        self.next += most;
        self.sorted = self.sorted.max(self.next);
        taken.iter().map(|key| key.index).collect()
    }

    /// Puts back what was taken last.
    pub(crate) fn put_back(&mut self, left: &[usize]) {
        self.next -= left.len();
        self.sorted = self.sorted.min(self.next);
        for (key, &index) in self.order[self.next..].iter_mut().zip(left) {
            let modified = self.entries[index].modified;
            *key = Key { modified, index };
        }
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

    /// Shows as many as `most` of the next ones in no promised order, which is that of the listing.
    pub(crate) fn any(&self, most: usize) -> Vec<&Entry> {
        let keys = &self.order[self.next..];
        let keys = &keys[..most.min(keys.len())];
        (keys.iter()).map(|key| &self.entries[key.index]).collect()
    }

    /// Takes those of the shown ones for which `is_taken` says so, and gives them; the others stay, in order.
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
        self.sorted = self.sorted.max(self.next);
        taken.into_iter().map(|key| key.index).collect()
    }

    /// Puts the next `want` in order, and all of them if that is more than a few.
    fn sort(&mut self, want: usize) {
        if (self.next + want).min(self.order.len()) <= self.sorted {
            return;
        }
        let entries = &self.entries;
        let compare = |a: &Key, b: &Key| compare(entries, a, b);
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

/// Newest first, and by name where times are equal.
fn compare(entries: &[Entry], a: &Key, b: &Key) -> Ordering {
    (b.modified.cmp(&a.modified)).then_with(|| entries[a.index].name.cmp(&entries[b.index].name))
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

#[cfg(test)]
mod tests {
    use super::{Candidates, Entry};

    /// Takes in every way, puts some back, and compares with a list that is sorted each time.
    #[test]
    fn whatever_is_taken_and_put_back_the_newest_comes_first() {
        let mut random = 7_u64;
        let mut draw = move |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        for files in [0, 1, 63, 64, 65, 200, 900] {
            let entry = |index: u64, at| Entry::new(format!("s{index:03}"), 0, i128::from(at));
            let entries: Vec<Entry> = (0..files).map(|index| entry(index, draw(40))).collect();
            let mut left: Vec<usize> = (0..entries.len()).collect();
            left.sort_by(|a, b| {
                let newest = entries[*b].modified.cmp(&entries[*a].modified);
                newest.then_with(|| entries[*a].name.cmp(&entries[*b].name))
            });
            let mut candidates = Candidates::new(entries.clone());
            while !left.is_empty() {
                assert_eq!(candidates.len(), left.len());
                match draw(3) {
                    0 => {
                        assert_eq!(candidates.peek(), Some(&entries[left[0]]));
                        assert_eq!(candidates.pop(), Some(left.remove(0)));
                    }
                    1 => {
                        let newest = candidates.newest(usize::try_from(draw(90)).unwrap(), None);
                        assert!(newest.iter().zip(&left).all(|(a, b)| **a == entries[*b]));
                    }
                    _ => {
                        let taken = candidates.pop_as_listed(usize::try_from(draw(99)).unwrap());
                        assert!(taken.is_sorted());
                        let (mut newest, back) =
                            taken.into_iter().partition::<Vec<_>, _>(|_| draw(4) > 0);
                        candidates.put_back(&back);
                        // What was taken and what was put back are the newest together.
                        let upto = newest.len() + back.len();
                        left[..upto].sort_unstable();
                        newest.extend(&back);
                        newest.sort_unstable();
                        assert_eq!(newest, left[..upto]);
                        left.retain(|index| back.contains(index) || !newest.contains(index));
                        left.sort_by(|a, b| {
                            let newest = entries[*b].modified.cmp(&entries[*a].modified);
                            newest.then_with(|| entries[*a].name.cmp(&entries[*b].name))
                        });
                    }
                }
            }
            assert_eq!(candidates.peek(), None);
            assert_eq!(candidates.pop_as_listed(5), []);
        }
    }

    #[test]
    fn in_any_order_they_come_as_they_were_listed_and_what_was_left_comes_next() {
        let entry = |(name, modified)| Entry::new(name, 0, modified);
        let entries = [("d", 4), ("a", 9), ("c", 1), ("b", 7), ("e", 2)].map(entry);
        let mut candidates = Candidates::new(entries.to_vec());
        let names = |candidates: &Candidates| {
            let shown = candidates.any(3).into_iter();
            shown.map(|entry| entry.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&candidates), ["d", "a", "c"]);
        assert_eq!(candidates.take(&[true, false, true]), [0, 2]);
        assert_eq!(names(&candidates), ["a", "b", "e"]);
        assert_eq!(candidates.take(&[false, false, true]), [4]);
        assert_eq!(names(&candidates), ["a", "b"]);
        // Whoever asks for the newest after all gets it.
        assert_eq!(candidates.peek(), Some(&entries[1]));
        assert_eq!(candidates.take(&[true, true]), [1, 3]);
        assert_eq!(candidates.any(3), Vec::<&Entry>::new());
    }
}
