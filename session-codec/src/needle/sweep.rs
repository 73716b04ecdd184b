//! One pass for several short texts: each is told by two of its bytes, for
//! sixty-four places at a time. Owns the pass; must not know what the texts are.

use super::plain::rarity;
use crate::block::{BLOCK, Detected, Instructions, Kernel, Masks};

/// More texts than this are searched for one after the other.
const MOST: usize = 3;

/// Two bytes of a text, and how far from its beginning they stand.
#[derive(Debug, Clone, Copy)]
struct Pair {
    first: (usize, u8),
    second: (usize, u8),
}

/// The pairs of all texts.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    pairs: Vec<Pair>,
    /// Bytes of the longest text, less one.
    reach: usize,
    instructions: Detected,
}

impl Pair {
    /// Chooses the two bytes that occur least.
    fn of(text: &[u8]) -> Option<Self> {
        let rarest = |but: Option<usize>| {
            let places = (0..text.len()).filter(|at| Some(*at) != but);
            places.max_by_key(|at| rarity(text[*at]))
        };
        let first = rarest(None)?;
        let second = rarest(Some(first)).unwrap_or(first);
        Some(Self {
            first: (first, text[first]),
            second: (second, text[second]),
        })
    }

    fn is_at(&self, json: &[u8], at: usize) -> bool {
        let stands = |(ahead, byte)| json.get(at + ahead) == Some(&byte);
        stands(self.first) && stands(self.second)
    }
}

impl Sweep {
    /// Prepares a pass for these texts; `None` where it would not pay, or one is
    /// empty.
    pub(super) fn new<'a>(texts: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Option<Self> {
        if texts.len() == 0 || texts.len() > MOST {
            return None;
        }
        Some(Self {
            reach: texts.clone().map(<[u8]>::len).max()?.checked_sub(1)?,
            pairs: texts.map(Pair::of).collect::<Option<Vec<_>>>()?,
            instructions: Instructions::best().detect(),
        })
    }

    /// Passes over the bytes with these instructions instead of the best ones.
    #[cfg(feature = "testing")]
    pub(super) fn with(mut self, instructions: Instructions) -> Self {
        self.instructions = instructions.detect();
        self
    }

    /// Returns the first place from byte `from` on that may be the beginning of
    /// one of the texts and that `confirm` takes.
    pub(super) fn find(
        &self,
        json: &[u8],
        from: usize,
        confirm: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        match *self.pairs.as_slice() {
            [one] => self.run([one], json, from, confirm),
            [one, two] => self.run([one, two], json, from, confirm),
            [one, two, three] => self.run([one, two, three], json, from, confirm),
            _ => None,
        }
    }

    fn run<const N: usize>(
        &self,
        pairs: [Pair; N],
        json: &[u8],
        from: usize,
        mut confirm: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let mut at = from;
        // All of these are whole blocks, wherever in a text its bytes stand.
        let blocks = json.len().saturating_sub(from + self.reach) / BLOCK;
        let end = from + blocks * BLOCK;
        while at < end {
            let pass = Pass {
                pairs,
                json,
                at,
                blocks: (end - at) / BLOCK,
            };
            let Some((block, mut marks)) = self.instructions.run(pass) else {
                break;
            };
            while marks != 0 {
                let place = block + marks.trailing_zeros() as usize;
                if confirm(place) {
                    return Some(place);
                }
                marks &= marks - 1;
            }
            at = block + BLOCK;
        }
        let mut rest = end..json.len();
        rest.find(|place| pairs.iter().any(|pair| pair.is_at(json, *place)) && confirm(*place))
    }
}

/// The search for the next block that has both bytes of a text.
struct Pass<'a, const N: usize> {
    pairs: [Pair; N],
    json: &'a [u8],
    at: usize,
    blocks: usize,
}

impl<const N: usize> Kernel for Pass<'_, N> {
    /// Where the block begins, and a bit for each place in it that may be the
    /// beginning of a text.
    type Output = Option<(usize, u64)>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(self, masks: M) -> Self::Output {
        let shifted = |(ahead, _): (usize, u8)| {
            let (blocks, _) = self.json[self.at + ahead..].as_chunks::<BLOCK>();
            &blocks[..self.blocks]
        };
        let stretches = self
            .pairs
            .map(|pair| (shifted(pair.first), shifted(pair.second)));
        for index in 0..self.blocks {
            let mut found = 0;
            for (pair, (first, second)) in self.pairs.iter().zip(&stretches) {
                found |= masks.equal(&first[index], pair.first.1)
                    & masks.equal(&second[index], pair.second.1);
            }
            if found != 0 {
                return Some((self.at + index * BLOCK, found));
            }
        }
        None
    }
}
