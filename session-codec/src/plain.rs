//! Bytes that stand in a JSON string as themselves, sixteen at a time where the
//! processor has that in its base, and which bytes of a block are escaped. Owns
//! what ends plain text; must not know which way a string is going.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 16;

/// Reports whether a byte ends plain text: a quote, a backslash or a control
/// character.
#[inline]
pub(crate) fn ends(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Sets a bit for each byte at which plain text ends, the first in the lowest.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[expect(unsafe_code, reason = "calls vector instructions")]
pub(crate) fn special(block: &[u8; BLOCK]) -> u32 {
    // SAFETY:
    // - SSE2 is part of the target for which this is compiled, says the `cfg`.
    unsafe { special_sse2(block) }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[target_feature(enable = "sse2")]
fn special_sse2(block: &[u8; BLOCK]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };

    let (low, high) = block.split_at(8);
    let word = |half: &[u8]| {
        half.first_chunk::<8>()
            .map_or(0, |bytes| i64::from_le_bytes(*bytes))
    };
    let bytes = _mm_set_epi64x(word(high), word(low));
    let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22));
    let slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5c));
    let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)).cast_unsigned()
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline]
pub(crate) fn special(block: &[u8; BLOCK]) -> u32 {
    // One bit a byte; compilers make vector code of it where there is any.
    block
        .iter()
        .rev()
        .fold(0, |bits, byte| bits << 1 | u32::from(ends(*byte)))
}

/// Marks the escaped bytes of a block and of what follows it: a byte is escaped
/// if an odd number of backslashes, itself not among them, stands before it.
#[inline]
pub(crate) fn escapes(slashes: u64, carry: u64) -> (u64, u64) {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    // An escaped backslash begins nothing.
    let slashes = slashes & !carry;
    let starts = slashes & !(slashes << 1);
    // Adding the start of a run carries through it, so its bits change.
    let odd_runs = slashes & !slashes.wrapping_add(starts & ODD);
    let escaping = (odd_runs & ODD) | (slashes & !odd_runs & !ODD);
    (escaping << 1 | carry, escaping)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, ends, special};

    #[test]
    fn a_block_is_marked_as_its_bytes_are() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                for around in [b'a', 0x80, 0xff, 0x20, b'"'] {
                    let mut block = [around; BLOCK];
                    block[at] = byte;
                    let marks = (0..BLOCK).filter(|at| ends(block[*at]));
                    let expected = marks.fold(0, |bits, at| bits | 1 << at);
                    assert_eq!(special(&block), expected, "{byte} at {at}");
                }
            }
        }
    }
}
