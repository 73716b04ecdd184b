//! Passing over what is sound in a string, a block of bytes at a time. Owns the
//! fast way; whatever is not sound, or not whole in the piece, is left to the
//! state machine, which names faults and carries on from one piece to the next.

use crate::{
    block::{BLOCK, Kernel, Masks},
    plain::escapes,
};

/// The rest of a piece from inside a string on, where no escape is under way.
pub(super) struct Pass<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether surrogates must come in pairs.
    pub(super) paired: bool,
}

impl Kernel for Pass<'_> {
    /// Where the string's closing quote stands, or a byte before it from which
    /// on the state machine must look: a control character, a backslash, or the
    /// first byte of what is less than a block.
    type Output = usize;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(self, masks: M) -> usize {
        let mut at = self.at;
        let mut carry = 0;
        let (blocks, _) = self.bytes[at..].as_chunks::<BLOCK>();
        for block in blocks {
            let texts = masks.texts(block);
            // Always, as a branch on backslashes would be guessed wrong too often.
            let (escaped, escaping) = escapes(texts.slashes, carry);
            let ends = (texts.quotes | masks.below(block, b' ')) & !escaped;
            // Bits below the first end, or all.
            let inside = !ends & ends.wrapping_sub(1);
            // Nearly all that is escaped is one of these.
            let usual = texts.quotes | texts.slashes | masks.equal(block, b'n');
            let mut others = escaped & !usual & inside;
            while others != 0 {
                let bit = others.trailing_zeros() as usize;
                if !self.is_sound(at + bit) {
                    // The backslash, which may stand in the block before.
                    return at + bit - 1;
                }
                others &= others - 1;
            }
            if ends != 0 {
                return at + ends.trailing_zeros() as usize;
            }
            carry = escaping >> (BLOCK - 1);
            at += BLOCK;
        }
        // A backslash without what it escapes.
        at - usize::from(carry != 0)
    }
}

impl Pass<'_> {
    /// Reports whether what is escaped at `at` is whole and may stand alone.
    #[inline]
    fn is_sound(&self, at: usize) -> bool {
        match self.bytes[at] {
            b't' | b'r' | b'/' | b'b' | b'f' => true,
            b'u' => {
                let digits = self.bytes[at + 1..].first_chunk::<4>();
                digits.is_some_and(|digits| {
                    digits.iter().all(u8::is_ascii_hexdigit)
                        // From `d800` to `dfff` are the surrogates.
                        && !(self.paired && digits[0] | 0x20 == b'd' && digits[1] > b'7')
                })
            }
            _ => false,
        }
    }
}
