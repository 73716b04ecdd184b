//! How single characters are spelled in JSON strings. Owns the spellings; must
//! not search.

use super::Case;
use super::plain::either;

/// The escapes that stand for some characters.
#[derive(Debug, Clone, Default)]
pub(super) struct Escapes {
    /// Bit c: the ASCII character c is one of them.
    ascii: u128,
    /// The other UTF-16 units, sorted.
    units: Vec<u16>,
}

impl Escapes {
    pub(super) fn of(text: &str, case: Case) -> Self {
        let mut escapes = Self::default();
        for unit in text.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => {
                    for byte in either(byte, case) {
                        escapes.ascii |= 1 << byte;
                    }
                }
                _ => escapes.units.push(unit),
            }
        }
        escapes.units.sort_unstable();
        escapes.units.dedup();
        escapes
    }

    /// Reports whether bytes begin with an escape of one of the characters that
    /// `serde_json` would not write.
    pub(super) fn begin(&self, bytes: &[u8]) -> bool {
        let Some(digits) = bytes.strip_prefix(b"\\u") else {
            return self.has_ascii(b'/') && bytes.starts_with(b"\\/");
        };
        // One that is cut is whole in the next stretch.
        let Some(digits) = digits.first_chunk::<4>() else {
            return false;
        };
        let mut unit = 0;
        for digit in digits {
            let Some(value) = char::from(*digit).to_digit(16) else {
                return false;
            };
            unit = unit << 4 | value;
        }
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => self.has_ascii(byte),
            _ => u16::try_from(unit).is_ok_and(|unit| self.units.binary_search(&unit).is_ok()),
        }
    }

    /// Returns the least byte that is the third of the four digits of one of them.
    pub(super) fn least_third_digit(&self) -> Option<u8> {
        let ascii = (0..0x80).filter(|byte| self.has_ascii(*byte));
        let units = ascii.map(u16::from).chain(self.units.iter().copied());
        let digits = units.filter_map(|unit| char::from_digit(u32::from(unit) >> 4 & 0xf, 16));
        // Upper case, which is less than lower.
        digits
            .filter_map(|digit| u8::try_from(digit.to_ascii_uppercase()).ok())
            .min()
    }

    fn has_ascii(&self, byte: u8) -> bool {
        self.ascii & (1 << byte) != 0
    }
}

/// Spells a text as `serde_json` does, without quotes.
pub(super) fn usual(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0..0x20 => match short(byte) {
                Some(letter) => out.extend([b'\\', letter]),
                None => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            },
            _ => out.push(byte),
        }
    }
    out
}

/// Returns the letter that stands for a control character behind a backslash.
fn short(byte: u8) -> Option<u8> {
    Some(match byte {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => return None,
    })
}
