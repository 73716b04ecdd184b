//! How far a long call has come, and the caller's word to go on or stop. Knows no operation.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

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

    /// The same function for a part of the call; what it was told last is noted, so that the rest can go on from there.
    pub(crate) fn noting(&self, last: &Arc<Mutex<Progress>>) -> Self {
        let Some(observe) = self.0.clone() else {
            return Self(None);
        };
        let last = Arc::clone(last);
        Self::new(move |progress| {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = *progress;
            observe(progress)
        })
    }

    /// Tells how far the call has come.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where the caller wants it to stop.
    pub(crate) fn tell(&self, progress: &Progress) -> Result<(), Error> {
        match self.0.as_ref().map(|observe| observe(progress)) {
            Some(ControlFlow::Break(())) => Err(Error::Cancelled),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch" } else { "None" })
    }
}
