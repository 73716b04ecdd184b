//! Telling the files that a catalogue's rows still stand for from those that have to be looked into.
//!
//! Owns how the two are brought together. Must not know when a row is trusted.

use std::collections::HashMap;
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
