//! A journal's bytes read from the first to the last: what is whole, what a crash tore, and what is damaged.

use std::ops::Range;

use session_codec::Revision;

use super::record::{
    AdditionKind, Begin, FRAME, Part, Record, TITLE, claimed, find_parts, number_of, unframe,
};

/// What is said of a record that does not belong where it stands, or not into any journal.
const MEANINGLESS: &str = "a journal record that has no meaning here";

/// How many times the bytes after the last whole record are summed up at most, in search of another one.
const SUMMED: usize = 64;

/// A journal that can be used.
#[derive(Debug)]
pub(crate) struct Journal {
    bytes: Vec<u8>,
    pub(crate) begin: Begin,
    added: Vec<Added>,
    /// What all appends add, each by where its texts stand.
    parts: Vec<Part>,
    /// Announced documents, each with the number of appends before it.
    replaced: Vec<(usize, Revision)>,
    /// The end of the last whole record.
    end: usize,
    /// The number of the next record.
    next: u64,
}

/// One append of a journal.
#[derive(Debug)]
struct Added {
    /// Where its payload stands.
    payload: Range<usize>,
    /// How many parts stand before its first.
    parts: usize,
}

/// A part of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addition<'j> {
    pub(crate) kind: AdditionKind,
    pub(crate) name: &'j str,
    json: &'j [u8],
}

impl<'j> Addition<'j> {
    /// The JSON text. It was looked at when the journal was read; going over it again is left to those who want it.
    pub(crate) fn json(&self) -> &'j str {
        text(self.json)
    }
}

/// Bytes that were found to be text when the journal was read.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A journal that cannot be used as it is; nothing of it may be thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where the first record stands that cannot be read.
    pub(crate) offset: usize,
    pub(crate) reason: &'static str,
}

impl Journal {
    /// Reads a journal.
    ///
    /// What follows the last whole record is a tail that a crash tore, unless another whole record follows: then
    /// something in the middle was damaged, and what comes after it was acknowledged.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Damage> {
        let damage = |offset, reason| Err(Damage { offset, reason });
        if !bytes.starts_with(TITLE) {
            return damage(0, "not a journal of this version");
        }
        let (mut at, mut next) = (TITLE.len(), 0);
        let mut begin = None;
        let (mut added, mut parts, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(payload) = unframe(&bytes[at..], next) {
            let start = at + FRAME;
            match (Record::parse(payload), begin.is_some()) {
                (Some(Record::Begin(first)), false) => begin = Some(first),
                (Some(Record::Added), true) => {
                    added.push(Added {
                        payload: start..start + payload.len(),
                        parts: parts.len(),
                    });
                    if find_parts(payload, start, &mut parts).is_none() {
                        return damage(at, MEANINGLESS);
                    }
                }
                (Some(Record::Replaced(revision)), true) => replaced.push((added.len(), revision)),
                _ => return damage(at, MEANINGLESS),
            }
            at = start + payload.len();
            next += 1;
        }
        let Some(begin) = begin else {
            return damage(at, "a journal that does not say what it extends");
        };
        if is_followed(&bytes[at..], next) {
            return damage(at, "a damaged journal record with whole ones after it");
        }
        Ok(Self {
            bytes,
            begin,
            added,
            parts,
            replaced,
            end: at,
            next,
        })
    }

    /// The bytes of all whole records.
    pub(crate) fn end(&self) -> u64 {
        self.end as u64
    }

    /// How many bytes after the last whole record a crash left.
    pub(crate) fn torn(&self) -> u64 {
        (self.bytes.len() - self.end) as u64
    }

    /// The number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How many appends there are.
    pub(crate) fn appends(&self) -> usize {
        self.added.len()
    }

    /// The payloads of the appends from one on, in order.
    pub(crate) fn payloads(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        self.added[from..]
            .iter()
            .map(|added| &self.bytes[added.payload.clone()])
    }

    /// What the appends from one on add, in order.
    pub(crate) fn additions(&self, from: usize) -> impl Iterator<Item = Addition<'_>> {
        let first = self.added.get(from).map(|added| added.parts);
        let parts = &self.parts[first.unwrap_or(self.parts.len())..];
        parts.iter().map(|part| Addition {
            kind: part.kind,
            name: text(&self.bytes[part.name.clone()]),
            json: &self.bytes[part.json.clone()],
        })
    }

    /// Whether a document was announced that has some of the appends.
    pub(crate) fn was_replaced(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// How many appends a document of some revision has already; `None` if it is none that this journal extends.
    pub(crate) fn absorbed_by(&self, revision: Revision) -> Option<usize> {
        let announced = self.replaced.iter().rev().find(|(_, new)| *new == revision);
        announced
            .map(|(before, _)| *before)
            .or((self.begin.revision == revision).then_some(0))
    }
}

/// Whether a whole record follows somewhere in what could not be read, with a number that could be there.
///
/// What a crash leaves hardly ever looks like a record. Something made to look like records at every byte would have all
/// that follows summed up again for each, so the bytes that are summed up are bounded by a multiple of what is there;
/// then whole records may follow, and nothing is thrown away.
fn is_followed(rest: &[u8], next: u64) -> bool {
    let most = next.saturating_add((rest.len() / FRAME) as u64);
    let mut left = SUMMED.saturating_mul(rest.len());
    (1..rest.len()).any(|at| {
        let rest = &rest[at..];
        let Some(number) = number_of(rest).filter(|number| (next..=most).contains(number)) else {
            return false;
        };
        let claimed = claimed(rest).unwrap_or(0);
        if claimed > left {
            return true;
        }
        left -= claimed;
        unframe(rest, number).is_some()
    })
}
