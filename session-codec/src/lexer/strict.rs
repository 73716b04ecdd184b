//! What `serde_json` checks beyond grammar when it decodes: UTF-8, pairs of
//! surrogates, and whether numbers are in range. Owns those three, over any
//! cut; must not know the rest of the grammar.

use std::str;

/// Significant digits that are kept of a number. An `f64` is told from its
/// neighbours, infinity among them, by 768 of them and whether more follow.
const DIGITS: usize = 800;

/// The state of the checks between two pieces.
#[derive(Debug, Default)]
pub(super) struct Strict {
    /// The first bytes of a character that was cut.
    cut: Vec<u8>,
    /// A leading surrogate that waits for its other half.
    leading: bool,
    /// The digits of a `\u` escape so far.
    unit: u16,
    number: Number,
}

/// What decides whether a number is in range, whatever its length.
#[derive(Debug, Default)]
struct Number {
    digits: String,
    /// Powers of ten that the digits are off by.
    scale: i64,
    /// Digits that were left out are not all zero.
    more: bool,
    part: Part,
    exponent: i64,
    negative_exponent: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Integer,
    Fraction,
    Exponent,
}

impl Strict {
    /// Checks the bytes that stand at `base`, and returns where a sequence
    /// starts that is no character.
    pub(super) fn utf8(&mut self, mut bytes: &[u8], mut base: u64) -> Result<(), u64> {
        while !self.cut.is_empty() {
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(());
            };
            let start = base - self.cut.len() as u64;
            self.cut.push(*byte);
            match str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_some() => return Err(start),
                Err(_) => {}
            }
            (bytes, base) = (rest, base + 1);
        }
        if let Err(error) = str::from_utf8(bytes) {
            if error.error_len().is_some() {
                return Err(base + error.valid_up_to() as u64);
            }
            self.cut.extend_from_slice(&bytes[error.valid_up_to()..]);
        }
        Ok(())
    }

    /// Reports whether a leading surrogate still waits for its other half.
    pub(super) fn waits(&self) -> bool {
        self.leading
    }

    /// Takes a digit of a `\u` escape.
    pub(super) fn hex(&mut self, digit: u8) {
        let value = char::from(digit).to_digit(16).unwrap_or(0);
        self.unit = self.unit << 4 | u16::try_from(value).unwrap_or(0);
    }

    /// Ends a `\u` escape and reports whether it may stand there.
    pub(super) fn unit_ended(&mut self) -> bool {
        match (self.leading, self.unit) {
            (false, 0xd800..=0xdbff) => self.leading = true,
            (true, 0xdc00..=0xdfff) => self.leading = false,
            (false, 0xdc00..=0xdfff) | (true, _) => return false,
            (false, _) => {}
        }
        true
    }

    /// Starts a number.
    pub(super) fn number_started(&mut self) {
        self.number.digits.clear();
        self.number = Number {
            digits: std::mem::take(&mut self.number.digits),
            ..Number::default()
        };
    }

    /// Takes a byte of a number.
    pub(super) fn number(&mut self, byte: u8) {
        let number = &mut self.number;
        match byte {
            b'.' => number.part = Part::Fraction,
            b'e' | b'E' => number.part = Part::Exponent,
            b'-' if number.part == Part::Exponent => number.negative_exponent = true,
            b'0'..=b'9' if number.part == Part::Exponent => {
                let digit = i64::from(byte - b'0');
                number.exponent = number.exponent.saturating_mul(10).saturating_add(digit);
            }
            b'0'..=b'9' => {
                let leading_zero = byte == b'0' && number.digits.is_empty();
                let kept = number.digits.len() < DIGITS && !leading_zero;
                if kept {
                    number.digits.push(char::from(byte));
                } else if !leading_zero {
                    number.more |= byte != b'0';
                }
                // A digit moves the point unless it is kept before it, or is
                // none and stands before it.
                if number.part == Part::Fraction && (kept || leading_zero) {
                    number.scale -= 1;
                } else if number.part == Part::Integer && !kept && !leading_zero {
                    number.scale += 1;
                }
            }
            _ => {}
        }
    }

    /// Reports whether the number that ends here is finite.
    pub(super) fn number_in_range(&self) -> bool {
        let number = &self.number;
        // Fewer digits before the point than this are never too many.
        if number.digits.len() < 300 && number.exponent == 0 && number.scale <= 0 {
            return true;
        }
        if number.digits.is_empty() {
            return true;
        }
        let exponent = if number.negative_exponent {
            number.scale.saturating_sub(number.exponent)
        } else {
            number.scale.saturating_add(number.exponent)
        };
        let (more, exponent) = if number.more {
            ("1", exponent.saturating_sub(1))
        } else {
            ("", exponent)
        };
        let text = format!("{}{more}e{exponent}", number.digits);
        text.parse::<f64>().is_ok_and(f64::is_finite)
    }
}
