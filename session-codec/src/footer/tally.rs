//! Counting by a footer, without keeping it. Owns which of a footer's words a
//! count takes and the comparison of the bytes that those are about; must not
//! know who asks, nor grammar.

use std::{io, ops::Range};

use super::{
    Segment,
    text::{self, Entries, Name},
};
use crate::{ReadAt, buffer::Buffer, lexer::Key};

/// Bytes read first from the end of a short document, whose footer has few marks: holds it and what stands before it.
const LEAST: usize = 1 << 10;
/// Documents up to this size are short.
const SHORT: u64 = 64 << 10;
/// Bytes read first from the end of others: holds the footers of sessions of a few megabytes.
const LITTLE: usize = 4 << 10;
/// Most bytes read at once of what stands around the arrays.
const SUMMED: usize = 64 << 10;

/// What a footer says of its arrays, in memory that is kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    marked: Vec<Marked>,
    rest: Vec<u32>,
    /// The spellings of the arrays' names, one after the other.
    names: Vec<u8>,
}

/// One marked array, as far as a count is concerned.
#[derive(Debug)]
struct Marked {
    name: Range<usize>,
    count: u64,
    start: u64,
    end: u64,
}

/// The end of a document, in memory.
struct End<'b> {
    held: &'b [u8],
    /// Where it begins.
    base: u64,
    /// Memory for more.
    room: &'b mut [u8],
}

impl Tally {
    /// Looks for a footer at the end of a document whose word a count may take:
    /// `false` if there is none.
    ///
    /// That is one that is sound in itself, keeps the limit on depth, and names
    /// the checksums of all bytes around its arrays. So these are, byte for byte and
    /// at their places, what was written with it, and whoever wrote that had
    /// checked that it is JSON which has each of the arrays once and no other
    /// footer: parsing it again could say nothing else, whatever an honest tool
    /// has left over.
    ///
    /// `bytes` is memory to read into.
    pub(crate) fn find<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        depth: u32,
        bytes: &mut Buffer,
    ) -> io::Result<bool> {
        let size = source.size()?;
        let first = if size <= SHORT { LEAST } else { LITTLE };
        let mut end = usize::try_from(size).unwrap_or(first).min(first);
        let mut base = size - end as u64;
        bytes.reach(end);
        source.read_exact_at(&mut bytes[..end], base)?;
        let Some(body) = text::begin(&bytes[..end]) else {
            return Ok(false);
        };
        let length = size.checked_sub(body).filter(|all| *all <= text::LONGEST);
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
            return Ok(false);
        };
        if length > end {
            // With what stands before it, which may well be all after the last array.
            base = body.saturating_sub(LITTLE as u64);
            end = length + usize::try_from(body - base).unwrap_or(LITTLE);
            bytes.reach(end);
            source.read_exact_at(&mut bytes[..end], base)?;
        }
        let footer = end - length;
        if !self.read(&bytes[footer..end], body, depth) {
            return Ok(false);
        }
        let unread = usize::try_from(base).unwrap_or(SUMMED).min(SUMMED);
        bytes.grow(end + unread);
        let (held, room) = bytes.split_at_mut(end);
        let held = &held[..footer];
        self.sums_agree(source, body, &mut End { held, base, room })
    }

    /// Returns how many elements an array has, if the footer marks it.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        let is_it = |array: &&Marked| Key::new(&self.names[array.name.clone()]).is(name);
        self.marked.iter().find(is_it).map(|array| array.count)
    }

    /// Takes a footer's text, if its numbers fit each other and a body that is so
    /// long.
    fn read(&mut self, footer: &[u8], body: u64, depth: u32) -> bool {
        self.marked.clear();
        self.rest.clear();
        self.names.clear();
        let mut entries = Check {
            tally: self,
            elements: 0,
            bytes: 0,
            holds: true,
        };
        let Ok(numbers) = text::read_to(footer, &mut entries) else {
            return false;
        };
        entries.array_ended();
        entries.holds
            && numbers.body == body
            && numbers.depth <= depth
            && self.rest.len() == self.marked.len() + 1
            && self.marked.last().map_or(0, |last| last.end) < body
    }

    /// Compares the bytes around the arrays with their checksums.
    fn sums_agree<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        body: u64,
        end: &mut End<'_>,
    ) -> io::Result<bool> {
        let mut at = 0;
        let starts = self.marked.iter().map(|array| array.start).chain([body]);
        let ends = self.marked.iter().map(|array| array.end).chain([body]);
        for ((to, next), sum) in starts.zip(ends).zip(&self.rest) {
            if end.checksum(source, at..to)? != Some(*sum) {
                return Ok(false);
            }
            at = next;
        }
        Ok(true)
    }
}

impl End<'_> {
    /// Makes the checksum of a stretch, of which only what is not in memory is
    /// read; `None` if it lies outside of the document.
    fn checksum<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        stretch: Range<u64>,
    ) -> io::Result<Option<u32>> {
        let mut hasher = crc32fast::Hasher::new();
        let mut at = stretch.start;
        let unread = stretch.end.min(self.base);
        while at < unread {
            let bytes = usize::try_from(unread - at).unwrap_or(SUMMED);
            let room = self.room.len().min(bytes);
            let part = &mut self.room[..room];
            if part.is_empty() {
                return Ok(None);
            }
            source.read_exact_at(part, at)?;
            hasher.update(part);
            at += part.len() as u64;
        }
        if at < stretch.end {
            let place = |at: u64| usize::try_from(at - self.base).unwrap_or(usize::MAX);
            let Some(held) = self.held.get(place(at)..place(stretch.end)) else {
                return Ok(None);
            };
            hasher.update(held);
        }
        Ok(Some(hasher.finalize()))
    }
}

/// Checks, while a footer is read, what [`find`](super::find()) checks of a whole one.
struct Check<'t> {
    tally: &'t mut Tally,
    /// Elements and bytes of the current array's segments.
    elements: u64,
    bytes: u64,
    holds: bool,
}

impl Check<'_> {
    /// Compares the array that came last with its segments.
    fn array_ended(&mut self) {
        if let Some(array) = self.tally.marked.last() {
            let end = array.start.checked_add(self.bytes);
            self.holds &= array.count == self.elements && end == Some(array.end);
        }
        (self.elements, self.bytes) = (0, 0);
    }
}

impl<'a> Entries<'a> for Check<'_> {
    fn rest(&mut self, checksum: u32) {
        self.tally.rest.push(checksum);
    }

    fn array(&mut self, name: Name<'a>, count: u64, start: u64, end: u64) {
        self.array_ended();
        let tally = &mut *self.tally;
        let spelled = |array: &Marked| &tally.names[array.name.clone()];
        let is_new = tally
            .marked
            .iter()
            .all(|array| spelled(array) != name.spelled);
        // The shortest text before the first element is `{"":[`.
        let follows = tally.marked.last().map_or(0, |before| before.end) < start;
        self.holds &= is_new && follows;
        let from = tally.names.len();
        tally.names.extend_from_slice(name.spelled);
        tally.marked.push(Marked {
            name: from..tally.names.len(),
            count,
            start,
            end,
        });
    }

    fn segment(&mut self, segment: Segment) {
        self.holds &= segment.count > 0 && segment.bytes >= segment.count;
        let (bytes, elements) = (&mut self.bytes, &mut self.elements);
        match (
            bytes.checked_add(segment.bytes),
            elements.checked_add(segment.count),
        ) {
            (Some(all_bytes), Some(all)) => (*bytes, *elements) = (all_bytes, all),
            _ => self.holds = false,
        }
    }
}
