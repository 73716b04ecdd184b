//! How single characters are spelled in JSON strings. Owns the spellings; must
//! not search.

use super::Case;

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

    /// Judges what starts with a backslash: whether it is an escape of one of
    /// the characters that `serde_json` would not write.
    pub(super) fn judge(&self, bytes: &[u8]) -> bool {
        let Some(digits) = bytes.strip_prefix(b"\\u") else {
            return bytes.starts_with(b"\\/");
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
        if unit >= 0x80 {
            return u16::try_from(unit).is_ok_and(|unit| self.units.binary_search(&unit).is_ok());
        }
        self.ascii & (1 << unit) != 0
    }
}

/// Both cases of an ASCII letter, where they are the same.
fn either(byte: u8, case: Case) -> [u8; 2] {
    match case {
        Case::Sensitive => [byte, byte],
        Case::AsciiInsensitive => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
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

/// Reports whether a character is better left out of a piece: one whose usual
/// spelling is a `\u` escape itself, or that has one more escape than others.
pub(super) fn is_awkward(character: char) -> bool {
    character == '/' || is_spelled_by_digits(character)
}

fn is_spelled_by_digits(character: char) -> bool {
    u8::try_from(character).is_ok_and(|byte| byte < 0x20 && short(byte).is_none())
}

/// Returns how the unusual spellings of a character begin: `\u`, and its digits
/// up to the first that tells it from most others.
pub(super) fn prefixes(character: char, case: Case) -> Vec<Vec<u8>> {
    let mut prefixes = Vec::new();
    if is_spelled_by_digits(character) {
        let digits = format!("{:04x}", u32::from(character));
        if digits != digits.to_ascii_uppercase() {
            prefixes.push(format!("\\u{}", digits.to_ascii_uppercase()).into_bytes());
        }
        return prefixes;
    }
    if character == '/' {
        prefixes.push(b"\\/".to_vec());
    }
    let mut units = [0; 2];
    let unit = character.encode_utf16(&mut units)[0];
    let same = match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => either(byte, case).map(u16::from),
        _ => [unit, unit],
    };
    for unit in same {
        let digits = format!("{unit:04x}");
        let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
        let told = &digits[..(zeros + 1).min(3)];
        for told in [told.to_owned(), told.to_ascii_uppercase()] {
            let prefix = format!("\\u{told}").into_bytes();
            if !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
    }
    prefixes
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
