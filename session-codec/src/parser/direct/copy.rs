//! Copying text out of a string with its escapes decoded, a block of bytes at a
//! time. Owns escapes as masks show them; must not know what stands near the end
//! of what is in memory.

use super::{scan::SIMPLE, text::digits};
use crate::{
    block::{BLOCK, Detected, Kernel, Masks},
    plain::escapes,
};

/// Bytes that it needs to go on, of what is read and of what is written: a
/// block, and what a copy of known size reaches beyond it.
pub(super) const WINDOW: usize = 2 * BLOCK;

/// Bytes of the copy that most stretches between two escapes fit into.
const SHORT: usize = 32;

/// Copies text to the front of `out`, escapes decoded, and returns how many bytes were taken and how many written.
///
/// It stops before all else that a string may have, and where less than a
/// [`WINDOW`] is left of either. Where one escape ends says nothing about where
/// the next begins that the masks have not said, so the processor need not wait
/// for one to look for the other.
#[inline]
pub(super) fn copy_blocks(instructions: Detected, bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    instructions.run(Copy { bytes, out })
}

struct Copy<'a> {
    bytes: &'a [u8],
    out: &'a mut [u8],
}

/// Copies `len` bytes that stand at `from` in a block to `to` in another, and
/// some more behind them.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled with the features of its caller"
)]
fn stretch(window: &[u8; WINDOW], from: usize, len: usize, place: &mut [u8; WINDOW], to: usize) {
    // Both are below the length of a block, which this tells the compiler.
    let (from, to) = (from % BLOCK, to % BLOCK);
    place[to..to + SHORT].copy_from_slice(&window[from..from + SHORT]);
    if len > SHORT {
        place[to..to + BLOCK].copy_from_slice(&window[from..from + BLOCK]);
    }
}

impl Kernel for Copy<'_> {
    type Output = (usize, usize);

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(self, masks: M) -> (usize, usize) {
        let (mut taken, mut written) = (0, 0);
        while let Some(window) = self.bytes[taken..].first_chunk::<WINDOW>()
            && let Some(place) = self.out[written..].first_chunk_mut::<WINDOW>()
            && let Some(block) = window.first_chunk::<BLOCK>()
        {
            let texts = masks.texts(block);
            // Where a block begins, no escape is under way.
            let (escaped, escaping) = escapes(texts.slashes, 0);
            let ends = (texts.quotes | masks.below(block, b' ')) & !escaped;
            let end = ends.trailing_zeros() as usize;
            let mut left = escaping & !ends & ends.wrapping_sub(1);
            // What is read and written of this block: the first is never behind.
            let (mut from, mut to) = (0, 0);
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                stretch(window, from, bit - from, place, to);
                to += bit - from;
                let letter = SIMPLE[usize::from(window[bit % BLOCK + 1])];
                left &= left - 1;
                if letter != 0 {
                    place[to % BLOCK] = letter;
                    to += 1;
                    from = bit + 2;
                    continue;
                }
                let Some((character, length)) = digits(&window[bit % BLOCK..]) else {
                    return (taken + bit, written + to);
                };
                to += character.encode_utf8(&mut place[to % BLOCK..]).len();
                from = bit + length;
                // The other half of a pair.
                left = if from < BLOCK {
                    left >> from << from
                } else {
                    0
                };
            }
            // The last escape may reach behind the block.
            if from < end {
                stretch(window, from, end - from, place, to);
                to += end - from;
                from = end;
            }
            taken += from;
            written += to;
            if ends != 0 {
                break;
            }
        }
        (taken, written)
    }
}

#[cfg(test)]
mod tests {
    use super::{WINDOW, copy_blocks};
    use crate::{
        block::Instructions,
        parser::direct::{scan::simple_escape, text::digits},
        plain::ends,
    };

    /// What [`copy_blocks`] says, a byte at a time: how many are taken, and what
    /// is written.
    fn naive_copy(bytes: &[u8]) -> (usize, Vec<u8>) {
        let (mut at, mut out) = (0, Vec::new());
        while let Some(&byte) = bytes.get(at) {
            let letter = bytes.get(at + 1).copied().and_then(simple_escape);
            if !ends(byte) {
                out.push(byte);
                at += 1;
            } else if byte != b'\\' {
                break;
            } else if let Some(escaped) = letter {
                out.push(escaped);
                at += 2;
            } else if let Some((character, length)) = digits(&bytes[at..]) {
                out.extend(character.to_string().into_bytes());
                at += length;
            } else {
                break;
            }
        }
        (at, out)
    }

    #[test]
    fn text_is_copied_as_a_byte_at_a_time_would() {
        const PARTS: [&[u8]; 14] = [
            b"\\n",
            b"\\\\",
            b"\\\"",
            b"\\t\\/\\b\\f\\r",
            b"\\u0041",
            b"\\u00e9\\u20AC",
            b"\\ud83d\\ude00",
            b"\\\\u12",
            b"\xc3\xa9",
            b"\\ud83d",
            b"\\u12g4",
            b"\\x",
            b"\"",
            b"\x1f",
        ];
        let mut rng = 5_u64;
        let mut next = |below: u64| {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from((rng >> 33) % below).unwrap()
        };
        let mut whole = 0;
        for _ in 0..20_000 {
            // Most have nothing that ends them; rounds differ in how dense they are.
            let (parts, gap) = ([9, 9, 9, 14][next(4)], [1, 4, 20, 90][next(4)]);
            let mut bytes = Vec::new();
            while bytes.len() < 400 {
                bytes.resize(bytes.len() + next(gap), b'a');
                bytes.extend_from_slice(PARTS[next(parts)]);
            }
            let room = 100 + next(400);
            let (end, decoded) = naive_copy(&bytes);
            whole += usize::from(end == bytes.len());
            for set in Instructions::ALL {
                let mut out = vec![7; room];
                let (taken, written) = copy_blocks(set.detect(), &bytes, &mut out);
                let shown = bytes.escape_ascii();
                assert!(taken <= end, "{set:?}: {shown}");
                let (_, rest) = naive_copy(&bytes[taken..]);
                let copied = [&out[..written], &rest].concat();
                assert_eq!(copied, decoded, "{set:?}: {shown}");
                // It stops for want of room, or for what it leaves to others.
                let ample = bytes.len() - taken >= WINDOW && room - written >= WINDOW;
                assert!(!ample || taken == end, "{set:?}: {shown}");
            }
        }
        assert!(whole > 5_000, "{whole} with nothing that ends them");
    }
}
