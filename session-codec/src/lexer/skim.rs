//! Passing over the elements of an array by structure alone: blocks of bytes
//! become bit masks, and only blocks that can touch the array's own level are
//! looked at closer. Owns where elements begin and end; must not know grammar
//! inside of them, nor what is kept.

use super::{Lexer, Piece, Stop, Visit};
use crate::{
    Error, LimitKind,
    block::{BLOCK, Detected, Kernel, Masks, STRIDE},
    plain::escapes,
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
}

/// The state carried over cuts, inside one array.
#[derive(Debug)]
pub(super) struct Skim {
    instructions: Detected,
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
    pub(super) fn new(instructions: Detected, depth: u32, limit: u32) -> Self {
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

/// What stands where in a block, outside of strings.
#[derive(Debug, Clone, Copy)]
struct Seen {
    opens: u64,
    closes: u64,
    /// Backslashes, which have no business there.
    stray: u64,
    inside: u64,
}

impl Seen {
    /// Reports whether the block, entered that deep, reaches neither the
    /// array's own level nor the limit.
    #[inline]
    fn stays_below(self, depth: u32, room: u32) -> bool {
        let (up, down) = (self.opens.count_ones(), self.closes.count_ones());
        depth > down && depth + up <= room && self.stray == 0
    }

    #[inline]
    fn depth_after(self, depth: u32) -> u32 {
        depth + self.opens.count_ones() - self.closes.count_ones()
    }
}

/// The quotes of a block that begin or end strings, and what else it takes to
/// tell the insides of those.
#[derive(Debug, Clone, Copy)]
struct Quotes {
    /// Quotes that are not escaped.
    unescaped: u64,
    slashes: u64,
    /// Whether no quote stands in the block, escaped or not.
    none: bool,
}

/// Looks for the ends of strings in a block, of which the first `len` bytes are
/// the document's.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled with the features of its caller"
)]
fn quotes<M: Masks>(masks: M, block: &[u8; BLOCK], len: usize, strings: &mut Strings) -> Quotes {
    let texts = masks.texts(block);
    // Always, as a branch on backslashes would be guessed wrong too often.
    let (escaped, escaping) = escapes(texts.slashes, strings.escaped);
    strings.escaped = (escaping >> (len - 1)) & 1;
    Quotes {
        unescaped: texts.quotes & !escaped,
        slashes: texts.slashes,
        none: texts.quotes == 0,
    }
}

/// Looks at the rest of that block.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled with the features of its caller"
)]
fn look<M: Masks>(masks: M, block: &[u8; BLOCK], quotes: Quotes, strings: &mut Strings) -> Seen {
    let brackets = masks.brackets(block);
    let inside = masks.parities(quotes.unescaped) ^ strings.inside;
    // All ones or none, as the last bit.
    strings.inside = (inside >> 63).wrapping_neg();
    Seen {
        opens: brackets.opens & !inside,
        closes: brackets.closes & !inside,
        stray: quotes.slashes & !inside,
        inside,
    }
}

/// Passes over strides without quotes, given that a string goes on, and returns
/// their bytes.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled with the features of its caller"
)]
fn pass_text<M: Masks>(masks: M, bytes: &[u8], strings: &mut Strings) -> usize {
    let (strides, _) = bytes.as_chunks::<STRIDE>();
    let mut passed = 0;
    // A loop and no closure: what is not inlined into the function that enables
    // the features is compiled without them, ten times slower.
    for stride in strides {
        if masks.has_quote(stride) {
            break;
        }
        strings.escaped = carry_over(stride, strings.escaped);
        passed += STRIDE;
    }
    passed
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
        let room = self.skim.room;
        // In registers here, not behind a reference.
        let mut strings = self.skim.strings;
        let mut depth = self.skim.depth;
        let mut quiet = 0;
        while let Some(left) = bytes.get(self.at..).filter(|left| !left.is_empty()) {
            let (blocks, rest) = left.as_chunks::<BLOCK>();
            // Nothing but this loop is hot, so nothing is called in it.
            let mut met = None;
            for block in blocks {
                let quotes = quotes(masks, block, BLOCK, &mut strings);
                quiet = if quotes.none { quiet + 1 } else { 0 };
                // In the middle of a string nothing else matters.
                if quotes.unescaped == 0 && strings.inside != 0 {
                    self.at += BLOCK;
                    if quiet >= QUIET {
                        break;
                    }
                    continue;
                }
                let seen = look(masks, block, quotes, &mut strings);
                if seen.stays_below(depth, room) {
                    depth = seen.depth_after(depth);
                } else {
                    self.skim.depth = depth;
                    let commas = masks.equal(block, b',') & !seen.inside;
                    let left = self.containers(block, seen, commas)?;
                    depth = self.skim.depth;
                    if left != 0 {
                        met = Some((block, seen, left));
                        break;
                    }
                }
                self.at += BLOCK;
            }
            let mut padded = [b' '; BLOCK];
            let (block, seen, left, len) = if let Some((block, seen, left)) = met {
                (block, seen, left, BLOCK)
            } else if quiet >= QUIET && strings.inside != 0 {
                self.at += pass_text(masks, &bytes[self.at..], &mut strings);
                quiet = 0;
                continue;
            } else {
                // All blocks are taken; white space after the rest changes
                // nothing.
                padded[..rest.len()].copy_from_slice(rest);
                if rest.is_empty() {
                    break;
                }
                let quotes = quotes(masks, &padded, rest.len(), &mut strings);
                let seen = look(masks, &padded, quotes, &mut strings);
                (&padded, seen, !0, rest.len())
            };
            let commas = masks.equal(block, b',') & !seen.inside;
            self.skim.depth = depth;
            let end = self.touch(block, seen, commas, left)?;
            if end.is_some() {
                return Ok(end);
            }
            depth = self.skim.depth;
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
