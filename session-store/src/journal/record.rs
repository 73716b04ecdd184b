//! One record's bytes: its frame, and what its payload says. Knows no files.

use std::collections::VecDeque;
use std::ops::Range;

use session_codec::Revision;

use super::LONGEST;
use crate::backend::BlobStat;

/// The first line of a journal: what it is, and the version of its layout.
pub(crate) const TITLE: &[u8] = b"session-journal 1\n";
/// The bytes before a payload: its length, the checksum of everything else in the record, and the record's number.
pub(super) const FRAME: usize = 16;

/// The document that a journal extends.
const BEGIN: u8 = b'B';
/// What an append adds.
const ADDED: u8 = b'A';
/// A document that has everything before this record.
const REPLACED: u8 = b'R';

/// An addition to the end of an array.
const ELEMENT: u8 = b'e';
/// A member's new value.
const MEMBER: u8 = b'm';
/// The count of an array that is none.
const NO_ARRAY: u64 = u64::MAX;

/// What the first record says of the document that the journal extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    /// The document's file when the journal was begun: as long as it is unchanged, nothing has to be read to know it again.
    pub(crate) stat: BlobStat,
    pub(crate) revision: Revision,
    /// The document less the elements of its arrays.
    pub(crate) kept: Vec<u8>,
    /// How many elements each array has that a window may shorten; `None` for what is no array.
    pub(crate) counts: Vec<(String, Option<u64>)>,
}

/// A part of an append, by where its texts stand in the payload: so short that many small ones take little room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: AdditionKind,
    name: Range<u32>,
    json: Range<u32>,
}

impl Part {
    /// The name and the JSON, of the payload in which the part was found.
    pub(super) fn texts<'p>(&self, payload: &'p [u8]) -> [&'p [u8]; 2] {
        [&self.name, &self.json].map(|place| &payload[place.start as usize..place.end as usize])
    }
}

/// What is done with the named member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdditionKind {
    Element,
    Member,
}

/// What one record says; what an append adds is for [`find_parts`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    Begin(Begin),
    Added,
    Replaced(Revision),
}

/// A payload behind the room for its frame, so that it is framed where it lies.
#[derive(Debug)]
pub(crate) struct Unframed(Vec<u8>);

impl Unframed {
    /// The payload alone.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.0[FRAME..]
    }

    /// The record of this number; `None` where it is too long.
    pub(crate) fn framed(&mut self, number: u64) -> Option<&[u8]> {
        let head = head(number, self.payload())?;
        self.0[..FRAME].copy_from_slice(&head);
        Some(&self.0)
    }
}

/// Puts a payload into its frame; `None` where it is too long.
pub(crate) fn frame(number: u64, payload: &[u8]) -> Option<Vec<u8>> {
    let head = head(number, payload)?;
    Some([&head[..], payload].concat())
}

/// What the bytes before a payload say.
struct Head {
    length: u32,
    checksum: u32,
    number: u64,
}

impl Head {
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            length: u32::from_le_bytes(take(rest)?),
            checksum: u32::from_le_bytes(take(rest)?),
            number: number(rest)?,
        })
    }

    /// How long the payload is said to be; `None` if no record is so long.
    fn payload(&self) -> Option<usize> {
        let length = usize::try_from(self.length).ok()?;
        (length <= LONGEST).then_some(length)
    }
}

/// The bytes before a payload; `None` where it is too long.
fn head(number: u64, payload: &[u8]) -> Option<[u8; FRAME]> {
    let length = u32::try_from(payload.len()).ok()?;
    if payload.len() > LONGEST {
        return None;
    }
    let mut head = [0; FRAME];
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..8].copy_from_slice(&checksum(length, number, payload).to_le_bytes());
    head[8..].copy_from_slice(&number.to_le_bytes());
    Some(head)
}

