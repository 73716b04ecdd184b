//! The files there are, as a trait, so that scanning does not care where they lie.
//!
//! Owns [`Corpus`]. Must not know directories, JSON or ranks.

use std::io;

use crate::{Entry, Listing, OpenError};

/// A set of files that can be listed, opened and read at any offset.
///
/// `open` and `read_at` are called from several threads at once. Every implementation passes
/// `testing::corpus_conformance` (feature `testing`).
pub trait Corpus: Sync {
    /// An opened file.
    ///
    /// It lives on one worker, which drops it before it opens the next: a scan holds at most as many open files as it
    /// has threads or reads in flight.
    type File: Send;

    /// Lists the candidates, and what looks like one and is none.
    ///
    /// # Errors
    ///
    /// Gives an error only if the whole listing failed. One bad entry belongs into [`Listing::rejected`], and a corpus
    /// that does not exist is an empty listing.
    fn list(&self) -> io::Result<Listing>;

    /// Opens a listed file for reading.
    ///
    /// # Errors
    ///
    /// [`OpenError::Vanished`] if it is gone, which callers treat as a miss; [`OpenError::Rejected`] for everything else.
    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError>;

    /// Reads at most `buf.len()` bytes that start at `offset`, and says how many it read.
    ///
    /// Fewer bytes than asked for do not mean the end of the file; 0 bytes for a non-empty buffer do. A file that
    /// shrank meanwhile simply ends earlier.
    ///
    /// # Errors
    ///
    /// Whatever the medium says.
    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl<C: Corpus + ?Sized> Corpus for &C {
    type File = C::File;

    fn list(&self) -> io::Result<Listing> {
        (**self).list()
    }

    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError> {
        (**self).open(entry)
    }

    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(file, buf, offset)
    }
}
