//! What can be read of a damaged journal. Owns which whole records are taken, and the account of what is not; must not know
//! what becomes of what they add.

use std::collections::VecDeque;
use std::ops::Range;

use session_codec::Revision;

use super::parse::Journal;
use super::record::{Begin, Record, TITLE, find_parts, frame};
use super::search::{Found, Search};
use crate::backend::BlobStat;

/// What can be read of a journal.
#[derive(Debug)]
pub(crate) struct Whole {
    /// A journal of the whole records alone; `None` where there is none.
    pub(crate) journal: Option<Journal>,
    /// Whether its first record, which says what it extends, is among them.
    pub(crate) is_begun: bool,
    /// What belongs to none of them, ascending.
    pub(crate) lost: Vec<Range<usize>>,
}

impl Whole {
    /// Finds the whole records of a journal that is damaged somewhere.
    pub(crate) fn find(bytes: &[u8]) -> Self {
        let mut at = if bytes.starts_with(TITLE) {
            TITLE.len()
        } else {
            0
        };
        let (mut search, mut found, mut from) = (Search::new(bytes), Vec::new(), at);
        while let Ok(Some(record)) = search.find(from, 0, has_meaning) {
            from = record.end();
            found.push(record);
        }
        let (mut payloads, mut lost) = (Vec::new(), Vec::new());
        for record in rising(found) {
            if record.from > at {
                lost.push(at..record.from);
            }
            at = record.end();
            payloads.push(record.payload);
        }
        if at < bytes.len() {
            lost.push(at..bytes.len());
        }
        let first = payloads.first().map(|first| Record::parse(first));
        let is_begun = matches!(first, Some(Some(Record::Begin(_))));
        let journal = renumbered(&payloads, is_begun);
        if journal.is_none() {
            lost.clear();
            lost.push(0..bytes.len());
        }
        Self {
            journal,
            is_begun,
            lost,
        }
    }
}

/// Whether a record says what one of its number may say.
fn has_meaning(number: u64, payload: &[u8]) -> bool {
    match Record::parse(payload) {
        Some(Record::Begin(_)) => number == 0,
        Some(Record::Added) => number > 0 && find_parts(payload, &mut VecDeque::new()).is_some(),
        Some(Record::Replaced(_)) => number > 0,
        None => false,
    }
}

/// As many records as there are in the order of their numbers: among those of a journal, one may be another's, or there twice.
fn rising(records: Vec<Found<'_>>) -> Vec<Found<'_>> {
    // For each length, which record with the smallest number ends as many; and which comes before each.
    let (mut ends, mut before) = (Vec::<usize>::new(), Vec::with_capacity(records.len()));
    for (nth, record) in records.iter().enumerate() {
        let length = ends.partition_point(|end| records[*end].number < record.number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(nth);
        } else {
            ends[length] = nth;
        }
    }
    let mut stays = vec![false; records.len()];
    let mut last = ends.last().copied();
    while let Some(nth) = last {
        stays[nth] = true;
        last = before[nth];
    }
    let stay = records.into_iter().zip(stays);
    stay.filter_map(|(record, stays)| stays.then_some(record))
        .collect()
}

/// The journal of these records. Without its first one, it extends nothing that anybody knows.
fn renumbered(payloads: &[&[u8]], is_begun: bool) -> Option<Journal> {
    let supposed = (!is_begun && !payloads.is_empty()).then(|| {
        let begin = Begin {
            stat: BlobStat::new(0, 0, 0, 0, 0),
            revision: Revision::from_bytes([0; 16]),
            kept: b"{}".to_vec(),
            counts: Vec::new(),
        };
        begin.payload()
    });
    let all = supposed
        .iter()
        .map(Vec::as_slice)
        .chain(payloads.iter().copied());
    let mut bytes = TITLE.to_vec();
    for (number, payload) in all.enumerate() {
        bytes.extend(frame(number as u64, payload)?);
    }
    match Journal::parse(bytes.clone()) {
        Ok(journal) => Some(journal),
        // More names than a journal has.
        Err(damage) => Journal::parse(bytes[..damage.offset].to_vec()).ok(),
    }
}
