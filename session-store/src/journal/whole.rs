//! The whole records of a damaged journal. Owns how sync is found again behind a damaged one; must not know what becomes of
//! what they add.

use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};

use session_codec::Revision;

use super::parse::Journal;
use super::record::{Begin, FRAME, Record, TITLE, claimed, find_parts, frame, unframe};
use crate::backend::BlobStat;

/// The bytes that are summed up at most in search of whole records, as a multiple of the journal.
const SUMMED: usize = 64;

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
        let (mut payloads, mut lost) = (Vec::new(), Vec::new());
        let mut at = if bytes.starts_with(TITLE) {
            TITLE.len()
        } else {
            0
        };
        let (mut next, mut left) = (0, SUMMED.saturating_mul(bytes.len()));
        while at < bytes.len() {
            let from = (at..bytes.len()).find(|from| {
                // There cannot have been more records in between than there is room for.
                let most = next + ((from - at) / FRAME) as u64;
                is_whole(&bytes[*from..], next..=most, &mut left)
            });
            let from = from.unwrap_or(bytes.len());
            if from > at {
                lost.push(at..from);
            }
            let Some((number, length)) = claimed(&bytes[from..]) else {
                break;
            };
            payloads.push(&bytes[from + FRAME..][..length]);
            (at, next) = (from + FRAME + length, number + 1);
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

/// Whether a record begins here that is whole, means something, and has one of these numbers.
fn is_whole(bytes: &[u8], numbers: RangeInclusive<u64>, left: &mut usize) -> bool {
    let claimed = claimed(bytes);
    let Some((number, length)) =
        claimed.filter(|(number, length)| numbers.contains(number) && length <= left)
    else {
        return false;
    };
    *left -= length;
    unframe(bytes, number).is_some_and(|payload| match Record::parse(payload) {
        Some(Record::Begin(_)) => number == 0,
        Some(Record::Added) => number > 0 && find_parts(payload, &mut VecDeque::new()).is_some(),
        Some(Record::Replaced(_)) => number > 0,
        None => false,
    })
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
