//! Locks: one table in the process, and a lock file for the other processes, with a bounded wait. Knows no blobs.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use session_model::SessionId;

use super::owner::{LockOwner, WIDTH};
use crate::error::Error;
use crate::fs::{FileLock, FileSystem};

/// The first pause between two tries at another process's lock; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_micros(250);
/// The longest pause: a waiter sees a free lock this late at most. A holder that lets go and locks again at once is free for some
/// microseconds only, so whoever seldom looks hardly ever has its turn.
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockName<'a> {
    /// Everything that belongs to the session of this id.
    Session(&'a str),
    /// The index, and the moment in which documents change under it.
    Index,
}

impl LockName<'_> {
    /// The name of the index's lock: no session id begins with a dot.
    pub(crate) const INDEX: &'static str = ".index";

    /// Checks the name; the text is a file name's stem and a temporary's first part.
    pub(crate) fn checked(&self) -> Result<String, Error> {
        match self {
            Self::Session(id) => Ok(SessionId::new(id)?.as_str().to_owned()),
            Self::Index => Ok(Self::INDEX.to_owned()),
        }
    }

    /// Reads a checked name back.
    pub(crate) fn from_checked(name: &str) -> LockName<'_> {
        if name == Self::INDEX {
            LockName::Index
        } else {
            LockName::Session(name)
        }
    }
}

/// A held lock; dropping it lets the next writer in.
#[must_use = "the lock is released as soon as this is dropped"]
pub struct Lock {
    name: String,
    guard: Box<dyn Guard>,
}

/// What keeps a lock held until it is dropped.
trait Guard: Send + Sync {
    /// See [`FileLock::turn`].
    fn turn(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A guard of somebody else's making.
struct Foreign<G>(G);

impl<G: Send + Sync> Guard for Foreign<G> {}

impl Lock {
    /// Makes a lock whose guard releases it when dropped, for implementations of [`Backend`](super::Backend).
    pub fn new(name: impl Into<String>, guard: impl Send + Sync + 'static) -> Self {
        Self {
            name: name.into(),
            guard: Box::new(Foreign(guard)),
        }
    }

    /// Shows everybody who looks that it was somebody's turn; nothing where [`Backend::turns`](super::Backend::turns) has
    /// nothing to look at.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    pub fn turn(&self) -> io::Result<()> {
        self.guard.turn()
    }

    /// Tells the lock's name: a session id, or `.index`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The locks that this backend holds, so that threads queue on a condition instead of polling a file.
#[derive(Debug, Default)]
pub(super) struct LockTable {
    held: Mutex<HashSet<String>>,
    freed: Condvar,
}

/// A name in the table; dropping it takes the name out.
#[derive(Debug)]
struct Entry {
    table: Arc<LockTable>,
    name: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.names().remove(&self.name);
        self.table.freed.notify_all();
    }
}

/// Both halves of a held lock. Fields are dropped in order: the file first, so that the next thread finds it free.
#[derive(Debug)]
struct Held {
    file: Box<dyn FileLock>,
    _entry: Entry,
}

impl Guard for Held {
    fn turn(&self) -> io::Result<()> {
        self.file.turn()
    }
}

impl LockTable {
    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        // The set is never left half changed, so a panic elsewhere does not spoil it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a name, waiting for another thread to leave; `None` if the deadline passes first.
    fn enter(self: &Arc<Self>, name: &str, deadline: Instant) -> Option<Entry> {
        let mut names = self.names();
        while names.contains(name) {
            let left = deadline
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())?;
            names = self
                .freed
                .wait_timeout(names, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        names.insert(name.to_owned());
        Some(Entry {
            table: Arc::clone(self),
            name: name.to_owned(),
        })
    }

    /// Takes the lock called `name`, whose file is `path`; `None` if it stays held for `wait`.
    pub(super) fn acquire<F: FileSystem>(
        self: &Arc<Self>,
        fs: &F,
        name: &str,
        path: &str,
        wait: Duration,
    ) -> io::Result<Option<Lock>> {
        // A wait that overflows the clock is as good as a day.
        let now = Instant::now();
        let deadline = now
            .checked_add(wait)
            .unwrap_or(now + Duration::from_secs(86_400));
        let Some(entry) = self.enter(name, deadline) else {
            return Ok(None);
        };
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(file) = fs.try_lock(path)? {
                if name != LockName::INDEX {
                    // A hint: what it costs to go without is less than what a full disk would cost the caller.
                    let _ = file.sign(&LockOwner::now().line());
                }
                let held = Held {
                    file,
                    _entry: entry,
                };
                return Ok(Some(Lock {
                    name: name.to_owned(),
                    guard: Box::new(held),
                }));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Who wrote into a lock's file that it holds it. The length of the index's says whose turn it was instead.
    pub(super) fn owner<F: FileSystem>(fs: &F, name: &str, path: &str) -> Option<LockOwner> {
        if name == LockName::INDEX {
            return None;
        }
        let file = fs.turns(path).ok().flatten()?;
        let mut line = [0; WIDTH + 1];
        let read = file.read_at(&mut line, 0).ok()?;
        LockOwner::parse(line.get(..read)?)
    }
}
