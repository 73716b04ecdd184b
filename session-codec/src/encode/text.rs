//! Strings as JSON spells them: escaped ahead and written at once, where
//! `serde_json` looks at one byte after the other and writes what lies between
//! two escapes. Owns escaping and the way around; must not know documents.
//!
//! A serializer cannot reach the writer behind `serde_json`'s. So the text is
//! made ready here, `serde_json` is asked to write an empty string or a stand-in,
//! and its formatter, which sees both, writes what is ready instead.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
};

use serde::ser::{Error as _, Serializer};

/// Bytes of text that are escaped at once: more than most strings have.
const PIECE: usize = 4 << 10;

/// Room for the longest spelling of a piece, its quotes, and one word more.
const ROOM: usize = 6 * PIECE + 2 + 8;

/// What is written in place of a piece that is ready.
const STAND_IN: &str = "-";

/// What is ready to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    Nothing,
    /// A whole string with its quotes.
    Whole(usize),
    /// A piece of one.
    Piece(usize),
}

/// The text made ready, shared by the serializer and the formatter.
#[derive(Debug)]
pub(crate) struct Text {
    spelled: RefCell<Vec<u8>>,
    ready: Cell<Ready>,
    /// Whether the next string is no string but JSON as it is.
    as_it_is: Cell<bool>,
}

impl Text {
    pub(super) fn new() -> Self {
        Self {
            spelled: RefCell::new(Vec::new()),
            ready: Cell::new(Ready::Nothing),
            as_it_is: Cell::new(false),
        }
    }

    /// Notes the name of a struct: `serde_json` hands over numbers and raw text
    /// as strings in structs of its own.
    #[inline]
    pub(super) fn entered(&self, name: &str) {
        if name.starts_with("$serde_json::private::") {
            self.as_it_is.set(true);
        }
    }

    /// Serialises a string.
    #[inline]
    pub(super) fn serialize<S: Serializer>(
        &self,
        value: &str,
        inner: S,
    ) -> Result<S::Ok, S::Error> {
        if self.as_it_is.take() {
            return inner.serialize_str(value);
        }
        let done = if value.len() <= PIECE {
            let len = self.spell(value.as_bytes(), 1) + 2;
            let mut spelled = self.spelled.borrow_mut();
            (spelled[0], spelled[len - 1]) = (b'"', b'"');
            drop(spelled);
            self.ready.set(Ready::Whole(len));
            inner.serialize_str("")?
        } else {
            inner.collect_str(&Pieces { text: self, value })?
        };
        if self.ready.replace(Ready::Nothing) == Ready::Nothing {
            Ok(done)
        } else {
            Err(S::Error::custom("a string was not written"))
        }
    }

    /// Writes the whole string that is ready, if one is.
    #[inline]
    pub(super) fn write_whole<W: io::Write + ?Sized>(&self, out: &mut W) -> io::Result<bool> {
        let Ready::Whole(len) = self.ready.get() else {
            return Ok(false);
        };
        self.ready.set(Ready::Nothing);
        out.write_all(&self.spelled.borrow()[..len])?;
        Ok(true)
    }

    /// Writes the piece of a string that is ready, if one is.
    #[inline]
    pub(super) fn write_piece<W: io::Write + ?Sized>(&self, out: &mut W) -> io::Result<bool> {
        let Ready::Piece(len) = self.ready.get() else {
            return Ok(false);
        };
        self.ready.set(Ready::Nothing);
        out.write_all(&self.spelled.borrow()[..len])?;
        Ok(true)
    }

    /// Spells at most a piece of text from the place `at` on, and returns how
    /// long that is.
    fn spell(&self, text: &[u8], at: usize) -> usize {
        let mut spelled = self.spelled.borrow_mut();
        if spelled.is_empty() {
            spelled.resize(ROOM, 0);
        }
        spell(text, &mut spelled[at..])
    }
}

/// A long string that is made ready piece by piece while it is written.
struct Pieces<'a> {
    text: &'a Text,
    value: &'a str,
}

impl fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes of a character are written as they are, so it may be cut.
        for piece in self.value.as_bytes().chunks(PIECE) {
            let len = self.text.spell(piece, 0);
            self.text.ready.set(Ready::Piece(len));
            f.write_str(STAND_IN)?;
        }
        Ok(())
    }
}

/// Marks the bytes of a word that JSON escapes, in their highest bits. Only the
/// lowest mark is sure.
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let slash = zero(word ^ (ONES * u64::from(b'\\')));
    (control | quote | slash) & HIGH
}

/// Reports whether JSON escapes any of these bytes.
#[inline]
fn any_special(block: &[u8; 32]) -> bool {
    let mut any = 0;
    for byte in block {
        any |= u8::from(*byte < 0x20) | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
    }
    any != 0
}

/// Spells a byte that JSON escapes and returns how long that is.
#[inline]
fn escape(byte: u8, out: &mut [u8]) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out[..6].copy_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            return 6;
        }
    };
    out[..2].copy_from_slice(&[b'\\', short]);
    2
}

/// Spells text as `serde_json` does. `out` has room for six bytes a byte, and
/// eight more.
fn spell(text: &[u8], out: &mut [u8]) -> usize {
    let (mut at, mut to) = (0, 0);
    while let Some(block) = text[at..].first_chunk::<32>() {
        if !any_special(block) {
            out[to..to + 32].copy_from_slice(block);
            (at, to) = (at + 32, to + 32);
            continue;
        }
        let end = at + 32;
        while let Some(bytes) = text[at..].first_chunk::<8>().filter(|_| at < end) {
            (at, to) = step(*bytes, at, to, out);
        }
        if at < end {
            break;
        }
    }
    while let Some(bytes) = text[at..].first_chunk::<8>() {
        (at, to) = step(*bytes, at, to, out);
    }
    for byte in &text[at..] {
        if special(u64::from(*byte) | !0xff) == 0 {
            out[to] = *byte;
            to += 1;
        } else {
            to += escape(*byte, &mut out[to..]);
        }
    }
    to
}

/// Takes a word up to the first byte that is escaped, and that byte.
#[inline]
fn step(bytes: [u8; 8], at: usize, to: usize, out: &mut [u8]) -> (usize, usize) {
    out[to..to + 8].copy_from_slice(&bytes);
    let special = special(u64::from_le_bytes(bytes));
    if special == 0 {
        return (at + 8, to + 8);
    }
    let plain = (special.trailing_zeros() / 8) as usize;
    let to = to + plain;
    (at + plain + 1, to + escape(bytes[plain], &mut out[to..]))
}

#[cfg(test)]
mod tests {
    use super::spell;

    fn check(text: &str) {
        let mut out = vec![0xee; 6 * text.len() + 8];
        let len = spell(text.as_bytes(), &mut out);
        let expected = serde_json::to_string(text).expect("a string");
        assert_eq!(&out[..len], &expected.as_bytes()[1..expected.len() - 1]);
    }

    #[test]
    fn text_is_spelled_as_serde_json_does_with_each_byte_at_each_place() {
        for around in [0, 1, 7, 8, 9, 31, 32, 33, 70] {
            for byte in 0..=127_u8 {
                for at in 0..=around {
                    let (before, after) = ("x".repeat(at), "ü".repeat((around - at) / 2));
                    check(&format!("{before}{}{after}", char::from(byte)));
                    check(&format!("{before}{0}{0}\u{7f}{after}{0}", char::from(byte)));
                }
            }
        }
        check(&(0..=255).map(char::from).collect::<String>());
        check(&"\u{0}\u{1f}\"\\".repeat(500));
    }
}
