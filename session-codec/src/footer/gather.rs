//! Reading what is kept of a document whose footer says where it lies. Owns
//! the plan of reads, the checksums and putting the parts together in one
//! buffer; must not know types.

use std::ops::Range;

use super::{
    Footer, FooterFault, Found,
    marker::{Covering, covering},
    rest::{self, Edge, edge},
};
use crate::{Codec, Error, Parser, ReadAt};

/// Which elements of an array are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The last ones.
    Last(usize),
    /// Those with these numbers, as far as there are so many.
    Range(Range<u64>),
}

impl Keep {
    /// Returns the numbers of the elements kept of so many.
    pub(crate) fn of(&self, count: u64) -> Range<u64> {
        match self {
            Self::Last(keep) => count.saturating_sub(*keep as u64)..count,
            Self::Range(range) => {
                let start = range.start.min(count);
                start..range.end.clamp(start, count)
            }
        }
    }
}

/// A shortened document, in the middle of a buffer.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) buffer: Vec<u8>,
    pub(crate) text: Range<usize>,
    /// Starts of stretches in the text, with their offsets in the document.
    pub(crate) map: Vec<(usize, u64)>,
    /// For each array asked for, how many elements it has and which are kept.
    pub(crate) arrays: Vec<(u64, Range<u64>)>,
    pub(crate) bytes_read: u64,
}

/// A stretch of the document that is read, and its place in the buffer.
#[derive(Debug)]
struct Part {
    file: Range<u64>,
    buffer: Range<usize>,
    /// The array whose elements it holds, and which of its segments.
    of: Option<(usize, Covering)>,
}

/// Reads what is kept, `Err` inside if the footer does not hold.
///
/// Memory is one buffer of what is kept, the skipped part of two segments an
/// array included. Every offset was checked by [`find`](super::find()).
pub(crate) fn gather<P: Parser, R: ReadAt + ?Sized>(
    codec: &Codec<P>,
    source: &R,
    found: &Found,
    arrays: &[(&str, Keep)],
) -> Result<Result<Gathered, FooterFault>, Error> {
    let footer = &found.footer;
    let limits = &codec.limits;
    if footer.depth > limits.depth || footer.largest > limits.element_bytes {
        return Ok(Err(FooterFault::Limits));
    }
    let wanted: Vec<Range<u64>> = footer
        .arrays
        .iter()
        .map(
            |marked| match arrays.iter().find(|(name, _)| *name == marked.name) {
                Some((_, keep)) => keep.of(marked.count),
                None => 0..marked.count,
            },
        )
        .collect();
    let parts = plan(footer, &wanted);
    let bytes: u64 = parts
        .iter()
        .map(|part| part.file.end - part.file.start)
        .sum();
    let (Ok(room), true) = (usize::try_from(bytes), bytes <= limits.kept_bytes) else {
        return Ok(Err(FooterFault::Limits));
    };
    let mut buffer = vec![0; room + 1];
    let bytes_read = found.end.len() as u64 + fill(source, found, &parts, &mut buffer)?;
    if !sums_agree(footer, &parts, &buffer) {
        return Ok(Err(FooterFault::Checksum));
    }
    let capped: Vec<&str> = arrays.iter().map(|(name, _)| *name).collect();
    let stretches: Vec<&[u8]> = parts
        .iter()
        .filter(|part| part.of.is_none())
        .map(|part| &buffer[part.buffer.clone()])
        .collect();
    if let Err(fault) = rest::check(codec, footer, &capped, &stretches) {
        return Ok(Err(fault));
    }
    let mut kept = Vec::with_capacity(parts.len());
    for part in &parts {
        match keep(codec, footer, &wanted, part, &buffer) {
            Some(range) => kept.push((part.file.start, part.buffer.start, range)),
            None => return Ok(Err(FooterFault::Structure)),
        }
    }
    let (text, map) = close_gaps(&mut buffer, &kept);
    buffer[text.end] = b'}';
    let counts = arrays.iter().map(|(name, keep)| {
        let count = footer.array(name).map_or(0, |marked| marked.count);
        (count, keep.of(count))
    });
    Ok(Ok(Gathered {
        arrays: counts.collect(),
        text: text.start..text.end + 1,
        buffer,
        map,
        bytes_read,
    }))
}

