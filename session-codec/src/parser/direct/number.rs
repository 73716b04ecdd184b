//! Numbers: integers of 64 bits here, everything else by `serde_json` from the
//! token. Owns finding the token; must not know what a type makes of it.

use serde::de::Visitor;
use serde_json::Error;

use super::{Direct, Input};

/// A number of the document.
#[derive(Debug)]
enum Number {
    Natural(u64),
    Negative(i64),
    /// Whatever else the bytes from the anchor to the place may be.
    Token,
}

/// Whether a byte may belong to a number.
#[inline]
fn belongs(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

impl<I: Input> Direct<'_, I> {
    /// Takes a number that is next. What is no integer of 64 bits is given to
    /// `other` as its token.
    pub(super) fn number<'de, V: Visitor<'de>>(
        &mut self,
        visitor: V,
        other: impl FnOnce(&[u8], V) -> Result<V::Value, Error>,
    ) -> Result<V::Value, Error> {
        let number = self.read_number()?;
        let end = self.at;
        let start = self.anchor.take().unwrap_or(end);
        match number {
            Number::Natural(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Token => match other(&self.input.bytes()[start..end], visitor) {
                Ok(value) => Ok(value),
                Err(error) => Err(self.passed(error)),
            },
        }
    }

    /// Finds the end of a number and its value, if it is a plain integer.
    fn read_number(&mut self) -> Result<Number, Error> {
        self.anchor = Some(self.at);
        loop {
            while self
                .input
                .bytes()
                .get(self.at)
                .copied()
                .is_some_and(belongs)
            {
                self.at += 1;
            }
            if self.at < self.input.bytes().len() || !self.more()? {
                break;
            }
        }
        let start = self.anchor.unwrap_or(self.at);
        let token = &self.input.bytes()[start..self.at];
        Ok(integer(token))
    }

    /// Takes a number that is skipped.
    pub(super) fn skip_number(&mut self) -> Result<(), Error> {
        let mut grammar = Grammar::Start;
        while let Some(byte) = self.peek()? {
            if !belongs(byte) {
                break;
            }
            match grammar.then(byte) {
                Some(next) => grammar = next,
                None => return Err(self.refuse()),
            }
            self.at += 1;
        }
        if !grammar.may_end() {
            return Err(self.refuse());
        }
        Ok(())
    }
}

/// Reads a token that is an integer of 64 bits without odd spelling.
fn integer(token: &[u8]) -> Number {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let odd = matches!(digits, [] | [b'0', _, ..]) || negative && digits == b"0";
    if odd || digits.len() > 19 {
        return Number::Token;
    }
    // Nineteen digits always fit.
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Number::Token;
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    match i64::try_from(value) {
        _ if !negative => Number::Natural(value),
        Ok(value) => Number::Negative(-value),
        Err(_) => Number::Token,
    }
}

/// How far a number's grammar has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Start,
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Grammar {
    fn then(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Start, b'-') => Self::Minus,
            (Self::Start | Self::Minus, b'0') => Self::Zero,
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Self::Digits,
            (Self::Zero | Self::Digits, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Digits | Self::Fraction | Self::Power
        )
    }
}
