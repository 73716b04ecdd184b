//! One look at one file for anything that could matter, leaving the file in memory where it does.
//!
//! Owns the reads of that look. Must not know what a candidate is.

use std::io;
use std::ops::ControlFlow;

use super::buffer::LINE;
use super::{BLOCK, SearchBuffer};
use crate::Corpus;

/// A file up to this size is left in memory when it has a candidate: most session files are smaller, and a few of these
/// buffers, one a worker, are nothing.
const HELD: usize = 4 << 20;

/// A cheap test of a stretch of bytes. It may only err towards yes.
pub trait CandidateFinder: Sync {
    /// Returns the place of the first candidate.
    fn find(&self, bytes: &[u8]) -> Option<usize>;

    /// Returns the bytes that a candidate takes at most.
    fn span(&self) -> usize;
}

/// What [`Sieve::look`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sifted {
    /// No candidate in the whole file.
    Absent,
    /// A candidate, and the whole file is in [`SearchBuffer::held`]; it begins at this offset or later, and none before, as the file
    /// was when it was first read.
    Held(u64),
    /// A candidate, in a file that is too long to be held; it begins at this offset or later, and none before.
    Candidate(u64),
    /// The caller broke off.
    Stopped,
}

/// Looks for a candidate in one file after another.
///
/// A file that has one and is short is read on to its end, into the buffer, so that it can be confirmed without another
/// read; of a long one, nothing behind the candidate's block is read.
///
/// # Memory
///
/// In the buffer: the longest file so far that was short enough to be held, 4 MB unless told otherwise, and a block.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Sieve<F> {
    finder: F,
    hold: usize,
    block: usize,
}

impl<F: CandidateFinder> Sieve<F> {
    /// Prepares looks for what `finder` finds.
    pub fn new(finder: F) -> Self {
        Self {
            finder,
            hold: HELD,
            block: BLOCK,
        }
    }

    /// Sets up to which size a file with a candidate is held in memory.
    pub fn hold_bytes(mut self, bytes: usize) -> Self {
        self.hold = bytes;
        self
    }

    /// Sets how many bytes are read at once; 128 KB unless told, and at least 1.
    pub fn block_bytes(mut self, bytes: usize) -> Self {
        self.block = bytes.max(1);
        self
    }

    /// Looks for the first candidate in a file of about `size` bytes, asking `pause` after each block whether to go on.
    ///
    /// Answers do not depend on `size` being right.
    ///
    /// # Errors
    ///
    /// The first error of a read.
    pub fn look<C: Corpus>(
        &self,
        corpus: &C,
        file: &C::File,
        size: u64,
        buffer: &mut SearchBuffer,
        mut pause: impl FnMut() -> ControlFlow<()>,
    ) -> io::Result<Sifted> {
        let overlap = self.finder.span().saturating_sub(1);
        // What is carried over ends where a cache line does, so that every read goes to the beginning of one.
        let lead = overlap.next_multiple_of(LINE);
        let hold = if size <= self.hold as u64 {
            self.hold
        } else {
            0
        };
        // Where the next file is likely to have a candidate too, all of it is kept from the start. Else each block goes to
        // the place of the one before, in the cache of the core, until there is a candidate.
        let mut keeps = hold > 0 && buffer.is_promising();
        let mut again = !keeps && hold > 0;
        let bytes = buffer.bytes();
        // Where in the file the byte at `begin` is; up to where the buffer is filled, and up to where no candidate begins.
        let (mut base, mut begin, mut filled, mut clear) = (0_u64, lead, lead, lead);
        let mut found = None;
        let sifted = loop {
            let kept = filled - begin;
            if let Some(at) = found
                && kept >= hold
            {
                break Sifted::Candidate(at);
            }
            if found.is_none() && kept > overlap && (!keeps || kept >= hold) {
                bytes.carry(filled - overlap, filled, lead);
                base += (kept - overlap) as u64;
                (begin, filled, clear) = (lead - overlap, lead, lead - overlap);
            }
            // At least as many new bytes as old ones.
            let target = filled + self.block.max(if base > 0 { overlap } else { 0 });
            bytes.grow(target, filled);
            let mut end = false;
            while filled < target && !end {
                let offset = base + (filled - begin) as u64;
                let read = corpus.read_at(file, bytes.part_mut(filled, target), offset)?;
                end = read == 0;
                filled += read;
            }
            if found.is_none() {
                let at = self.finder.find(bytes.part(clear, filled));
                found = at.map(|at| base + (clear - begin + at) as u64);
                clear = clear.max(filled.saturating_sub(overlap));
            }
            match found {
                None if end => break Sifted::Absent,
                Some(at) if end && base == 0 => break Sifted::Held(at),
                Some(_) if base > 0 && again => {
                    again = false;
                    (base, begin, filled) = (0, lead, lead);
                    keeps = true;
                }
                Some(at) if end || base > 0 => break Sifted::Candidate(at),
                _ => {}
            }
            if pause().is_break() {
                break Sifted::Stopped;
            }
        };
        if matches!(sifted, Sifted::Held(_)) {
            buffer.hold(begin..filled);
        }
        if sifted != Sifted::Stopped {
            buffer.promises(found.is_some());
        }
        Ok(sifted)
    }
}
