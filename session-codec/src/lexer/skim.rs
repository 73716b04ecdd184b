//! Passing over the elements of an array by structure alone: blocks of bytes
//! become bit masks, and only blocks that can touch the array's own level are
//! looked at closer. Owns where elements begin and end; must not know grammar
//! inside of them, nor what is kept.

use super::{Lexer, Piece, Stop, Visit};
use crate::{
    Error, LimitKind,
    block::{BLOCK, Bits, Instructions, Kernel, Masks, STRIDE},
};

mod level;
#[cfg(test)]
mod tests;

use level::At;

/// Blocks without quotes after which whole strides without them are likely
/// enough to be looked for.
const QUIET: u32 = 4;

/// What a block needs to know of the bytes before it to tell strings from the
/// rest.
#[derive(Debug, Clone, Copy, Default)]
struct Strings {
    /// All ones inside a string, else 0.
    inside: u64,
    /// 1 if the next byte is escaped, else 0.
    escaped: u64,
    /// How many blocks in a row had no quote.
    quiet: u32,
}

/// The state carried over cuts, inside one array.
#[derive(Debug)]
pub(super) struct Skim {
    instructions: Instructions,
    /// Containers open inside the array.
    depth: u32,
    /// How many may be.
    room: u32,
    /// The limit that `room` comes from.
    limit: u32,
    strings: Strings,
    /// What stands, or may stand, at the array's own level.
    at: At,
    /// Where the last container that is an element ended.
    closed: u64,
    /// Where the last byte taken that is no white space ended, as of the last
    /// cut.
    solid: u64,
}

impl Skim {
    /// Starts just inside an array; `depth` counts it and what it is in.
    pub(super) fn new(instructions: Instructions, depth: u32, limit: u32) -> Self {
        Self {
            instructions,
            depth: 0,
            room: limit.saturating_sub(depth),
            limit,
            strings: Strings::default(),
            at: At::First,
            closed: 0,
            solid: 0,
        }
    }
}

impl Lexer {
    /// Takes bytes of an array that is passed over, up to its end or the end of
    /// the piece.
    pub(super) fn skim<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        let run = Run {
            skim: &mut self.skim,
            piece,
            at,
            visit,
        };
        match run.skim.instructions.run(run)? {
            Some(end) => self.close(piece, end, visit),
            None => Ok(piece.bytes.len()),
        }
    }
}

/// One pass over the rest of a piece.
struct Run<'r, V> {
    skim: &'r mut Skim,
    piece: Piece<'r>,
    at: usize,
    visit: &'r mut V,
}

/// Marks the escaped bytes of a block and of what follows it: a byte is escaped
/// if an odd number of backslashes, itself not among them, stands before it.
#[inline]
fn escapes(slashes: u64, carry: u64) -> (u64, u64) {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    // An escaped backslash begins nothing.
    let slashes = slashes & !carry;
    let starts = slashes & !(slashes << 1);
    // Adding the start of a run carries through it, so its bits change.
    let odd_runs = slashes & !slashes.wrapping_add(starts & ODD);
    let escaping = (odd_runs & ODD) | (slashes & !odd_runs & !ODD);
    (escaping << 1 | carry, escaping)
}

/// Says what the last byte of a stride without quotes, inside a string, does to
/// the byte after it.
fn carry_over(stride: &[u8; STRIDE], carry: u64) -> u64 {
    let run = stride
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    if run == STRIDE {
        // An even number: the same question is asked again after it.
        return carry;
    }
    (run & 1) as u64
}

impl<V: Visit> Kernel for Run<'_, V> {
    /// Where the array's closing bracket stands, if in this piece.
    type Output = Result<Option<usize>, Stop>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(mut self, masks: M) -> Self::Output {
        let bytes = self.piece.bytes;
        let start = self.at;
        // In registers here, not behind a reference.
        let mut strings = self.skim.strings;
        let mut depth = self.skim.depth;
        let mut padded = [b' '; BLOCK];
        loop {
            let left = bytes.get(self.at..).unwrap_or(&[]);
            if strings.quiet >= QUIET
                && strings.inside != 0
                && let Some(stride) = left.first_chunk()
                && !masks.has_quote(stride)
            {
                strings.escaped = carry_over(stride, strings.escaped);
                self.at += STRIDE;
                continue;
            }
            let (block, len) = match left.first_chunk() {
                Some(block) => (block, BLOCK),
                None if left.is_empty() => break,
                None => {
                    // White space changes nothing.
                    padded[..left.len()].copy_from_slice(left);
                    (&padded, left.len())
                }
            };
            let end = self.block(masks, (block, len), &mut strings, &mut depth)?;
            if end.is_some() {
                return Ok(end);
            }
            self.at += len;
        }
        self.skim.strings = strings;
        self.skim.depth = depth;
        if let Some(last) = level::last_solid(&bytes[start..]) {
            self.skim.solid = self.piece.base + (start + last) as u64 + 1;
        }
        Ok(None)
    }
}

impl<V: Visit> Run<'_, V> {
    /// Takes one block, of which the first `len` bytes are the document's.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn block<M: Masks>(
        &mut self,
        masks: M,
        (block, len): (&[u8; BLOCK], usize),
        strings: &mut Strings,
        depth: &mut u32,
    ) -> Result<Option<usize>, Stop> {
        let Bits {
            quotes,
            slashes,
            opens,
            closes,
        } = masks.bits(block);
        // Always, as a branch on backslashes would be guessed wrong too often.
        let (escaped, escaping) = escapes(slashes, strings.escaped);
        strings.escaped = (escaping >> (len - 1)) & 1;
        let inside = masks.parities(quotes & !escaped) ^ strings.inside;
        // All ones or none, as the last bit.
        strings.inside = (inside >> 63).wrapping_neg();
        strings.quiet = if quotes == 0 {
            strings.quiet.saturating_add(1)
        } else {
            0
        };
        let (opens, closes) = (opens & !inside, closes & !inside);
        let (up, down) = (opens.count_ones(), closes.count_ones());
        // Backslashes have no business outside of strings.
        let stray = slashes & !inside;
        if *depth > down && *depth + up <= self.skim.room && stray == 0 {
            *depth = *depth + up - down;
            return Ok(None);
        }
        let found = level::Marks {
            opens,
            closes,
            commas: masks.commas(block) & !inside,
            stray,
        };
        self.skim.depth = *depth;
        let end = self.touch(block, found)?;
        *depth = self.skim.depth;
        Ok(end)
    }

    #[cold]
    fn too_deep(&self, bit: usize) -> Stop {
        let offset = self.piece.base + (self.at + bit) as u64;
        Error::Limit {
            offset,
            what: LimitKind::Depth,
            limit: u64::from(self.skim.limit),
        }
        .into()
    }
}
