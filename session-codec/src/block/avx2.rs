//! Masks from 256-bit vectors. Owns the intrinsics and the proof that the
//! machine has them.
#![expect(unsafe_code, reason = "vector instructions")]
#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the function that enables the features is compiled with them"
)]

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_setzero_si256,
};

use super::{BLOCK, Brackets, Kernel, Masks, STRIDE, Texts};

/// Exists only where AVX2, carry-less multiplication and bit counting were
/// detected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        let detected = is_x86_feature_detected!("avx2")
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
/// The machine has the features; a value of [`Avx2`] says so.
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2")]
unsafe fn enter<K: Kernel>(masks: Avx2, kernel: K) -> K::Output {
    kernel.run(masks)
}

/// Loads a vector.
///
/// # Safety
///
/// The machine has AVX2.
#[inline(always)]
unsafe fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the pointer is to 32 bytes that may be read, and this load asks
    // for no alignment; the caller promises the feature.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Compares all bytes of two vectors, with the bits of `fold` set, with `byte`.
///
/// # Safety
///
/// The machine has AVX2.
#[inline(always)]
unsafe fn mask(block: [__m256i; 2], fold: u8, byte: u8) -> u64 {
    // SAFETY: these touch no memory; the caller promises the feature.
    unsafe {
        let fold = _mm256_set1_epi8(fold.cast_signed());
        let byte = _mm256_set1_epi8(byte.cast_signed());
        let [low, high] = block;
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_or_si256(low, fold), byte));
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_or_si256(high, fold), byte));
        u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
    }
}

/// Loads a block.
///
/// # Safety
///
/// The machine has AVX2.
#[inline(always)]
unsafe fn vectors(block: &[u8; BLOCK]) -> [__m256i; 2] {
    let (parts, _) = block.as_chunks::<32>();
    // SAFETY: the caller promises the feature.
    unsafe { [load(&parts[0]), load(&parts[1])] }
}

impl Masks for Avx2 {
    #[inline(always)]
    fn texts(self, block: &[u8; BLOCK]) -> Texts {
        // SAFETY: `self` exists, so the features were detected.
        unsafe {
            let block = vectors(block);
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
            let block = vectors(block);
            Brackets {
                opens: mask(block, 0x20, b'{'),
                closes: mask(block, 0x20, b'}'),
            }
        }
    }

    #[inline(always)]
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
        // SAFETY: `self` exists, so the features were detected.
        unsafe { mask(vectors(block), fold, byte) }
    }

    #[inline(always)]
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        // SAFETY: `self` exists, so the features were detected; memory is only
        // touched by `vectors`.
        unsafe {
            let highest = _mm256_set1_epi8((byte - 1).cast_signed());
            let [low, high] = vectors(block);
            let low = _mm256_cmpeq_epi8(_mm256_min_epu8(low, highest), low);
            let high = _mm256_cmpeq_epi8(_mm256_min_epu8(high, highest), high);
            let (low, high) = (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high));
            u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
        }
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
        let (parts, _) = stride.as_chunks::<32>();
        // SAFETY: `self` exists, so the features were detected; memory is only
        // touched by `load`.
        unsafe {
            let quote = _mm256_set1_epi8(b'"'.cast_signed());
            let mut found = _mm256_setzero_si256();
            for part in parts {
                found = _mm256_or_si256(found, _mm256_cmpeq_epi8(load(part), quote));
            }
            _mm256_movemask_epi8(found) != 0
        }
    }
}
