//! Masks from 512-bit vectors, whose comparisons give bits at once. Owns the
//! intrinsics and the proof that the machine has them.
#![expect(unsafe_code, reason = "vector instructions")]
#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the function that enables the features is compiled with them"
)]

use std::arch::x86_64::{
    __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_or_si512,
    _mm512_set1_epi8,
};

use super::{BLOCK, Brackets, Kernel, Masks, STRIDE, Texts};

/// Exists only where AVX-512 for bytes, carry-less multiplication and bit
/// counting were detected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn new() -> Option<Self> {
        let detected = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2");
        detected.then_some(Self(()))
    }

    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists, so the features were detected.
        unsafe { enter(self, kernel) }
    }
}

/// Compiles a loop with the features.
///
/// # Safety
///
/// The machine has the features; a value of [`Avx512`] says so.
#[target_feature(enable = "avx512f,avx512bw,pclmulqdq,popcnt,bmi1,bmi2")]
unsafe fn enter<K: Kernel>(masks: Avx512, kernel: K) -> K::Output {
    kernel.run(masks)
}

/// Loads a block.
///
/// # Safety
///
/// The machine has AVX-512F.
#[inline(always)]
unsafe fn load(block: &[u8; BLOCK]) -> __m512i {
    // SAFETY: the pointer is to 64 bytes that may be read, and this load asks
    // for no alignment; the caller promises the feature.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// Compares all bytes, with the bits of `fold` set, with `byte`.
///
/// # Safety
///
/// The machine has AVX-512F and AVX-512BW.
#[inline(always)]
unsafe fn mask(block: __m512i, fold: u8, byte: u8) -> u64 {
    // SAFETY: these touch no memory; the caller promises the features.
    unsafe {
        let folded = _mm512_or_si512(block, _mm512_set1_epi8(fold.cast_signed()));
        _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(byte.cast_signed()))
    }
}

impl Masks for Avx512 {
    #[inline(always)]
    fn texts(self, block: &[u8; BLOCK]) -> Texts {
        // SAFETY: `self` exists, so the features were detected.
        unsafe {
            let block = load(block);
            Texts {
                quotes: mask(block, 0, b'"'),
                slashes: mask(block, 0, b'\\'),
            }
        }
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> Brackets {
        // SAFETY: `self` exists, so the features were detected.
        unsafe {
            let block = load(block);
            Brackets {
                opens: mask(block, 0x20, b'{'),
                closes: mask(block, 0x20, b'}'),
            }
        }
    }

    #[inline(always)]
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
        // SAFETY: `self` exists, so the features were detected.
        unsafe { mask(load(block), fold, byte) }
    }

    #[inline(always)]
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        // SAFETY: `self` exists, so the features were detected; memory is only
        // touched by `load`.
        unsafe { _mm512_cmplt_epu8_mask(load(block), _mm512_set1_epi8(byte.cast_signed())) }
    }

    #[inline(always)]
    fn parities(self, bits: u64) -> u64 {
        // SAFETY: `self` exists, so the features were detected; no memory is
        // touched.
        let product = unsafe {
            let bits = _mm_set_epi64x(0, bits.cast_signed());
            // Multiplying by all ones without carries adds up every bit below.
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1)))
        };
        product.cast_unsigned()
    }

    #[inline(always)]
    fn has_quote(self, stride: &[u8; STRIDE]) -> bool {
        let (blocks, _) = stride.as_chunks::<BLOCK>();
        let mut found = 0;
        for block in blocks {
            // SAFETY: `self` exists, so the features were detected.
            found |= unsafe { mask(load(block), 0, b'"') };
        }
        found != 0
    }
}
