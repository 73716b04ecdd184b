//! The hits of a search, as an iterator that owns the threads which find them.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::vec;

use super::Hit;
use super::queue::Queue;
use crate::Skipped;

/// What the threads of a search share with its consumer.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) queue: Queue<Vec<Hit>>,
    skipped: Mutex<Vec<Skipped>>,
    pub(crate) sessions: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
}

impl Run {
    pub(crate) fn skip(&self, skipped: Skipped) {
        self.skipped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(skipped);
    }

    pub(crate) fn take_skipped(&self) -> Vec<Skipped> {
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *skipped)
    }
}

/// The hits of a search: newest session first, and in each session in the order of its document.
///
/// Threads search ahead of the consumer, by a bounded number of hits. The first hit is given as soon as it is found; those that
/// follow may be left for a millisecond, as waking whoever waits costs more than finding them. Dropping the iterator stops the
/// threads within one read, and waits for that.
///
/// # Panics
///
/// `next` passes on a panic of a searching thread.
#[must_use = "a search that nobody reads is stopped at once"]
pub struct Hits {
    run: Arc<Run>,
    driver: Option<JoinHandle<()>>,
    ready: vec::IntoIter<Hit>,
    left: usize,
}

impl Hits {
    pub(crate) fn new(run: Arc<Run>, driver: JoinHandle<()>, limit: Option<usize>) -> Self {
        Self {
            run,
            driver: Some(driver),
            ready: Vec::new().into_iter(),
            left: limit.unwrap_or(usize::MAX),
        }
    }

    /// Takes what was looked at and could not be searched, or not all of it, so far: all there is once the iterator
    /// gave `None`, unless it was stopped or has reached its limit.
    ///
    /// A session that is named here may have hits as well: what could be told apart was searched.
    #[must_use = "the reports are gone from the search"]
    pub fn take_skipped(&mut self) -> Vec<Skipped> {
        self.run.take_skipped()
    }

    /// Sessions searched so far.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.run.sessions.load(Ordering::Relaxed)
    }

    /// Bytes of session files read so far, headers included.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.run.bytes_read.load(Ordering::Relaxed)
    }

    /// Gives a handle that stops the search from another thread, also while `next` waits.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.run))
    }

    /// Waits for a hit, and gives it with those that are there already; none when there are no more.
    #[cfg(feature = "tokio")]
    pub(crate) fn some(&mut self) -> Vec<Hit> {
        let Some(first) = self.next() else {
            return Vec::new();
        };
        let more = self.ready.len().min(self.left);
        self.left -= more;
        std::iter::once(first)
            .chain(self.ready.by_ref().take(more))
            .collect()
    }

    /// Waits for the threads, which have nothing more to do.
    fn join(&mut self) -> thread::Result<()> {
        self.driver.take().map_or(Ok(()), JoinHandle::join)
    }
}

impl Iterator for Hits {
    type Item = Hit;

    fn next(&mut self) -> Option<Hit> {
        if self.left > 0 && !self.run.queue.is_stopped() {
            if self.ready.as_slice().is_empty() {
                self.ready = self.run.queue.take().unwrap_or_default().into_iter();
            }
            if let Some(hit) = self.ready.next() {
                self.left -= 1;
                return Some(hit);
            }
        }
        self.run.queue.stop();
        if let Err(panic) = self.join() {
            resume_unwind(panic);
        }
        None
    }
}

impl std::iter::FusedIterator for Hits {}

impl Drop for Hits {
    fn drop(&mut self) {
        self.run.queue.stop();
        // A panic there was for `next` to pass on.
        let _ = self.join();
    }
}

impl fmt::Debug for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hits")
            .field("sessions", &self.sessions())
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Stops a search from anywhere. See [`Hits::stopper`].
#[derive(Clone)]
pub struct Stopper(Arc<Run>);

impl Stopper {
    /// Stops the search: its iterator gives `None` from now on, and its threads end within one read.
    pub fn stop(&self) {
        self.0.queue.stop();
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn run(&self) -> &Run {
        &self.0
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper")
            .field("stopped", &self.0.queue.is_stopped())
            .finish()
    }
}
