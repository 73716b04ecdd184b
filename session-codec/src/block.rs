//! Sixty-four bytes at a time: which of them are quotes, backslashes, brackets,
//! commas and control characters, as bits of one word. Owns the instruction sets and the choice
//! among them; must not know what a bit means in a document.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

/// Bytes of a block: as many as a word has bits.
pub(crate) const BLOCK: usize = 64;

/// Bytes of a stride: what is looked at together where only quotes matter.
pub(crate) const STRIDE: usize = 4 * BLOCK;

/// Where in a block what tells strings from the rest stands. Bit `i`, counted
/// from the lowest, is byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) quotes: u64,
    pub(crate) slashes: u64,
}

/// Where brackets stand in a block, likewise: asked for apart, as in the middle
/// of a string they are no brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brackets {
    /// `{` and `[`.
    pub(crate) opens: u64,
    /// `}` and `]`.
    pub(crate) closes: u64,
}

/// Makes masks with one instruction set. A value of a type that implements this
/// is the proof that the machine has it.
pub(crate) trait Masks: Copy {
    fn texts(self, block: &[u8; BLOCK]) -> Texts;

    fn brackets(self, block: &[u8; BLOCK]) -> Brackets;

    /// Where a byte stands.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn equal(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        self.alike(block, 0, byte)
    }

    /// Where a byte stands, once the bits of `fold` are set in all.
    fn alike(self, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64;

    /// Where bytes stand that are less than a byte of ASCII other than 0.
    fn below(self, block: &[u8; BLOCK], byte: u8) -> u64;

    /// Sets each bit to the parity of the bits up to and with it: with quotes
    /// in, the insides of strings come out, opening quotes included.
    fn parities(self, bits: u64) -> u64;

    fn has_quote(self, stride: &[u8; STRIDE]) -> bool;
}

/// A loop over blocks, compiled once for each instruction set.
pub(crate) trait Kernel {
    type Output;

    fn run<M: Masks>(self, masks: M) -> Self::Output;
}

/// An instruction set that the search for structure may use. Answers never
/// depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "testing"),
    expect(unreachable_pub, reason = "only tests choose one")
)]
pub enum Instructions {
    /// Words of 64 bits; everywhere.
    Portable,
    /// 128-bit vectors of x86-64.
    Sse2,
    /// 256-bit vectors of x86-64, with carry-less multiplication.
    Avx2,
    /// 512-bit vectors of x86-64, likewise.
    Avx512,
    /// 128-bit vectors of `AArch64`.
    Neon,
}

impl Instructions {
    /// Every instruction set, the best first.
    #[cfg_attr(
        not(feature = "testing"),
        expect(unreachable_pub, reason = "only tests choose one")
    )]
    pub const ALL: [Self; 5] = [
        Self::Avx512,
        Self::Avx2,
        Self::Neon,
        Self::Sse2,
        Self::Portable,
    ];

    /// Reports whether this machine has it. Detection is the standard
    /// library's, which remembers what it found.
    #[must_use]
    #[cfg_attr(
        not(feature = "testing"),
        expect(unreachable_pub, reason = "only tests choose one")
    )]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Avx2::new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::Avx512::new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::Neon::new().is_some(),
            #[cfg_attr(
                not(any(target_arch = "x86_64", target_arch = "aarch64")),
                expect(unreachable_patterns, reason = "other machines have no other")
            )]
            _ => false,
        }
    }

    /// Returns the best that this machine has.
    pub(crate) fn best() -> Self {
        let best = Self::ALL.into_iter().find(|set| set.is_available());
        best.unwrap_or(Self::Portable)
    }

    /// Makes sure that the machine has it; where it does not, the portable one
    /// takes its place.
    pub(crate) fn detect(self) -> Detected {
        let found = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::Avx512::new().map(Set::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Avx2::new().map(Set::Avx2),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => Some(Set::Sse2),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::Neon::new().map(Set::Neon),
            _ => None,
        };
        Detected(found.unwrap_or(Set::Portable))
    }
}

/// An instruction set that the machine is known to have, so that nothing is
/// asked again for each of many short loops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detected(Set);

/// The sets with the proofs that they are there.
#[derive(Debug, Clone, Copy)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
}

impl Detected {
    /// Runs a loop with this instruction set.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Set::Portable => kernel.run(portable::Portable),
            #[cfg(target_arch = "x86_64")]
            Set::Sse2 => kernel.run(sse2::Sse2),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(masks) => masks.enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(masks) => masks.enter(kernel),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(masks) => masks.enter(kernel),
        }
    }
}

/// Returns the parities of a word's bits by doubling, for sets without an
/// instruction for it.
#[inline]
fn parities(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests;
