//! Numbers and the three words. Owns their grammar; must not know values: a
//! number too large for any type is still a number here.

use super::{Lexer, Piece, State, Stop, Visit};

impl Lexer {
    /// Takes bytes of a number until one that is not part of it.
    pub(super) fn number<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        mut at: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        while let Some(&byte) = piece.bytes.get(at) {
            self.state = match (self.state, byte) {
                (State::Minus, b'0') => State::Zero,
                (State::Minus, b'1'..=b'9') | (State::Digits, b'0'..=b'9') => State::Digits,
                (State::Zero | State::Digits, b'.') => State::Point,
                (State::Point | State::Fraction, b'0'..=b'9') => State::Fraction,
                (State::Zero | State::Digits | State::Fraction, b'e' | b'E') => State::Exponent,
                (State::Exponent, b'+' | b'-') => State::ExponentSign,
                (State::Exponent | State::ExponentSign | State::ExponentDigits, b'0'..=b'9') => {
                    State::ExponentDigits
                }
                (State::Zero, b'0'..=b'9') => return Err(piece.syntax(at, "invalid number")),
                _ if self.number_may_end() => {
                    self.check_range(piece, at)?;
                    self.value_ended(piece, at, visit)?;
                    return Ok(at);
                }
                _ => return Err(piece.syntax(at, "invalid number")),
            };
            if let Some(strict) = &mut self.strict {
                strict.number(byte);
            }
            at += 1;
        }
        Ok(at)
    }

    /// Refuses a number that ended just before `at` and is too large, where
    /// that is asked for.
    pub(super) fn check_range(&self, piece: Piece<'_>, at: usize) -> Result<(), Stop> {
        match &self.strict {
            Some(strict) if !strict.number_in_range() => {
                Err(piece.syntax(at, "number out of range"))
            }
            _ => Ok(()),
        }
    }

    /// Reports whether a number stands here that is complete as it is.
    pub(super) fn number_may_end(&self) -> bool {
        matches!(
            self.state,
            State::Zero | State::Digits | State::Fraction | State::ExponentDigits
        )
    }

    /// Takes the rest of `true`, `false` or `null`.
    pub(super) fn word<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        rest: &'static [u8],
        visit: &mut V,
    ) -> Result<usize, Stop> {
        let here = &piece.bytes[at..piece.bytes.len().min(at + rest.len())];
        if let Some(bad) = here.iter().zip(rest).position(|(is, should)| is != should) {
            return Err(piece.syntax(at + bad, "expected `true`, `false` or `null`"));
        }
        let end = at + here.len();
        if here.len() == rest.len() {
            self.value_ended(piece, end, visit)?;
        } else {
            self.state = State::Word(&rest[here.len()..]);
        }
        Ok(end)
    }
}
