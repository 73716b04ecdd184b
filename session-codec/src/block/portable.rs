//! Masks from words of eight bytes. Owns the arithmetic that works anywhere.

use super::{BLOCK, Brackets, Masks, STRIDE, Texts};

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const LOWS: u64 = u64::from_ne_bytes([0x7f; 8]);

/// The set that every machine has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

/// Marks the high bit of each byte of `word` that equals `byte`, and no other.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * u64::from(byte));
    // Adding to seven bits reaches the eighth and never the next byte.
    !(((differs & LOWS) + LOWS) | differs) & !LOWS
}

/// Gathers the high bits of eight bytes into one byte, the first lowest.
#[inline]
fn gather(highs: u64) -> u64 {
    (highs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[inline]
fn mask(block: &[u8; BLOCK], marks: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut mask = 0;
    for (index, word) in words.iter().enumerate() {
        mask |= gather(marks(u64::from_le_bytes(*word))) << (index * 8);
    }
    mask
}

impl Masks for Portable {
    #[inline]
    fn texts(self, block: &[u8; BLOCK]) -> Texts {
        Texts {
            quotes: mask(block, |word| equal(word, b'"')),
            slashes: mask(block, |word| equal(word, b'\\')),
        }
    }

    #[inline]
    fn brackets(self, block: &[u8; BLOCK]) -> Brackets {
        // One bit tells `[` from `{` and `]` from `}`.
        let folded = ONES * 0x20;
        Brackets {
            opens: mask(block, |word| equal(word | folded, b'{')),
            closes: mask(block, |word| equal(word | folded, b'}')),
        }
    }

    #[inline]
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
        mask(block, |word| equal(word | (ONES * u64::from(fold)), byte))
    }

    #[inline]
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        // What is added makes seven bits that are not below reach the eighth.
        let missing = ONES * u64::from(0x80 - byte);
        mask(block, |word| !(((word & LOWS) + missing) | word) & !LOWS)
    }

    #[inline]
    fn parities(self, bits: u64) -> u64 {
        super::parities(bits)
    }

    #[inline]
    fn has_quote(self, stride: &[u8; STRIDE]) -> bool {
        let (words, _) = stride.as_chunks::<8>();
        let found = words.iter().fold(0, |found, word| {
            found | equal(u64::from_le_bytes(*word), b'"')
        });
        found != 0
    }
}
