//! The one spelling of a footer. Owns writing and reading it byte for byte;
//! must not know documents: a number read here is only a number.

mod reader;

use std::{borrow::Cow, io::Write as _};

use serde_json::Value;

use super::{Footer, FooterFault, MarkedArray, Segment};
use crate::Revision;
use reader::Reader;

/// What every footer begins with, the comma before it included.
const OPENING: &[u8] = b",\"session_footer\":{\"version\":";
/// Longest text that is looked at. Ours stay below 16 KiB.
pub(super) const LONGEST: u64 = 256 << 10;
/// Containers inside containers down to a mark, the document's object included.
pub(super) const DEPTH: u32 = 6;

const BODY: &[u8] = b",\"body\":\"";
const CHECK: &[u8] = b"\",\"check\":\"";
const CLOSING: &[u8] = b"\"}}";
/// Bytes of the fixed end: two fields and their digits.
pub(super) const FIXED: usize = BODY.len() + 16 + CHECK.len() + 8 + CLOSING.len();

/// Writes the footer and the document's closing brace.
pub(super) fn write(footer: &Footer) -> Vec<u8> {
    let mut out = OPENING.to_vec();
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "1,\"revision\":\"{}\",\"depth\":{},\"largest\":{},\"rest\":[",
        footer.revision, footer.depth, footer.largest
    );
    for (index, checksum) in footer.rest.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{checksum}");
    }
    out.extend_from_slice(b"],\"arrays\":[");
    for (index, array) in footer.arrays.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let name = Value::from(array.name.as_str());
        let _ = write!(
            out,
            "{comma}{{\"name\":{name},\"count\":{},\"start\":{},\"end\":{},\"marks\":[",
            array.count, array.start, array.end
        );
        for (index, mark) in array.segments.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(
                out,
                "{comma}[{},{},{}]",
                mark.bytes, mark.count, mark.checksum
            );
        }
        out.extend_from_slice(b"]}");
    }
    let _ = write!(out, "],\"body\":\"{:016x}", footer.body);
    let check = crc32fast::hash(&out);
    let _ = write!(out, "\",\"check\":\"{check:08x}\"}}}}");
    out
}

/// Returns the offset that the fixed end of a footer names, if `bytes` end
/// with one.
pub(super) fn begin(bytes: &[u8]) -> Option<u64> {
    let end = bytes.len().checked_sub(FIXED)?;
    let mut reader = Reader {
        left: bytes.get(end..)?,
    };
    reader.literal(BODY).ok()?;
    let begin = reader.hex(16).ok()?;
    reader.literal(CHECK).ok()?;
    reader.hex(8).ok()?;
    reader.literal(CLOSING).ok()?;
    Some(begin)
}

/// Reads a footer from its comma to the end of the document.
///
/// Memory is bounded by the text: each entry takes more bytes there.
pub(super) fn read(text: &[u8]) -> Result<Footer, FooterFault> {
    struct Keep(Vec<u32>, Vec<MarkedArray>);
    impl<'a> Entries<'a> for Keep {
        fn rest(&mut self, checksum: u32) {
            self.0.push(checksum);
        }

        fn array(&mut self, name: Name<'a>, count: u64, start: u64, end: u64) {
            self.1.push(MarkedArray {
                name: name.decoded.into_owned(),
                count,
                start,
                end,
                segments: Vec::new(),
            });
        }

        fn segment(&mut self, segment: Segment) {
            if let Some(array) = self.1.last_mut() {
                array.segments.push(segment);
            }
        }
    }
    let mut keep = Keep(Vec::new(), Vec::new());
    let numbers = read_to(text, &mut keep)?;
    Ok(Footer {
        body: numbers.body,
        revision: numbers.revision,
        depth: numbers.depth,
        largest: numbers.largest,
        rest: keep.0,
        arrays: keep.1,
    })
}

/// Takes what a footer lists, in the order in which that stands there. What was
/// taken counts for nothing if the text turns out not to be a footer.
pub(super) trait Entries<'a> {
    /// A checksum of a stretch of the rest.
    fn rest(&mut self, checksum: u32);
    /// A marked array, before its segments.
    fn array(&mut self, name: Name<'a>, count: u64, start: u64, end: u64);
    /// A segment of the array that came last.
    fn segment(&mut self, segment: Segment);
}

/// The name of a marked array.
pub(super) struct Name<'a> {
    /// As it is spelled between its quotes: each name has one spelling.
    pub(super) spelled: &'a [u8],
    pub(super) decoded: Cow<'a, str>,
}

/// What a footer says once.
pub(super) struct Numbers {
    pub(super) body: u64,
    pub(super) revision: Revision,
    pub(super) depth: u32,
    pub(super) largest: u64,
}

/// Reads a footer from its comma to the end of the document and gives what it
/// lists to `entries`.
pub(super) fn read_to<'a>(
    text: &'a [u8],
    entries: &mut impl Entries<'a>,
) -> Result<Numbers, FooterFault> {
    let malformed = Err(FooterFault::Malformed);
    let Some(checked) = text.len().checked_sub(CHECK.len() + 8 + CLOSING.len()) else {
        return malformed;
    };
    let mut reader = Reader { left: text };
    reader.literal(OPENING)?;
    let version = reader.number()?;
    if version != 1 {
        return Err(FooterFault::Version);
    }
    reader.literal(b",\"revision\":\"")?;
    let revision = reader.digits(32)?.parse::<Revision>();
    reader.literal(b"\",\"depth\":")?;
    let depth = u32::try_from(reader.number()?);
    reader.literal(b",\"largest\":")?;
    let largest = reader.number()?;
    reader.literal(b",\"rest\":[")?;
    reader.list(|reader| {
        entries.rest(reader.checksum()?);
        Ok(())
    })?;
    reader.literal(b",\"arrays\":[")?;
    reader.list(|reader| reader.array(entries))?;
    reader.literal(BODY)?;
    let body = reader.hex(16)?;
    reader.literal(CHECK)?;
    let check = reader.hex(8)?;
    reader.literal(CLOSING)?;
    let (Ok(revision), Ok(depth)) = (revision, depth) else {
        return malformed;
    };
    if !reader.left.is_empty() || u64::from(crc32fast::hash(&text[..checked])) != check {
        return malformed;
    }
    Ok(Numbers {
        body,
        revision,
        depth,
        largest,
    })
}
