//! Masks from 128-bit vectors, which every x86-64 has. Owns the intrinsics.
#![expect(unsafe_code, reason = "vector instructions")]
#![expect(
    clippy::inline_always,
    reason = "vectors stay in registers, from one helper to the next"
)]

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8, _mm_setzero_si128,
};

use super::{BLOCK, Brackets, Masks, STRIDE, Texts};

/// The set that comes with the architecture, so that anybody may make one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sse2;

#[inline(always)]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the pointer is to sixteen bytes that may be read, and this load
    // asks for no alignment. SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline(always)]
fn mask(block: &[__m128i; 4], fold: u8, byte: u8) -> u64 {
    let mut mask = 0;
    for (index, vector) in block.iter().enumerate() {
        // SAFETY: these touch no memory, and SSE2 is part of x86-64.
        let bits = unsafe {
            let folded = _mm_or_si128(*vector, _mm_set1_epi8(fold.cast_signed()));
            _mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8(byte.cast_signed())))
        };
        mask |= u64::from(bits.cast_unsigned()) << (index * 16);
    }
    mask
}

#[inline(always)]
fn vectors(block: &[u8; BLOCK]) -> [__m128i; 4] {
    let (parts, _) = block.as_chunks::<16>();
    [
        load(&parts[0]),
        load(&parts[1]),
        load(&parts[2]),
        load(&parts[3]),
    ]
}

impl Masks for Sse2 {
    #[inline(always)]
    fn texts(self, block: &[u8; BLOCK]) -> Texts {
        let block = vectors(block);
        Texts {
            quotes: mask(&block, 0, b'"'),
            slashes: mask(&block, 0, b'\\'),
        }
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> Brackets {
        let block = vectors(block);
        Brackets {
            opens: mask(&block, 0x20, b'{'),
            closes: mask(&block, 0x20, b'}'),
        }
    }

    #[inline(always)]
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
        mask(&vectors(block), fold, byte)
    }

    #[inline(always)]
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        let mut mask = 0;
        for (index, vector) in vectors(block).into_iter().enumerate() {
            // SAFETY: these touch no memory, and SSE2 is part of x86-64.
            let bits = unsafe {
                let least = _mm_min_epu8(vector, _mm_set1_epi8((byte - 1).cast_signed()));
                _mm_movemask_epi8(_mm_cmpeq_epi8(least, vector))
            };
            mask |= u64::from(bits.cast_unsigned()) << (index * 16);
        }
        mask
    }

    #[inline(always)]
    fn parities(self, bits: u64) -> u64 {
        super::parities(bits)
    }

    #[inline(always)]
    fn has_quote(self, stride: &[u8; STRIDE]) -> bool {
        let (parts, _) = stride.as_chunks::<16>();
        // SAFETY: these touch no memory, and SSE2 is part of x86-64.
        unsafe {
            let quote = _mm_set1_epi8(b'"'.cast_signed());
            let mut found = _mm_setzero_si128();
            for part in parts {
                found = _mm_or_si128(found, _mm_cmpeq_epi8(load(part), quote));
            }
            _mm_movemask_epi8(found) != 0
        }
    }
}
