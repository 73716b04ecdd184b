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

use crate::plain::{BLOCK, ends, special};

/// Bytes of text that are escaped at once: more than most strings have.
const PIECE: usize = 4 << 10;

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
        spell(text, &mut self.spelled.borrow_mut(), at) - at
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

/// How JSON spells a byte that it escapes, and in the last place how long that
/// is.
const SPELLED: [[u8; 8]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [
            b'\\',
            b'u',
            b'0',
            b'0',
            HEX[byte >> 4],
            HEX[byte & 15],
            0,
            6,
        ];
        byte += 1;
    }
    let mut short = 0;
    while short < SHORT.len() {
        let (byte, letter) = SHORT[short];
        table[byte as usize] = [b'\\', letter, 0, 0, 0, 0, 0, 2];
        short += 1;
    }
    table
};

/// Bytes that are escaped by a letter.
const SHORT: [(u8, u8); 7] = [
    (b'"', b'"'),
    (b'\\', b'\\'),
    (b'\n', b'n'),
    (b'\t', b't'),
    (b'\r', b'r'),
    (0x08, b'b'),
    (0x0c, b'f'),
];

/// Room for a block of which every byte is escaped, for one word more, and for a
/// quote.
const WRITTEN: usize = 6 * BLOCK + 8 + 1;

/// Makes room for a block of which every byte is escaped, and for what follows
/// it if few of those are: room for the worst would be cleared and paged in for
/// text that never needs it.
#[cold]
fn make_room(out: &mut Vec<u8>, to: usize, left: usize) {
    out.resize(to + WRITTEN + left + left / 8, 0);
}

/// Spells text as `serde_json` does, from the place `to` on, and returns where
/// it ends. There is room for a quote behind it.
fn spell(text: &[u8], out: &mut Vec<u8>, mut to: usize) -> usize {
    let mut at = 0;
    // All of a block is copied, and what stands from the first byte on that is
    // escaped is written over: the stretches between are short.
    while let Some(block) = text[at..].first_chunk::<BLOCK>() {
        let room = out
            .get_mut(to..)
            .and_then(<[u8]>::first_chunk_mut::<WRITTEN>);
        let Some(place) = room else {
            make_room(out, to, text.len() - at);
            continue;
        };
        place[..BLOCK].copy_from_slice(block);
        let found = special(block);
        if found == 0 {
            (at, to) = (at + BLOCK, to + BLOCK);
            continue;
        }
        // Escaped bytes come in runs: escapes of escapes.
        let mut next = found.trailing_zeros() as usize;
        let mut end = next;
        while found >> next & 1 == 1 {
            let spelled = &SPELLED[usize::from(block[next % BLOCK])];
            place[end..end + 8].copy_from_slice(spelled);
            end += usize::from(spelled[7]);
            next += 1;
        }
        (at, to) = (at + next, to + end);
    }
    if out.len() < to + WRITTEN {
        make_room(out, to, 0);
    }
    for byte in &text[at..] {
        if ends(*byte) {
            let spelled = &SPELLED[usize::from(*byte)];
            out[to..to + 8].copy_from_slice(spelled);
            to += usize::from(spelled[7]);
        } else {
            out[to] = *byte;
            to += 1;
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::spell;

    fn check(text: &str) {
        let expected = serde_json::to_string(text).expect("a string");
        for mut out in [Vec::new(), vec![0xee; 6 * text.len() + 1_000]] {
            let end = spell(text.as_bytes(), &mut out, 1);
            assert_eq!(&out[1..end], &expected.as_bytes()[1..expected.len() - 1]);
            assert!(out.len() > end, "no room for a quote");
        }
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
