//! Memory that is read into. Owns where in its allocation it begins; must not
//! know what is read.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Zeroed bytes that begin at a cache line, as the place of each read in a file
/// does that is a multiple of it.
///
/// A large vector begins 16 bytes into a page. When the target of a copy begins
/// 1 to 31 bytes further into its page than the source does, the instruction
/// that kernels copy with takes five times as long on some processors (measured
/// on AMD EPYC: 100 MB out of the page cache take 37 ms instead of 7).
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub(crate) fn new(len: usize) -> Self {
        let mut bytes = vec![0; len.saturating_add(LINE - 1)];
        let start = start_in(&bytes);
        bytes.truncate(start + len);
        Self { bytes, start }
    }

    /// Makes it at least so long, by zeros; what is in it stays.
    pub(crate) fn grow(&mut self, len: usize) {
        if self.len() >= len {
            return;
        }
        let mut longer = Self::new(len);
        longer[..self.len()].copy_from_slice(self);
        *self = longer;
    }

    /// Makes it at least so long; what is in it may be lost.
    pub(crate) fn reach(&mut self, len: usize) {
        if self.len() < len {
            // First, so that the two are never held at once.
            *self = Self::default();
            *self = Self::new(len);
        }
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.start.saturating_add(len));
    }

    /// Gives out the vector and where in it the bytes begin.
    pub(crate) fn into_vec(self) -> (Vec<u8>, usize) {
        (self.bytes, self.start)
    }
}

/// Finds the first cache line in an allocation, if it reaches one.
fn start_in(bytes: &[u8]) -> usize {
    let start = bytes.as_ptr().align_offset(LINE);
    if start < LINE && start < bytes.len() {
        start
    } else {
        0
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, LINE};

    #[test]
    fn a_buffer_begins_at_a_cache_line_however_long_it_is() {
        for len in [1, 2, 63, 64, 65, 4096, 100_000, 256 << 10, 3 << 20] {
            let mut buffer = Buffer::new(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().addr() % LINE, 0, "{len}");
            buffer.fill(7);
            buffer.grow(2 * len);
            assert_eq!(buffer.as_ptr().addr() % LINE, 0, "{len}");
            assert_eq!(
                (buffer.len(), buffer[len - 1], buffer[len]),
                (2 * len, 7, 0)
            );
            buffer.truncate(len);
            let (bytes, start) = buffer.into_vec();
            assert_eq!(bytes[start..], vec![7; len]);
        }
        assert_eq!(Buffer::new(0).len(), 0);
    }
}
