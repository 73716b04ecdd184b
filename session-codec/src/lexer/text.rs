//! Inside strings: where nearly all bytes of a transcript are. Owns the search
//! for the next byte that means something, and escapes; must not know members.

mod pass;

use pass::Pass;

use super::{Key, Lexer, Piece, State, Stop, TextOf, Visit};
use crate::block::BLOCK;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

#[inline]
pub(super) fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

#[inline]
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

/// Marks the high bit of the first special byte of a word, in memory order;
/// later bytes may be marked wrongly, earlier ones never.
#[inline]
fn special_in_word(word: u64) -> u64 {
    let quote = word ^ (ONES * u64::from(b'"'));
    let slash = word ^ (ONES * u64::from(b'\\'));
    let zeros = (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash);
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros | controls) & HIGHS
}

/// Returns where a quote ends the string within two words, if nothing else that
/// means something comes before it.
#[inline]
fn near_quote(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().take(2).enumerate() {
        let found = special_in_word(u64::from_le_bytes(*word));
        if found != 0 {
            let near = (found.trailing_zeros() / 8) as usize;
            return (word[near] == b'"').then_some(index * 8 + near);
        }
    }
    None
}

/// Returns how many bytes go by before a quote, backslash or control character:
/// where a piece ends within a block.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = special_in_word(u64::from_le_bytes(*word));
        if found != 0 {
            return index * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8
        + rest
            .iter()
            .position(|b| is_special(*b))
            .unwrap_or(rest.len())
}

impl Lexer {
    /// Takes string bytes up to the closing quote or the end of the piece.
    pub(super) fn text<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        start: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        let bytes = piece.bytes;
        let mut at = start;
        let waits = self.strict.as_ref().is_some_and(|strict| strict.waits());
        if waits && bytes.get(at).is_some_and(|byte| *byte != b'\\') {
            return Err(piece.syntax(at, "lone surrogate"));
        }
        loop {
            if bytes.len() - at >= BLOCK && !waits {
                // Names and short words end before a block is worth its masks.
                at = match near_quote(&bytes[at..]) {
                    Some(near) => at + near,
                    None => self.instructions.run(Pass {
                        bytes,
                        at,
                        paired: self.strict.is_some(),
                    }),
                };
            }
            at += plain_len(&bytes[at..]);
            match bytes.get(at) {
                None => break,
                Some(b'"') => {
                    at += 1;
                    self.capture(&bytes[start..at]);
                    self.text_ended(piece, at, visit)?;
                    return Ok(at);
                }
                Some(b'\\') => {
                    if let Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') =
                        bytes.get(at + 1)
                        && !waits
                    {
                        at += 2;
                        continue;
                    }
                    at += 1;
                    self.state = State::Escape;
                    break;
                }
                Some(_) => return Err(piece.syntax(at, "control character in a string")),
            }
        }
        self.capture(&bytes[start..at]);
        Ok(at)
    }

    fn text_ended<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<(), Stop> {
        let of = std::mem::replace(&mut self.text_of, TextOf::Value);
        if of == TextOf::Value {
            return self.value_ended(piece, at, visit);
        }
        self.state = State::Colon;
        if of == TextOf::Member {
            // A key cut short by the bound lacks its closing quote.
            let raw = match self.key.split_last() {
                Some((b'"', raw)) if self.key.len() <= self.key_bytes => Some(raw),
                _ => None,
            };
            visit.key(Key { raw })?;
        }
        Ok(())
    }

    /// Remembers bytes of a member's name, no more than any name can need.
    fn capture(&mut self, bytes: &[u8]) {
        if self.text_of == TextOf::Member {
            // One byte over the bound says that it was passed.
            let room = (self.key_bytes + 1).saturating_sub(self.key.len());
            self.key.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Takes the byte after a backslash.
    pub(super) fn escape(&mut self, piece: Piece<'_>, at: usize) -> Result<usize, Stop> {
        let waits = self.strict.as_ref().is_some_and(|strict| strict.waits());
        self.state = match piece.bytes[at] {
            byte if waits && byte != b'u' => return Err(piece.syntax(at, "lone surrogate")),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::Text,
            b'u' => State::Hex(4),
            _ => return Err(piece.syntax(at, "invalid escape")),
        };
        self.capture(&piece.bytes[at..=at]);
        Ok(at + 1)
    }

    /// Takes the digits of a `\u` escape, of which `left` are to come.
    pub(super) fn hex(&mut self, piece: Piece<'_>, at: usize, left: u8) -> Result<usize, Stop> {
        let digits = &piece.bytes[at..piece.bytes.len().min(at + usize::from(left))];
        if let Some(bad) = digits.iter().position(|b| !b.is_ascii_hexdigit()) {
            return Err(piece.syntax(at + bad, "invalid escape"));
        }
        self.capture(digits);
        if let Some(strict) = &mut self.strict {
            for digit in digits {
                strict.hex(*digit);
            }
            if digits.len() == usize::from(left) && !strict.unit_ended() {
                return Err(piece.syntax(at + digits.len(), "lone surrogate"));
            }
        }
        // At most four, so the cast is exact.
        #[expect(clippy::cast_possible_truncation, reason = "at most four digits")]
        let left = left - digits.len() as u8;
        self.state = if left == 0 {
            State::Text
        } else {
            State::Hex(left)
        };
        Ok(at + digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{is_special, plain_len};

    #[test]
    fn the_wide_search_finds_what_the_narrow_one_does() {
        let naive = |bytes: &[u8]| {
            bytes
                .iter()
                .position(|b| is_special(*b))
                .unwrap_or(bytes.len())
        };
        let mut bytes = vec![b'a'; 200];
        for at in 0..bytes.len() {
            for byte in 0..=u8::MAX {
                bytes[at] = byte;
                assert_eq!(plain_len(&bytes), naive(&bytes), "byte {byte} at {at}");
                // Neighbours that borrow from each other in word arithmetic.
                let cut = &bytes[at.saturating_sub(3)..];
                assert_eq!(plain_len(cut), naive(cut), "byte {byte} at {at}, cut");
            }
            bytes[at] = [0x80, 0x21, 0x23, 0x5b, 0x5d, 0xff, 0x1f ^ 0x40][at % 7];
        }
    }
}
