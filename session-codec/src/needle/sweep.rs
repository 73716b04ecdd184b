//! One pass for a text as it is usually spelled and for the escapes that may
//! stand for its characters, sixty-four places at a time. Owns the pass; must not
//! know which of the places it comes upon are right.

use std::ops::Range;

use super::escapes::Escapes;
use super::plain::{either, rarity};
use crate::Case;
use crate::block::{BLOCK, Detected, Instructions, Kernel, Masks};

/// Bytes of a text among which the two that tell it are chosen. What is behind
/// them would have to be loaded from far away.
const CONSIDERED: usize = 64;

/// From the `u` of an escape to its third digit. It tells the characters of most
/// texts from the control characters that outputs of terminals are full of.
const THIRD_DIGIT: usize = 3;

/// A byte of a text, and how far from its beginning it stands.
#[derive(Debug, Clone, Copy)]
struct Told {
    ahead: usize,
    /// The bit in which its two cases differ, which is set in `byte`.
    fold: u8,
    byte: u8,
}

/// What a pass stops at: two bytes of the text, or a backslash before what begins
/// an unusual spelling.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    text: [Told; 2],
    /// The least third digit of the `\u` escapes.
    digit: u8,
    /// Whether `\/` is an unusual spelling, too.
    slashes: bool,
    instructions: Detected,
}

impl Sweep {
    /// Prepares a pass for a text that is spelled like this; `None` for none.
    pub(super) fn new(usual: &[u8], escapes: &Escapes, case: Case) -> Option<Self> {
        let considered = &usual[..usual.len().min(CONSIDERED)];
        let rarest = |but: Option<usize>| {
            let places = (0..considered.len()).filter(|at| Some(*at) != but);
            places.max_by_key(|at| rarity(considered[*at]))
        };
        let told = |ahead: usize| {
            let [byte, upper] = either(considered[ahead], case);
            let fold = byte ^ upper;
            Told { ahead, fold, byte }
        };
        let first = rarest(None)?;
        Some(Self {
            text: [told(first), told(rarest(Some(first)).unwrap_or(first))],
            digit: escapes.least_third_digit()?,
            slashes: usual.contains(&b'/'),
            instructions: Instructions::best().detect(),
        })
    }

    /// Passes over the bytes with these instructions instead of the best ones.
    #[cfg(feature = "testing")]
    pub(super) fn with(mut self, instructions: Instructions) -> Self {
        self.instructions = instructions.detect();
        self
    }

    /// Returns the first place from byte `from` on that `confirm` takes, of those
    /// that may be the beginning of the text or of an unusual spelling.
    pub(super) fn find(
        &self,
        json: &[u8],
        from: usize,
        mut confirm: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        // All that is loaded are whole blocks, wherever in the text a byte stands.
        let [first, second] = self.text.map(|told| told.ahead);
        let reach = first.max(second).max(THIRD_DIGIT);
        let mut at = from;
        loop {
            let blocks = json.len().saturating_sub(at.saturating_add(reach)) / BLOCK;
            if blocks == 0 {
                break;
            }
            // From the second on, blocks begin where cache lines do: a load of one line is quicker than one of two halves.
            let ahead = (json.as_ptr().addr() + at) % BLOCK;
            let blocks = if ahead == 0 { blocks } else { 1 };
            let end = at + blocks * BLOCK;
            let slash_before = at > from && json[at - 1] == b'\\';
            let found = self.next_block(json, at..end, slash_before);
            if let Some(place) = found
                .as_ref()
                .and_then(|found| found.places().find(|place| confirm(*place)))
            {
                return Some(place);
            }
            at = found.map_or(end, |found| found.block + BLOCK) - ahead;
        }
        // The last backslash that was passed may begin something.
        let mut rest = at.saturating_sub(1).max(from)..json.len();
        rest.find(|place| self.may_begin_at(json, *place) && confirm(*place))
    }

    fn next_block(&self, json: &[u8], place: Range<usize>, slash_before: bool) -> Option<Found> {
        // Comparisons that can tell nothing are left out, for all blocks at once.
        let folds = self.text.iter().any(|told| told.fold != 0);
        match (folds, self.slashes) {
            (false, false) => self.pass::<false, false>(json, place, slash_before),
            (false, true) => self.pass::<false, true>(json, place, slash_before),
            (true, false) => self.pass::<true, false>(json, place, slash_before),
            (true, true) => self.pass::<true, true>(json, place, slash_before),
        }
    }

    fn pass<const FOLDS: bool, const SLASHES: bool>(
        &self,
        json: &[u8],
        place: Range<usize>,
        slash_before: bool,
    ) -> Option<Found> {
        self.instructions.run(Pass::<FOLDS, SLASHES> {
            sweep: self,
            json,
            at: place.start,
            blocks: place.len() / BLOCK,
            slash_before,
        })
    }

    fn may_begin_at(&self, json: &[u8], at: usize) -> bool {
        let stands = |told: Told| {
            let byte = json.get(at + told.ahead);
            byte.is_some_and(|byte| byte | told.fold == told.byte)
        };
        self.text.into_iter().all(stands) || json[at] == b'\\'
    }
}

/// A block in which something stands.
struct Found {
    /// Where it begins.
    block: usize,
    /// Where the text may begin.
    texts: u64,
    /// What follows the backslashes that may begin an unusual spelling.
    escapes: u64,
}

impl Found {
    /// The places that may be beginnings, in order.
    fn places(&self) -> impl Iterator<Item = usize> {
        let block = self.block;
        // The backslash may be the last byte of the block before.
        let before = (self.escapes & 1 != 0).then(|| block - 1);
        let mut left = self.texts | self.escapes >> 1;
        let within = std::iter::from_fn(move || {
            let place = (left != 0).then(|| block + left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(place)
        });
        before.into_iter().chain(within)
    }
}

/// The search for the next block in which something stands.
struct Pass<'a, const FOLDS: bool, const SLASHES: bool> {
    sweep: &'a Sweep,
    json: &'a [u8],
    at: usize,
    blocks: usize,
    /// Whether the byte before the first block is a backslash.
    slash_before: bool,
}

impl<const FOLDS: bool, const SLASHES: bool> Kernel for Pass<'_, FOLDS, SLASHES> {
    type Output = Option<Found>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(self, masks: M) -> Self::Output {
        let ahead = |bytes: usize| {
            let (blocks, _) = self.json[self.at + bytes..].as_chunks::<BLOCK>();
            &blocks[..self.blocks]
        };
        let [one, other] = self.sweep.text;
        let digit = self.sweep.digit;
        let (here, digits) = (ahead(0), ahead(THIRD_DIGIT));
        let (ones, others) = (ahead(one.ahead), ahead(other.ahead));
        let stands = |block: &[u8; BLOCK], told: Told| {
            let fold = if FOLDS { told.fold } else { 0 };
            masks.alike(block, fold, told.byte)
        };
        let mut slash_before = u64::from(self.slash_before);
        for index in 0..self.blocks {
            let texts = stands(&ones[index], one) & stands(&others[index], other);
            let slashes = masks.equal(&here[index], b'\\');
            let mut letters = masks.equal(&here[index], b'u') & !masks.below(&digits[index], digit);
            if SLASHES {
                letters |= masks.equal(&here[index], b'/');
            }
            let escapes = (slashes << 1 | slash_before) & letters;
            slash_before = slashes >> (BLOCK - 1);
            if texts | escapes != 0 {
                let block = self.at + index * BLOCK;
                return Some(Found {
                    block,
                    texts,
                    escapes,
                });
            }
        }
        None
    }
}
