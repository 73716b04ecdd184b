//! Telling the files that a catalogue's rows still stand for from those that have to be looked into.
//!
//! Owns how the two are brought together. Must not know when a row is trusted.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use session_scan::Entry;

use super::keep::Known;
use crate::backend::BackendEntry;
use crate::catalogue::{Row, Rows};
use crate::corpus::entry;

/// The rows of a catalogue, and which of them still stand for a file. Rows are large, and stay where they are.
#[derive(Debug, Default)]
pub(super) struct Unchanged<'r> {
    rows: Vec<Row<'r>>,
    stands: Vec<bool>,
}

impl Known {
    /// Sorts listed files into those that a catalogue's rows still stand for, and those to be looked into.
    pub(super) fn sort_out<'r>(
        &self,
        rows: &'r [u8],
        listed: &[BackendEntry],
        journals: &[String],
    ) -> (Unchanged<'r>, Vec<Entry>) {
        let trusted = Rows(rows)
            .map_while(Result::ok)
            .filter(|row| self.trusts(row));
        // Most rows stand for one of the files. Growing would copy them, and touch more memory, several times over.
        let mut rows: Vec<Row<'r>> = Vec::with_capacity(listed.len());
        rows.extend(trusted);
        // By number: a session is saved under one name. Of two names of one file, one is looked into each time.
        let mut places = HashMap::<u64, usize, BuildHasherDefault<Spread>>::default();
        places.reserve(rows.len());
        places.extend((rows.iter().enumerate()).map(|(place, row)| (row.stat.inode, place)));
        let mut stands = vec![false; rows.len()];
        let mut changed = Vec::new();
        for found in listed {
            let has_journal = journals.binary_search(&found.name).is_ok();
            let place = places.get(&found.stat.inode).copied();
            let is_same = |place: &usize| {
                let row = &rows[*place];
                row.id == found.name && row.stat == found.stat && !has_journal
            };
            match place.filter(is_same) {
                Some(place) => stands[place] = true,
                None => changed.push(entry(&found.name, &found.stat)),
            }
        }
        (Unchanged { rows, stands }, changed)
    }
}

impl<'r> Unchanged<'r> {
    /// All rows, newest first: those that stand, and those that were looked into. Each session has one. A directory that changes
    /// while it is read may name a file as it was and as it is; what was looked into is the later of the two.
    pub(super) fn and<'a>(&'a self, fresh: &'a [Row<'r>]) -> Vec<&'a Row<'r>> {
        let newest_first = |rows: &mut Vec<&'a Row<'r>>| rows.sort_by_key(|row| Reverse(row.key()));
        let mut fresh: Vec<&'a Row<'r>> = fresh.iter().collect();
        newest_first(&mut fresh);
        let mut looked_into = Few::default();
        fresh.retain(|row| looked_into.insert(row.id));
        let mut rows = Vec::with_capacity(self.rows.len() + fresh.len());
        let stand = self.rows.iter().zip(&self.stands);
        let stand = stand.filter_map(|(row, stands)| stands.then_some(row));
        rows.extend(stand.filter(|row| !looked_into.contains(row.id)));
        rows.extend(fresh);
        // Two runs at most, unless the catalogue was not in order.
        newest_first(&mut rows);
        rows
    }
}

/// Ids of a few sessions among many, most of which are told from them by their last bytes, without being hashed.
#[derive(Debug)]
struct Few<'a> {
    ids: HashSet<&'a str>,
    /// A bit for each spread end of an id.
    ends: [u64; 64],
}

impl Default for Few<'_> {
    fn default() -> Self {
        let (ids, ends) = (HashSet::new(), [0; 64]);
        Self { ids, ends }
    }
}

impl<'a> Few<'a> {
    /// The word and the bit of an id.
    fn place(id: &str) -> (usize, u64) {
        let end = id.as_bytes().last_chunk();
        let end = end.map_or(0, |end| u32::from_le_bytes(*end));
        let spread = ((u64::from(end) * 0x9e37_79b9) >> 20) & 0xfff;
        (
            usize::try_from(spread >> 6).unwrap_or(0),
            1 << (spread & 63),
        )
    }

    fn insert(&mut self, id: &'a str) -> bool {
        let (word, bit) = Self::place(id);
        self.ends[word] |= bit;
        self.ids.insert(id)
    }

    fn contains(&self, id: &str) -> bool {
        let (word, bit) = Self::place(id);
        self.ends[word] & bit != 0 && self.ids.contains(id)
    }
}

/// Spreads numbers of files, which a file system gives one after another.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::BlobStat;
    use crate::catalogue::{Shown, encode};

    fn rows(of: &[(&str, i128)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, modified) in of {
            let stat = BlobStat::new(1, 2, 3, *modified, *modified);
            encode(&mut bytes, id, &Shown::default(), &stat, None).expect("a row");
        }
        bytes
    }

    #[test]
    fn a_file_that_is_named_as_it_was_and_as_it_is_has_the_row_of_what_it_is() {
        let (before, after) = (
            rows(&[("c", 9), ("a", 4), ("d", 4), ("b", 3)]),
            rows(&[("b", 8), ("a", 1), ("a", 2)]),
        );
        let read = |bytes| -> Vec<Row<'_>> { Rows(bytes).map_while(Result::ok).collect() };
        let (rows, fresh) = (read(&before), read(&after));
        let stands = vec![true, true, false, true];
        let unchanged = Unchanged { rows, stands };
        let rows = unchanged.and(&fresh);
        let left: Vec<_> = rows.iter().map(|row| (row.id, row.at)).collect();
        assert_eq!(left, [("c", 9), ("b", 8), ("a", 2)]);
    }
}
