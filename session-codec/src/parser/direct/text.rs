//! Strings: plain ones from where they stand, ones with escapes decoded beside.
//! Owns their decoding; must not know what a string is for.

use std::ops::Range;

use serde_json::Error;

use super::{
    Direct, Input,
    copy::{WINDOW, copy_blocks},
    scan::{copy_text, plain, simple_escape},
};

/// Bytes from which on a check by vector instructions pays for its call.
const LONG: usize = 64;

/// Returns bytes as text, if they are.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    if bytes.len() < LONG {
        std::str::from_utf8(bytes).ok()
    } else {
        simdutf8::basic::from_utf8(bytes).ok()
    }
}

/// Where the bytes of a string are, once it is read.
#[derive(Debug)]
enum Text {
    Here(Range<usize>),
    /// The first so many bytes of the scratch buffer.
    Scratch(usize),
}

/// A byte that the input surely has, once that many were waited for.
const ESCAPE_BYTES: usize = 12;

/// Bytes of the scratch buffer that are free before each step: what copies of
/// blocks need, which is more than a character.
const ROOM: usize = WINDOW;

impl<I: Input> Direct<'_, I> {
    /// Takes a string whose opening quote is next, and hands its text on.
    #[inline]
    pub(super) fn string<T>(
        &mut self,
        take: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let text = self.read_string()?;
        let text = match text {
            Text::Here(range) => self.input.text(range),
            Text::Scratch(length) => utf8(&self.scratch[..length]),
        };
        match text {
            Some(text) => take(text),
            None => Err(self.refuse()),
        }
    }

    #[inline]
    fn read_string(&mut self) -> Result<Text, Error> {
        self.at += 1;
        let before = self.anchor;
        let mut start = self.at;
        loop {
            let bytes = self.input.bytes();
            self.at += plain(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Text::Here(start..end));
                }
                Some(b'\\') => {
                    let before = &bytes[start..self.at];
                    let length = before.len();
                    if self.scratch.len() < length + ROOM {
                        self.scratch.resize(length + ROOM, 0);
                    }
                    self.scratch[..length].copy_from_slice(before);
                    return Ok(Text::Scratch(self.read_escaped(length)?));
                }
                Some(_) => return Err(self.refuse()),
                None => {
                    // An anchor that stands already is before this one.
                    self.anchor = before.or(Some(start));
                    let from = self.at - start;
                    let came = self.more()?;
                    start = self.at - from;
                    if before.is_none() {
                        self.anchor = None;
                    }
                    if !came {
                        return Err(self.refuse());
                    }
                }
            }
        }
    }

    /// Decodes the rest of a string into the scratch buffer, behind so many
    /// bytes, and returns how many there are then.
    fn read_escaped(&mut self, mut length: usize) -> Result<usize, Error> {
        loop {
            length += self.copy(length);
            if self.scratch.len() - length < ROOM {
                // Zeroed once: the buffer never becomes shorter.
                self.scratch.resize(2 * self.scratch.len(), 0);
                continue;
            }
            match self.input.bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(length);
                }
                Some(b'\\') => length += self.escape(length)?,
                Some(..0x20) => return Err(self.refuse()),
                // Near the end of the bytes at hand.
                Some(&byte) => {
                    self.scratch[length] = byte;
                    self.at += 1;
                    length += 1;
                }
                None => {
                    if !self.more()? {
                        return Err(self.refuse());
                    }
                }
            }
        }
    }

    /// Copies text and what escapes stand for to that place of the scratch
    /// buffer, and returns how many bytes there are then behind it.
    #[inline]
    fn copy(&mut self, place: usize) -> usize {
        let bytes = &self.input.bytes()[self.at..];
        let out = &mut self.scratch[place..];
        let (taken, written) = if bytes.len() < WINDOW {
            copy_text(bytes, out)
        } else {
            copy_blocks(self.instructions, bytes, out)
        };
        self.at += taken;
        written
    }

    /// Decodes an escape that is near the end of the bytes at hand, or has
    /// digits, to that place of the scratch buffer, and returns its length there.
    #[cold]
    fn escape(&mut self, place: usize) -> Result<usize, Error> {
        while self.input.bytes().len() - self.at < ESCAPE_BYTES {
            if !self.more()? {
                break;
            }
        }
        let rest = &self.input.bytes()[self.at..];
        let simple = rest.get(1).copied().and_then(simple_escape);
        let found = match simple {
            Some(byte) => Some((char::from(byte), 2)),
            None => digits(rest),
        };
        let Some((character, length)) = found else {
            return Err(self.refuse());
        };
        let utf8 = character.encode_utf8(&mut self.scratch[place..]).len();
        self.at += length;
        Ok(utf8)
    }
}

/// What a hexadecimal digit stands for, by the digit; 255 for what is none.
const HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        table[digit as usize] = value;
        table[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    table
};

/// Decodes an escape with digits, or a pair of them, and says how long it is.
pub(super) fn digits(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |bytes: &[u8]| {
        let digits = bytes.strip_prefix(b"\\u")?.first_chunk::<4>()?;
        let [a, b, c, d] = digits.map(|byte| u32::from(HEX[usize::from(byte)]));
        // What is no digit is more than any.
        (a | b | c | d < 16).then_some(a << 12 | b << 8 | c << 4 | d)
    };
    let first = unit(bytes)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    // A surrogate: only a leading one with its other half is a character.
    let second = unit(bytes.get(6..)?)?;
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let code = 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00));
    Some((char::from_u32(code)?, 12))
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn every_escape_with_digits_is_that_of_serde_json() {
        for unit in 0..=0xffff_u32 {
            for text in [
                format!("\\u{unit:04x}"),
                format!("\\u{unit:04X}\\udc07"),
                format!("\\ud83d\\u{unit:04x}"),
            ] {
                let expected = serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
                let mut rest = text.as_bytes();
                let mut decoded = Some(String::new());
                while !rest.is_empty() {
                    let Some((character, length)) = digits(rest) else {
                        decoded = None;
                        break;
                    };
                    decoded = decoded.map(|text| text + &String::from(character));
                    rest = &rest[length..];
                }
                assert_eq!(decoded, expected, "{text}");
            }
        }
    }
}
