//! Masks from 128-bit vectors of AArch64. Owns the intrinsics and the proof
//! that the machine has them.
#![expect(unsafe_code, reason = "vector instructions")]
#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the function that enables the features is compiled with them"
)]

use std::arch::aarch64::{
    uint8x16_t, vandq_u8, vceqq_u8, vcltq_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8, vmaxvq_u8,
    vorrq_u8, vpaddq_u8, vreinterpretq_u64_u8,
};

use super::{BLOCK, Brackets, Kernel, Masks, STRIDE, Texts};

/// Exists only where NEON was detected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists, so the feature was detected.
        unsafe { enter(self, kernel) }
    }
}

/// Compiles a loop with the feature.
///
/// # Safety
///
/// The machine has NEON; a value of [`Neon`] says so.
#[target_feature(enable = "neon")]
unsafe fn enter<K: Kernel>(masks: Neon, kernel: K) -> K::Output {
    kernel.run(masks)
}

/// Loads a vector.
///
/// # Safety
///
/// The machine has NEON.
#[inline(always)]
unsafe fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the pointer is to sixteen bytes that may be read; the caller
    // promises the feature.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Compares all bytes of a block, with the bits of `fold` set, with `byte`.
///
/// # Safety
///
/// The machine has NEON.
#[inline(always)]
unsafe fn mask(block: &[uint8x16_t; 4], fold: u8, byte: u8) -> u64 {
    // SAFETY: these touch no memory; the caller promises the feature.
    unsafe {
        let (fold, byte) = (vdupq_n_u8(fold), vdupq_n_u8(byte));
        gather(block.map(|part| vceqq_u8(vorrq_u8(part, fold), byte)))
    }
}

/// Makes a bit of each byte that is all ones or none.
///
/// # Safety
///
/// The machine has NEON.
#[inline(always)]
unsafe fn gather(marks: [uint8x16_t; 4]) -> u64 {
    const PLACES: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: only `load` touches memory, and the constant is long enough; the
    // caller promises the feature.
    unsafe {
        let places = load(&PLACES);
        let [a, b, c, d] = marks.map(|part| vandq_u8(part, places));
        // Three sums of neighbours make one byte of eight marks.
        let sums = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
    }
}

/// Loads a block.
///
/// # Safety
///
/// The machine has NEON.
#[inline(always)]
unsafe fn vectors(block: &[u8; BLOCK]) -> [uint8x16_t; 4] {
    let (parts, _) = block.as_chunks::<16>();
    // SAFETY: the caller promises the feature.
    unsafe {
        [
            load(&parts[0]),
            load(&parts[1]),
            load(&parts[2]),
            load(&parts[3]),
        ]
    }
}

impl Masks for Neon {
    #[inline(always)]
    fn texts(self, block: &[u8; BLOCK]) -> Texts {
        // SAFETY: `self` exists, so the feature was detected.
        unsafe {
            let block = vectors(block);
            Texts {
                quotes: mask(&block, 0, b'"'),
                slashes: mask(&block, 0, b'\\'),
            }
        }
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> Brackets {
        // SAFETY: `self` exists, so the feature was detected.
        unsafe {
            let block = vectors(block);
            Brackets {
                opens: mask(&block, 0x20, b'{'),
                closes: mask(&block, 0x20, b'}'),
            }
        }
    }

    #[inline(always)]
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
        // SAFETY: `self` exists, so the feature was detected.
        unsafe { mask(&vectors(block), fold, byte) }
    }

    #[inline(always)]
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        // SAFETY: `self` exists, so the feature was detected; memory is only
        // touched by `vectors`.
        unsafe {
            let byte = vdupq_n_u8(byte);
            gather(vectors(block).map(|part| vcltq_u8(part, byte)))
        }
    }

    #[inline(always)]
    fn parities(self, bits: u64) -> u64 {
        super::parities(bits)
    }

    #[inline(always)]
    fn has_quote(self, stride: &[u8; STRIDE]) -> bool {
        let (parts, _) = stride.as_chunks::<16>();
        // SAFETY: `self` exists, so the feature was detected; memory is only
        // touched by `load`.
        unsafe {
            let quote = vdupq_n_u8(b'"');
            let mut found = vdupq_n_u8(0);
            for part in parts {
                found = vorrq_u8(found, vceqq_u8(load(part), quote));
            }
            vmaxvq_u8(found) != 0
        }
    }
}
