//! The memory that files are read into. Owns where it begins; must not know what is looked for.

use std::fmt;
use std::ops::Range;

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// The buffer of one worker, kept from file to file.
///
/// # Memory
///
/// Nothing before the first search; then one block and the length of the longest pattern, or what a
/// [`Sieve`](super::Sieve) holds.
#[derive(Default)]
pub struct SearchBuffer {
    bytes: Aligned,
    /// Which of the bytes are a whole file that was left here.
    held: Range<usize>,
    /// Whether the last file had what was looked for.
    promising: bool,
}

impl SearchBuffer {
    /// Makes an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the whole file that the last [`Sieve::look`](super::Sieve::look) left here; nothing after any other answer.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        self.bytes
            .part(0, self.bytes.len)
            .get(self.held.clone())
            .unwrap_or_default()
    }

    /// Gives the bytes to read into; nothing is held any more.
    pub(super) fn bytes(&mut self) -> &mut Aligned {
        self.held = 0..0;
        &mut self.bytes
    }

    pub(super) fn hold(&mut self, held: Range<usize>) {
        self.held = held;
    }

    pub(super) fn is_promising(&self) -> bool {
        self.promising
    }

    pub(super) fn promises(&mut self, promising: bool) {
        self.promising = promising;
    }
}

impl fmt::Debug for SearchBuffer {
    /// Tells how large it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchBuffer")
            .field("bytes", &self.bytes.len)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

/// Zeroed bytes that begin at a cache line.
///
/// A large vector begins 16 bytes into a page, and the blocks of a file begin at pages. When the target of a copy begins 1
/// to 31 bytes further into its page than the source does, some processors take three to five times as long for the
/// instruction that kernels copy with (measured on AMD EPYC, in `docs/benchmarks.md` of the project).
#[derive(Default)]
pub(super) struct Aligned {
    allocation: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// Makes room for `len` bytes, of which the first `kept` stay what they are.
    pub(super) fn grow(&mut self, len: usize, kept: usize) {
        if self.len >= len {
            return;
        }
        let len = len.max(self.len.saturating_mul(2));
        let mut longer = vec![0; len.saturating_add(LINE - 1)];
        let start = longer.as_ptr().align_offset(LINE).min(LINE - 1);
        let kept = kept.min(self.len);
        longer[start..start + kept].copy_from_slice(self.part(0, kept));
        (self.allocation, self.start, self.len) = (longer, start, len);
    }

    pub(super) fn part(&self, from: usize, to: usize) -> &[u8] {
        &self.allocation[self.start + from..self.start + to]
    }

    pub(super) fn part_mut(&mut self, from: usize, to: usize) -> &mut [u8] {
        &mut self.allocation[self.start + from..self.start + to]
    }

    /// Moves the bytes from `from` to `to` so that they end before `before`.
    pub(super) fn carry(&mut self, from: usize, to: usize, before: usize) {
        let target = self.start + before - (to - from);
        self.allocation
            .copy_within(self.start + from..self.start + to, target);
    }
}

#[cfg(test)]
mod tests {
    use super::{Aligned, LINE};

    #[test]
    fn bytes_begin_at_a_cache_line_however_many_they_are_and_stay_what_they_are() {
        for len in [1, 63, 64, 65, 4096, 100_000, 256 << 10, 3 << 20] {
            let mut bytes = Aligned::default();
            bytes.grow(len, 0);
            assert_eq!(bytes.part(0, len).as_ptr().addr() % LINE, 0, "{len}");
            bytes.part_mut(0, len).fill(7);
            bytes.grow(2 * len + 1, len);
            let part = bytes.part(0, 2 * len + 1);
            assert_eq!(part.as_ptr().addr() % LINE, 0, "{len}");
            assert_eq!((part[len - 1], part[len]), (7, 0), "{len}");
            bytes.carry(len - 1, len, len.min(2));
            assert_eq!(bytes.part(0, 2)[len.min(2) - 1], 7, "{len}");
        }
    }
}
