//! How far a long call has come, and the caller's word to go on or stop. Knows no operation.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// How far a call has come that looks at many files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Files looked at so far.
    pub files: u64,
    /// Files that will have been looked at when the call is done, as far as is known by now; it may grow.
    pub of: u64,
    /// Bytes of session files read so far.
    pub bytes_read: u64,
}

/// The function that is told how far a call has come.
type Observe = dyn Fn(&Progress) -> ControlFlow<()> + Send + Sync;

/// A caller's function that watches a long call, or none.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<Observe>>);

impl Watch {
    pub(crate) fn new(
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Tells how far the call has come.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where the caller wants it to stop.
    fn tell(&self, progress: &Progress) -> Result<(), Error> {
        match self.0.as_ref().map(|observe| observe(progress)) {
            Some(ControlFlow::Break(())) => Err(Error::Cancelled),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }
}

/// One call's way through its files, of which whichever thread has looked at one tells the caller's function. It is called by one
/// thread at a time, what it is told never falls, and once it has ended the call it is not called again.
#[derive(Debug)]
pub(crate) struct Course<'w> {
    watch: &'w Watch,
    so_far: Mutex<Progress>,
    is_over: AtomicBool,
}

impl<'w> Course<'w> {
    pub(crate) fn new(watch: &'w Watch) -> Self {
        Self {
            watch,
            so_far: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Whether anybody is told.
    pub(crate) fn is_watched(&self) -> bool {
        self.watch.0.is_some()
    }

    /// Whether the caller has ended the call.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn so_far(&self) -> MutexGuard<'_, Progress> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes read by now.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.so_far().bytes_read
    }

    /// Counts on so many files more.
    pub(crate) fn expect(&self, files: usize) {
        self.so_far().of += files as u64;
    }

    /// Tells that so many files more were looked at, and how many bytes were read by now.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where the caller wants the call to stop.
    pub(crate) fn step(&self, files: u64, bytes_read: u64) -> Result<(), Error> {
        if !self.is_watched() {
            return Ok(());
        }
        let mut so_far = self.so_far();
        if self.is_over() {
            return Err(Error::Cancelled);
        }
        so_far.files += files;
        // What nobody counted on has come to light on the way.
        so_far.of = so_far.of.max(so_far.files);
        so_far.bytes_read = so_far.bytes_read.max(bytes_read);
        let told = self.watch.tell(&so_far);
        self.is_over.store(told.is_err(), Ordering::Relaxed);
        told
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch" } else { "None" })
    }
}
