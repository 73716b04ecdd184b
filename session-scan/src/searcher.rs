//! Substring search over whole files, block by block.
//!
//! Owns the patterns, the reused buffer and the borders between blocks. Must not know what the patterns mean.

use std::io;
use std::ops::ControlFlow;

use memchr::memmem::Finder;

use crate::Corpus;

mod block;
mod buffer;
mod parallel;
mod sieve;

pub use buffer::SearchBuffer;
pub use parallel::{Next, Searched, Visitor};
pub use sieve::{CandidateFinder, Sieve, Sifted};

/// Bytes read at once. Reading 128 KB into the same buffer again and again, which stays in the cache of its core, beats
/// mapping files, whose page faults all wait for one lock; see `docs/benchmarks.md` of the project.
const BLOCK: usize = 128 * 1024;

/// One occurrence of one pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Match {
    /// Where the occurrence starts, in bytes from the beginning of the file.
    pub offset: u64,
    /// Which pattern it is, counted from 0 in the order given to [`Searcher::new`].
    pub pattern: usize,
}

/// Finds every occurrence of some byte patterns in files.
///
/// Every occurrence is reported exactly once, overlapping ones too, also where blocks meet and where reads come back
/// short; within a file they come by offset, then by pattern. An empty pattern occurs at every offset, the end included.
/// Files are read, never mapped, so a file that shrinks meanwhile ends early and harms nobody.
#[derive(Clone, Debug)]
#[must_use]
pub struct Searcher {
    finders: Vec<Finder<'static>>,
    block: usize,
}

impl Searcher {
    /// Prepares a search for these patterns.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let finders = patterns
            .into_iter()
            .map(|pattern| Finder::new(&pattern.into()).into_owned())
            .collect();
        Self {
            finders,
            block: BLOCK,
        }
    }

    /// Sets how many bytes are read at once; 128 KB unless told, and at least 1.
    pub fn block_bytes(mut self, bytes: usize) -> Self {
        self.block = bytes.max(1);
        self
    }

    /// Calls `visit` for every occurrence in one file until it says break; gives the number of bytes read.
    ///
    /// # Errors
    ///
    /// The first error of a read; what was visited before stands.
    pub fn search_file<C: Corpus>(
        &self,
        corpus: &C,
        file: &C::File,
        buffer: &mut SearchBuffer,
        visit: impl FnMut(Match) -> ControlFlow<()>,
    ) -> io::Result<u64> {
        self.blocks(corpus, file, buffer, visit, || ControlFlow::Continue(()))
    }

    /// Gives the first occurrence of any pattern in one file, reading no further than its block.
    ///
    /// # Errors
    ///
    /// The first error of a read before an occurrence.
    pub fn contains_any<C: Corpus>(
        &self,
        corpus: &C,
        file: &C::File,
        buffer: &mut SearchBuffer,
    ) -> io::Result<Option<Match>> {
        let mut first = None;
        self.search_file(corpus, file, buffer, |found| {
            first = Some(found);
            ControlFlow::Break(())
        })?;
        Ok(first)
    }
}
