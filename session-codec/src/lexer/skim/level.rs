//! The array's own level: what stands between its brackets, one mark after the
//! other. Owns separators and the ends of elements.

use super::{Run, Seen, Stop, Visit};
use crate::block::BLOCK;

/// What stands, or may stand, at the array's own level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// An element or the end of the array may come.
    First,
    /// An element must come.
    Next,
    /// An element that is no container began and may go on.
    Scalar,
    /// Inside an element that is a container closed by this byte, if at any
    /// depth.
    Inside(u8),
    /// An element that is a container has ended; a separator must come.
    Ended,
}

/// Returns where the last byte stands that is no white space.
pub(super) fn last_solid(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | b'\r'))
}

/// All bits above `bit`.
#[inline]
fn above(bit: usize) -> u64 {
    (!1_u64) << bit
}

/// All bits below the first of these, or all if there are none.
#[inline]
fn below(bits: u64) -> u64 {
    (bits & bits.wrapping_neg()).wrapping_sub(1)
}

#[inline]
fn first(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

impl<V: Visit> Run<'_, V> {
    /// Takes what is `left` of a block that touches the array's level, or may
    /// pass the limit on depth, mark by mark.
    #[inline(never)]
    pub(super) fn touch(
        &mut self,
        block: &[u8; BLOCK],
        marks: Seen,
        commas: u64,
        left: u64,
    ) -> Result<Option<usize>, Stop> {
        // Nothing from the first stray backslash on means anything.
        let end = marks.stray.trailing_zeros() as usize;
        let mut rest = marks.stray.wrapping_sub(1) & !marks.stray & left;
        loop {
            if self.skim.depth > 0 {
                match self.leave(block, marks, rest)? {
                    Some(bit) => rest &= above(bit),
                    None => break,
                }
                continue;
            }
            let found = match self.skim.at {
                At::First | At::Next => self.begin(block, first(rest), end)?,
                _ => {
                    let marked = (marks.opens | marks.closes | commas) & rest;
                    if marked == 0 {
                        break;
                    }
                    let bit = first(marked);
                    self.separate(block, bit)?;
                    Some(bit)
                }
            };
            match found {
                Some(bit) if self.skim.at == At::Ended && block[bit] == b']' => {
                    return Ok(Some(self.at + bit));
                }
                Some(bit) => rest &= above(bit),
                None => break,
            }
        }
        if marks.stray != 0 {
            return Err(self.piece.syntax(self.at + end, "expected `,` or `]`"));
        }
        Ok(None)
    }

    /// Takes elements that are containers with nothing but a comma between them,
    /// one step an element, and says which bits of the block are left: none if
    /// nothing is out of the ordinary.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller, which can count bits"
    )]
    pub(super) fn containers(
        &mut self,
        block: &[u8; BLOCK],
        marks: Seen,
        commas: u64,
    ) -> Result<u64, Stop> {
        let mut rest = !0_u64;
        let mut depth = self.skim.depth;
        if depth == 0 || marks.stray != 0 {
            return Ok(rest);
        }
        // A closing bracket, a comma and an opening one. What is cut by the end
        // of the block is left.
        let mut joints = marks.closes & (commas >> 1) & (marks.opens >> 2);
        while joints != 0 {
            let bit = first(joints);
            let next = bit + 2;
            let opens = marks.opens & rest & !above(bit);
            let closes = marks.closes & rest & !above(bit);
            // If all that opens does so before the first that closes, then the
            // depth is the least at the end.
            let falls = opens & !below(closes) == 0;
            let (deepest, closing) = (depth + opens.count_ones(), closes.count_ones());
            let fits = falls && deepest <= self.skim.room;
            if fits && closing == deepest && self.skim.at == At::Inside(block[bit]) {
                self.visit.element_end(self.offset(bit) + 1)?;
                self.visit.element_start(self.offset(next))?;
                // `}` and `]` stand two behind their opening brackets.
                self.skim.at = At::Inside(block[next] + 2);
                depth = 1;
            } else if fits && closing < deepest && deepest - closing < self.skim.room {
                depth = deepest - closing + 1;
            } else {
                break;
            }
            rest &= above(next);
            joints &= joints - 1;
        }
        let (opens, closes) = (marks.opens & rest, marks.closes & rest);
        if joints == 0 && depth > closes.count_ones() {
            let after = depth + opens.count_ones();
            if after <= self.skim.room {
                depth = after - closes.count_ones();
                rest = 0;
            }
        }
        self.skim.depth = depth;
        Ok(rest)
    }

    #[inline]
    fn offset(&self, bit: usize) -> u64 {
        self.piece.base + (self.at + bit) as u64
    }

    /// Goes on inside a container, up to its end if that is in the block.
    #[inline]
    fn leave(
        &mut self,
        block: &[u8; BLOCK],
        marks: Seen,
        mut rest: u64,
    ) -> Result<Option<usize>, Stop> {
        loop {
            let closes = marks.closes & rest;
            let bit = first(closes);
            // A shift by 64 would be no shift.
            let before = if closes == 0 {
                rest
            } else {
                rest & !above(bit)
            };
            let opens = marks.opens & before;
            let depth = self.skim.depth + opens.count_ones();
            if depth > self.skim.room {
                let fits = self.skim.room - self.skim.depth;
                let beyond = (0..fits).fold(opens, |opens, _| opens & (opens - 1));
                return Err(self.too_deep(first(beyond)));
            }
            self.skim.depth = depth;
            if closes == 0 {
                return Ok(None);
            }
            rest &= above(bit);
            self.skim.depth -= 1;
            if self.skim.depth == 0 {
                if self.skim.at != At::Inside(block[bit]) {
                    let reason = match block[bit] {
                        b']' => "expected `,` or `}`",
                        _ => "expected `,` or `]`",
                    };
                    return Err(self.piece.syntax(self.at + bit, reason));
                }
                self.skim.at = At::Ended;
                self.skim.closed = self.offset(bit) + 1;
                self.visit.element_end(self.skim.closed)?;
                return Ok(Some(bit));
            }
        }
    }

    /// Finds the element that is to come from the byte `from` on.
    #[inline]
    fn begin(
        &mut self,
        block: &[u8; BLOCK],
        from: usize,
        end: usize,
    ) -> Result<Option<usize>, Stop> {
        let left = block.get(from..end).unwrap_or(&[]);
        let space = left
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | b'\r'));
        let Some(bit) = space.map(|space| from + space) else {
            return Ok(None);
        };
        let at = match block[bit] {
            b'{' => At::Inside(b'}'),
            b'[' => At::Inside(b']'),
            b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => At::Scalar,
            b']' if self.skim.at == At::First => {
                self.skim.at = At::Ended;
                return Ok(Some(bit));
            }
            _ => return Err(self.piece.syntax(self.at + bit, "expected a value")),
        };
        self.visit.element_start(self.offset(bit))?;
        if at != At::Scalar {
            if self.skim.room == 0 {
                return Err(self.too_deep(bit));
            }
            self.skim.depth = 1;
        }
        self.skim.at = at;
        Ok(Some(bit))
    }

    /// Takes the comma or bracket after an element.
    #[inline]
    fn separate(&mut self, block: &[u8; BLOCK], bit: usize) -> Result<(), Stop> {
        let ended = self.solid_before(bit);
        if self.skim.at == At::Scalar {
            if !matches!(block[bit], b',' | b']') {
                return Err(self.piece.syntax(self.at + bit, "expected `,` or `]`"));
            }
            self.visit.element_end(ended)?;
        } else if ended != self.skim.closed || !matches!(block[bit], b',' | b']') {
            // Of what stands there, only that it is no separator is known.
            let offset = self.skim.closed;
            return Err(crate::Error::syntax(offset, "expected `,` or `]`").into());
        }
        self.skim.at = if block[bit] == b',' {
            At::Next
        } else {
            At::Ended
        };
        Ok(())
    }

    /// Returns where the last byte before a mark ended that is no white space.
    #[inline]
    fn solid_before(&self, bit: usize) -> u64 {
        let before = &self.piece.bytes[..self.at + bit];
        if let [.., b'}' | b']' | b'"'] = before {
            return self.offset(bit);
        }
        match last_solid(before) {
            Some(last) => self.piece.base + last as u64 + 1,
            None => self.skim.solid,
        }
    }
}
