//! The one spelling of a footer. Owns writing and reading it byte for byte;
//! must not know documents: a number read here is only a number.

use std::io::Write as _;

use serde_json::Value;

use super::{Footer, FooterFault, MarkedArray, Segment};
use crate::Revision;

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
    let rest = reader.list(Reader::checksum)?;
    reader.literal(b",\"arrays\":[")?;
    let arrays = reader.list(Reader::array)?;
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
    Ok(Footer {
        body,
        revision,
        depth,
        largest,
        rest,
        arrays,
    })
}

/// What is left of the text.
struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    fn literal(&mut self, expected: &[u8]) -> Result<(), FooterFault> {
        self.left = self
            .left
            .strip_prefix(expected)
            .ok_or(FooterFault::Malformed)?;
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], FooterFault> {
        let (taken, left) = self
            .left
            .split_at_checked(bytes)
            .ok_or(FooterFault::Malformed)?;
        self.left = left;
        Ok(taken)
    }

    fn digits(&mut self, count: usize) -> Result<&'a str, FooterFault> {
        std::str::from_utf8(self.take(count)?).map_err(|_| FooterFault::Malformed)
    }

    /// Takes lower-case hexadecimal digits.
    fn hex(&mut self, count: usize) -> Result<u64, FooterFault> {
        let digits = self.digits(count)?;
        let lower = digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u64::from_str_radix(digits, 16) {
            Ok(number) if lower => Ok(number),
            _ => Err(FooterFault::Malformed),
        }
    }

    /// Takes a decimal number without leading zeros.
    fn number(&mut self) -> Result<u64, FooterFault> {
        let length = self
            .left
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(self.left.len());
        let digits = self.digits(length)?;
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(FooterFault::Malformed);
        }
        digits.parse().map_err(|_| FooterFault::Malformed)
    }

    fn checksum(&mut self) -> Result<u32, FooterFault> {
        u32::try_from(self.number()?).map_err(|_| FooterFault::Malformed)
    }

    /// Takes what stands in an array whose bracket was taken, up to its end.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, FooterFault>,
    ) -> Result<Vec<T>, FooterFault> {
        let mut items = Vec::new();
        if self.literal(b"]").is_ok() {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.literal(b"]").is_ok() {
                return Ok(items);
            }
            self.literal(b",")?;
        }
    }

    fn array(&mut self) -> Result<MarkedArray, FooterFault> {
        self.literal(b"{\"name\":")?;
        let mut names = serde_json::Deserializer::from_slice(self.left).into_iter::<String>();
        let Some(Ok(name)) = names.next() else {
            return Err(FooterFault::Malformed);
        };
        let written = Value::from(name.as_str()).to_string();
        self.literal(written.as_bytes())?;
        self.literal(b",\"count\":")?;
        let count = self.number()?;
        self.literal(b",\"start\":")?;
        let start = self.number()?;
        self.literal(b",\"end\":")?;
        let end = self.number()?;
        self.literal(b",\"marks\":[")?;
        let segments = self.list(|reader| {
            reader.literal(b"[")?;
            let bytes = reader.number()?;
            reader.literal(b",")?;
            let count = reader.number()?;
            reader.literal(b",")?;
            let checksum = reader.checksum()?;
            reader.literal(b"]")?;
            Ok(Segment {
                bytes,
                count,
                checksum,
            })
        })?;
        self.literal(b"}")?;
        Ok(MarkedArray {
            name,
            count,
            start,
            end,
            segments,
        })
    }
}