/// The checksum of a record: it covers the length and the number too, so that neither can be taken for another's.
fn checksum(length: u32, number: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Takes the payload of the record that begins here and has this number; `None` where there is no whole one.
pub(super) fn unframe(bytes: &[u8], number: u64) -> Option<&[u8]> {
    let mut rest = bytes;
    let head = Head::take(&mut rest).filter(|head| head.number == number)?;
    let payload = rest.get(..head.payload()?)?;
    (checksum(head.length, number, payload) == head.checksum).then_some(payload)
}

/// The number and the payload's length that a record claims to have; `None` where there are not as many bytes.
pub(super) fn claimed(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut rest = bytes;
    let head = Head::take(&mut rest)?;
    let length = head.payload().filter(|length| *length <= rest.len())?;
    Some((head.number, length))
}

/// Whether a record that begins here may be whole once more bytes are there.
pub(super) fn is_cut_short(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    match Head::take(&mut rest) {
        Some(head) => head.payload().is_some_and(|length| rest.len() < length),
        None => true,
    }
}

/// The payload of an append, of which the caller says how long names and texts are in all.
pub(crate) fn added<'a>(
    elements: impl Iterator<Item = (&'a str, &'a str)>,
    members: impl Iterator<Item = (&'a str, &'a str)>,
    bytes: u64,
) -> Unframed {
    // Besides them a letter and two lengths for each; more than a few of them make it grow once.
    let room = FRAME + 1 + 4 * 9 + usize::try_from(bytes).unwrap_or(0);
    let mut record = Vec::with_capacity(room);
    record.extend_from_slice(&[0; FRAME]);
    record.push(ADDED);
    let mut put = |kind: u8, (name, json): (&str, &str)| {
        record.push(kind);
        text(&mut record, name.as_bytes());
        text(&mut record, json.as_bytes());
    };
    elements.for_each(|element| put(ELEMENT, element));
    members.for_each(|member| put(MEMBER, member));
    Unframed(record)
}

/// The payload that announces a document with everything so far.
pub(crate) fn announcement(revision: Revision) -> Vec<u8> {
    let mut payload = vec![REPLACED];
    payload.extend_from_slice(revision.as_bytes());
    payload
}

impl Begin {
    /// The payload of a journal's first record.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let BlobStat {
            device,
            inode,
            size,
            modified,
            changed,
        } = self.stat;
        let mut payload = vec![BEGIN];
        payload.extend_from_slice(self.revision.as_bytes());
        for number in [device, inode, size] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        for time in [modified, changed] {
            payload.extend_from_slice(&time.to_le_bytes());
        }
        text(&mut payload, &self.kept);
        for (name, count) in &self.counts {
            text(&mut payload, name.as_bytes());
            payload.extend_from_slice(&count.unwrap_or(NO_ARRAY).to_le_bytes());
        }
        payload
    }

    fn parse(mut rest: &[u8]) -> Option<Self> {
        let revision = Revision::from_bytes(take(&mut rest)?);
        let [device, inode, size] = [number(&mut rest)?, number(&mut rest)?, number(&mut rest)?];
        let modified = i128::from_le_bytes(take(&mut rest)?);
        let changed = i128::from_le_bytes(take(&mut rest)?);
        let kept = take_text(&mut rest)?.to_vec();
        let mut counts = Vec::new();
        while !rest.is_empty() {
            let name = std::str::from_utf8(take_text(&mut rest)?).ok()?.to_owned();
            let count = Some(number(&mut rest)?).filter(|count| *count != NO_ARRAY);
            // Each element takes a byte at least.
            if count.is_some_and(|count| count > size) {
                return None;
            }
            counts.push((name, count));
        }
        Some(Self {
            stat: BlobStat::new(device, inode, size, modified, changed),
            revision,
            kept,
            counts,
        })
    }
}

impl Record {
    /// Reads a payload; `None` for one that this version did not write.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (&kind, mut rest) = payload.split_first()?;
        match kind {
            BEGIN => Begin::parse(rest).map(Self::Begin),
            REPLACED => {
                let revision = Revision::from_bytes(take(&mut rest)?);
                rest.is_empty().then_some(Self::Replaced(revision))
            }
            ADDED => Some(Self::Added),
            _ => None,
        }
    }
}

/// Finds what an append's payload adds; `None` for one that this version did not write.
pub(super) fn find_parts(payload: &[u8], parts: &mut VecDeque<Part>) -> Option<()> {
    let mut rest = payload.get(1..)?;
    while let Some((&kind, after)) = rest.split_first() {
        rest = after;
        let kind = match kind {
            ELEMENT => AdditionKind::Element,
            MEMBER => AdditionKind::Member,
            _ => return None,
        };
        let mut text = || {
            let text = std::str::from_utf8(take_text(&mut rest)?).ok()?;
            let end = payload.len() - rest.len();
            Some(u32::try_from(end - text.len()).ok()?..u32::try_from(end).ok()?)
        };
        let (name, json) = (text()?, text()?);
        parts.push_back(Part { kind, name, json });
    }
    Some(())
}

/// Writes a text behind its length. What is too long for that is too long for its record, which is refused.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn take_text<'j>(rest: &mut &'j [u8]) -> Option<&'j [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}
