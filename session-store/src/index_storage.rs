//! Lets an index keep its files on the store's backend, so that crash models and fault injection see every one of them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use session_codec::ReadAt as _;
use session_index::{IndexStorage, Stamp, StorageLock, Turn, Watch};

use crate::backend::{Area, Backend, Blob, Lock, LockName, OpenBlob, publish_now};
use crate::{Durability, Error};

/// More than a pointer or the state takes for any path that people use, in bytes.
const SMALL: usize = 4096;

/// One area of a backend as an index's storage.
///
/// Nothing is synced: every file of the index says for itself whether it is whole, and a lost one only costs a scan. What is
/// proven is proven for this run of the system only.
#[derive(Debug)]
pub(crate) struct BackendStorage {
    backend: Arc<dyn Backend>,
    area: Area,
    wait: Duration,
    /// The lock while it is held; the index writes only then.
    held: Mutex<Option<Lock>>,
    /// What shows the turns of that lock, once somebody has asked.
    turns: OnceLock<Box<dyn OpenBlob>>,
}

impl BackendStorage {
    pub(crate) fn new(backend: Arc<dyn Backend>, area: Area, wait: Duration) -> Self {
        Self {
            backend,
            area,
            wait,
            held: Mutex::new(None),
            turns: OnceLock::new(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Lock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked<T>(&self, then: impl FnOnce(&Lock) -> Result<T, Error>) -> io::Result<T> {
        match &*self.held() {
            Some(lock) => then(lock).map_err(refusal),
            None => Err(io::Error::other("index changed without its lock")),
        }
    }
}

/// Gives the lock back when the index's guard goes.
struct Release<'s>(&'s BackendStorage);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.held().take();
    }
}

impl Watch for BackendStorage {
    fn stamp(&self) -> io::Result<Option<Stamp>> {
        match self.area {
            // The map is in the sessions directory itself, so that writing it changes the stamp.
            Area::Shared => Ok(None),
            _ => self.backend.stamp().map_err(refusal),
        }
    }

    fn settles(&self, stamp: &Stamp) -> bool {
        // The trial of the clock leaves a temporary, which belongs to the lock.
        if let Some(lock) = &*self.held() {
            return self.backend.settles(lock, stamp);
        }
        let lock = self.backend.lock(LockName::Index, Duration::ZERO);
        lock.is_ok_and(|lock| self.backend.settles(&lock, stamp))
    }
}

impl IndexStorage for BackendStorage {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(blob) = self
            .backend
            .open(&Blob::new(self.area, name))
            .map_err(refusal)?
        else {
            return Ok(None);
        };
        // Files of the index are small and say themselves whether they are whole, so that a short read is their end.
        if self.area == Area::Index {
            let mut bytes = vec![0; limit.min(SMALL)];
            let read = blob.read_at(&mut bytes, 0)?;
            if read < bytes.len() || read == limit {
                bytes.truncate(read);
                return Ok(Some(bytes));
            }
        }
        let size = usize::try_from(blob.size()?)
            .unwrap_or(usize::MAX)
            .min(limit);
        let mut bytes = vec![0; size];
        let mut filled = 0;
        while filled < size {
            match blob.read_at(&mut bytes[filled..], filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(Some(bytes))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.locked(|lock| {
            let blob = Blob::new(self.area, name);
            let mut write = |out: &mut dyn io::Write| {
                out.write_all(bytes)
                    .map_err(|source| Error::io("write", &self.backend.describe(&blob), source))
            };
            self.backend.replace(
                lock,
                &blob,
                Durability::Process,
                &mut write,
                &mut publish_now,
            )
        })
        .map(|_| ())
    }

    fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.locked(|lock| {
            self.backend
                .overwrite(lock, &Blob::new(self.area, name), bytes)
        })
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        self.locked(|lock| {
            self.backend
                .remove(lock, &Blob::new(self.area, name), Durability::Process)
        })
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let listing = self.backend.list(self.area).map_err(refusal)?;
        Ok(listing
            .entries
            .into_iter()
            .map(|entry| entry.name)
            .collect())
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        let lock = self
            .backend
            .lock(LockName::Index, self.wait)
            .map_err(refusal)?;
        // Before anything is read: whoever writes after this sees it, and what was written before is seen by us.
        lock.turn()?;
        *self.held() = Some(lock);
        Ok(StorageLock::new(Release(self)))
    }

    fn turn(&self) -> Option<Turn> {
        let turns = if let Some(turns) = self.turns.get() {
            turns
        } else {
            let turns = self.backend.turns(LockName::Index).ok()??;
            self.turns.get_or_init(|| turns)
        };
        let stat = turns.stat().ok()?;
        Some(Turn::new(stat.inode, stat.size, stat.changed))
    }
}

/// Keeps the kind that the index looks at: whether a lock was held by somebody else.
fn refusal(error: Error) -> io::Error {
    match error {
        Error::Locked { .. } => io::Error::new(io::ErrorKind::WouldBlock, error),
        Error::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}
