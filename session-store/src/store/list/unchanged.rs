//! Telling the files that a catalogue's rows still stand for from those that have to be looked into.
//!
//! Owns how the two are brought together. Must not know when a row is trusted.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use session_scan::Entry;

use super::keep::Known;
use crate::backend::BackendEntry;
use crate::catalogue::{Row, Rows};
use crate::corpus::entry;

impl Known {
    /// Sorts listed files into those that a catalogue's rows still stand for, in the order of the rows, and those to be
    /// looked into.
    pub(super) fn sort_out<'r>(
        &self,
        rows: Option<&'r [u8]>,
        listed: &[BackendEntry],
        journals: &[String],
    ) -> (Vec<Row<'r>>, Vec<Entry>) {
        let trusted = Rows(rows.unwrap_or_default())
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
        let mut stands = stands.into_iter();
        rows.retain(|_| stands.next() == Some(true));
        (rows, changed)
    }
}

/// Leaves each session one row. A directory that changes while it is read may name a file as it was and as it is; what was looked
/// into is the later of the two.
pub(super) fn each_once(unchanged: &mut Vec<Row<'_>>, fresh: &mut Vec<Row<'_>>) {
    if fresh.is_empty() {
        return;
    }
    let mut looked_into = HashSet::with_capacity(fresh.len());
    fresh.retain(|row| looked_into.insert(row.id));
    unchanged.retain(|row| !looked_into.contains(row.id));
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
    use session_model::{SessionHeader, SessionId};

    use super::*;
    use crate::backend::BlobStat;
    use crate::catalogue::encode;

    fn rows(of: &[(&str, i128)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, modified) in of {
            let id = SessionId::new(id).expect("an id");
            let stat = BlobStat::new(1, 2, 3, *modified, *modified);
            encode(&mut bytes, &id, &SessionHeader::default(), &stat, None).expect("a row");
        }
        bytes
    }

    #[test]
    fn a_file_that_is_named_as_it_was_and_as_it_is_has_the_row_of_what_it_is() {
        let (before, after) = (
            rows(&[("c", 9), ("a", 4), ("b", 3)]),
            rows(&[("b", 8), ("a", 2), ("a", 1)]),
        );
        let read = |bytes| -> Vec<Row<'_>> { Rows(bytes).map_while(Result::ok).collect() };
        let (mut unchanged, mut fresh) = (read(&before), read(&after));
        each_once(&mut unchanged, &mut fresh);
        let left = |rows: &[Row<'_>]| {
            rows.iter()
                .map(|row| (row.id.to_owned(), row.at))
                .collect::<Vec<_>>()
        };
        assert_eq!(left(&unchanged), [("c".to_owned(), 9)]);
        assert_eq!(left(&fresh), [("b".to_owned(), 8), ("a".to_owned(), 2)]);
    }
}
