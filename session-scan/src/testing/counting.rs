//! A corpus that counts what is asked of another.
//!
//! Owns [`Counting`]. Must not change an answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{Corpus, Entry, Listing, OpenError};

/// Passes everything on and counts calls, bytes and files open at once.
#[derive(Debug)]
pub struct Counting<C> {
    inner: C,
    lists: AtomicUsize,
    opens: AtomicUsize,
    reads: AtomicUsize,
    bytes: AtomicU64,
    open_now: Arc<AtomicUsize>,
    open_most: AtomicUsize,
}

/// An opened file that is counted as open until it is dropped.
#[derive(Debug)]
pub struct CountingFile<F> {
    inner: F,
    open_now: Arc<AtomicUsize>,
}

impl<F> CountingFile<F> {
    /// Gives the file of the corpus inside.
    pub fn inner(&self) -> &F {
        &self.inner
    }
}

impl<F> Drop for CountingFile<F> {
    fn drop(&mut self) {
        self.open_now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C> Counting<C> {
    /// Starts counting at zero.
    #[must_use]
    pub fn new(inner: C) -> Self {
        Self {
            inner,
            lists: AtomicUsize::default(),
            opens: AtomicUsize::default(),
            reads: AtomicUsize::default(),
            bytes: AtomicU64::default(),
            open_now: Arc::default(),
            open_most: AtomicUsize::default(),
        }
    }

    /// Gives the corpus inside.
    pub fn inner(&self) -> &C {
        &self.inner
    }

    /// Counts calls of `list`.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.lists.load(Ordering::Relaxed)
    }

    /// Counts calls of `open`, failed ones too.
    #[must_use]
    pub fn opens(&self) -> usize {
        self.opens.load(Ordering::Relaxed)
    }

    /// Counts calls of `read_at`.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// Counts bytes read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts files that are open now.
    #[must_use]
    pub fn open_now(&self) -> usize {
        self.open_now.load(Ordering::Relaxed)
    }

    /// Gives the largest number of files that were open at once.
    #[must_use]
    pub fn open_most(&self) -> usize {
        self.open_most.load(Ordering::Relaxed)
    }
}

impl<C: Corpus> Corpus for Counting<C> {
    type File = CountingFile<C::File>;

    fn list(&self) -> io::Result<Listing> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.inner.list()
    }

    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError> {
        self.opens.fetch_add(1, Ordering::Relaxed);
        let inner = self.inner.open(entry)?;
        let now = self.open_now.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_most.fetch_max(now, Ordering::Relaxed);
        Ok(CountingFile {
            inner,
            open_now: Arc::clone(&self.open_now),
        })
    }

    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let read = self.inner.read_at(&file.inner, buf, offset)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
