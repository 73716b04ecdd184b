//! A lock inside one process whose wait is bounded and whose guard may move to another thread. Knows nothing of what it
//! guards.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a lock is waited for unless the caller says otherwise.
///
/// A change holds the lock for a few small file operations, so ten seconds are several thousand changes ahead of ours.
pub(crate) const WAIT: Duration = Duration::from_secs(10);

/// A lock without data. `std`'s `MutexGuard` cannot be sent to another thread and its wait has no end.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// Holds the gate until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it opens the gate"]
pub(crate) struct Pass<'a>(&'a Gate);

impl Gate {
    /// Waits for the gate for no longer than `wait`; `None` if somebody else held it all the time.
    pub(crate) fn enter(&self, wait: Duration) -> Option<Pass<'_>> {
        let started = Instant::now();
        // A poisoned flag is still a right flag: the only code under the mutex is two assignments.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            let left = wait
                .checked_sub(started.elapsed())
                .filter(|left| !left.is_zero())?;
            (taken, _) = self
                .freed
                .wait_timeout(taken, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        Some(Pass(self))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}
