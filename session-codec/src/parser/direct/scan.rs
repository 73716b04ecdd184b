//! The search for the end of plain text in a string, by sixteen bytes where the
//! processor has that in its base. Owns that search; must not know escapes.

/// Returns how many bytes go by before a quote, a backslash or a control
/// character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for (index, block) in blocks.iter().enumerate() {
        let found = special(block);
        if found != 0 {
            return index * 16 + found.trailing_zeros() as usize;
        }
    }
    blocks.len() * 16
        + rest
            .iter()
            .position(|byte| ends(*byte))
            .unwrap_or(rest.len())
}

/// Copies plain text to `out` and returns how many bytes that were, as
/// [`plain`] does. Text with escapes has short stretches of it, for which one
/// copy of a known size is quicker than a search and a copy of any size.
#[inline]
pub(super) fn copy_plain(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for (index, block) in blocks.iter().enumerate() {
        let found = special(block);
        out.extend_from_slice(block);
        if found != 0 {
            let length = found.trailing_zeros() as usize;
            out.truncate(out.len() - 16 + length);
            return index * 16 + length;
        }
    }
    let length = rest
        .iter()
        .position(|byte| ends(*byte))
        .unwrap_or(rest.len());
    out.extend_from_slice(&rest[..length]);
    blocks.len() * 16 + length
}

#[inline]
fn ends(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Sets a bit for each byte at which plain text ends, the first in the lowest.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[expect(unsafe_code, reason = "calls vector instructions")]
pub(crate) fn special(block: &[u8; 16]) -> u32 {
    // SAFETY:
    // - SSE2 is part of the target for which this is compiled, says the `cfg`.
    unsafe { special_sse2(block) }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[target_feature(enable = "sse2")]
fn special_sse2(block: &[u8; 16]) -> u32 {
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
pub(crate) fn special(block: &[u8; 16]) -> u32 {
    // One bit a byte; compilers make vector code of it where there is any.
    block
        .iter()
        .rev()
        .fold(0, |bits, byte| bits << 1 | u32::from(ends(*byte)))
}

#[cfg(test)]
mod tests {
    use super::{copy_plain, ends, plain};

    #[test]
    fn the_wide_search_finds_what_the_narrow_one_does() {
        let naive = |bytes: &[u8]| bytes.iter().position(|b| ends(*b)).unwrap_or(bytes.len());
        let mut bytes = [b'a'; 70];
        for at in 0..bytes.len() {
            for byte in 0..=u8::MAX {
                bytes[at] = byte;
                for from in [0, at.saturating_sub(17), at.saturating_sub(3), at] {
                    let cut = &bytes[from..];
                    assert_eq!(plain(cut), naive(cut), "byte {byte} at {at} from {from}");
                    let mut out = vec![b'x'];
                    assert_eq!(copy_plain(cut, &mut out), naive(cut));
                    assert_eq!(out[1..], cut[..naive(cut)]);
                }
            }
            bytes[at] = [0x80, 0x21, 0x23, 0x5b, 0x5d, 0xff, 0x5f][at % 7];
        }
    }
}