/// Lays out the stretches of the rest and the segments wanted, in order.
fn plan(footer: &Footer, wanted: &[Range<u64>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut at, mut place) = (0, 0);
    let mut part = |file: Range<u64>, of| {
        // A sum that fits no buffer is refused before this is used.
        let bytes = usize::try_from(file.end - file.start).unwrap_or(usize::MAX);
        let end = place + bytes.min(usize::MAX - place);
        let buffer = place..end;
        place = end;
        parts.push(Part { file, buffer, of });
    };
    for (index, (array, wanted)) in footer.arrays.iter().zip(wanted).enumerate() {
        part(at..array.start, None);
        let covering = covering(array, wanted);
        part(covering.bytes.clone(), Some((index, covering)));
        at = array.end;
    }
    part(at..footer.body, None);
    parts
}

/// Fills the buffer, with one read for parts that touch each other; says how
/// many bytes were read.
fn fill<R: ReadAt + ?Sized>(
    source: &R,
    found: &Found,
    parts: &[Part],
    buffer: &mut [u8],
) -> Result<u64, Error> {
    let mut bytes_read = 0;
    let mut parts = parts
        .iter()
        .filter(|part| !part.buffer.is_empty())
        .peekable();
    while let Some(part) = parts.next() {
        let (mut file, mut place) = (part.file.clone(), part.buffer.clone());
        while let Some(next) = parts.next_if(|next| next.file.start == file.end) {
            file.end = next.file.end;
            place.end = next.buffer.end;
        }
        bytes_read += found.read(source, &mut buffer[place], file.start)?;
    }
    Ok(bytes_read)
}

fn sums_agree(footer: &Footer, parts: &[Part], buffer: &[u8]) -> bool {
    let mut rest = footer.rest.iter();
    parts.iter().all(|part| {
        let mut bytes = &buffer[part.buffer.clone()];
        let Some((array, covering)) = &part.of else {
            return rest.next() == Some(&crc32fast::hash(bytes));
        };
        footer.arrays[*array].segments[covering.segments.clone()]
            .iter()
            .all(|segment| {
                let length = usize::try_from(segment.bytes).unwrap_or(usize::MAX);
                let Some((here, later)) = bytes.split_at_checked(length) else {
                    return false;
                };
                bytes = later;
                crc32fast::hash(here) == segment.checksum
            })
    })
}

/// Returns which bytes of a part stay: all of the rest, and of segments those
/// from the first to the last element wanted.
fn keep<P: Parser>(
    codec: &Codec<P>,
    footer: &Footer,
    wanted: &[Range<u64>],
    part: &Part,
    buffer: &[u8],
) -> Option<Range<usize>> {
    let Some((array, covering)) = &part.of else {
        return Some(part.buffer.clone());
    };
    let wanted = &wanted[*array];
    let segments = &footer.arrays[*array].segments[covering.segments.clone()];
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
        return Some(part.buffer.start..part.buffer.start);
    };
    let bytes = &buffer[part.buffer.clone()];
    let skipped = wanted.start - covering.first;
    let first = bytes.get(..usize::try_from(first.bytes).ok()?)?;
    let start = part.buffer.start + edge(first, skipped, Edge::Start, &codec.limits)?;
    let before = covering.first + segments.iter().map(|segment| segment.count).sum::<u64>();
    let end = if wanted.end == footer.arrays[*array].count {
        part.buffer.end
    } else {
        let from = bytes.len().checked_sub(usize::try_from(last.bytes).ok()?)?;
        let number = wanted.end.checked_sub(1 + before - last.count)?;
        part.buffer.start + from + edge(&bytes[from..], number, Edge::End, &codec.limits)?
    };
    (start <= end).then_some(start..end)
}

/// Moves what stays together, around the largest piece, which stays in place.
fn close_gaps(
    buffer: &mut [u8],
    kept: &[(u64, usize, Range<usize>)],
) -> (Range<usize>, Vec<(usize, u64)>) {
    let largest = (0..kept.len())
        .max_by_key(|index| kept[*index].2.len())
        .unwrap_or(0);
    let mut starts = vec![0; kept.len()];
    let Some((_, _, pivot)) = kept.get(largest) else {
        return (0..0, Vec::new());
    };
    let mut from = pivot.start;
    starts[largest] = from;
    for (index, (_, _, range)) in kept[..largest].iter().enumerate().rev() {
        from -= range.len();
        buffer.copy_within(range.clone(), from);
        starts[index] = from;
    }
    let mut to = pivot.end;
    for (index, (_, _, range)) in kept.iter().enumerate().skip(largest + 1) {
        buffer.copy_within(range.clone(), to);
        starts[index] = to;
        to += range.len();
    }
    let map = kept
        .iter()
        .zip(&starts)
        .map(|((file, place, range), start)| (start - from, file + (range.start - place) as u64));
    (from..to, map.collect())
}
