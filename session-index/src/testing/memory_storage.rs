//! A storage in memory. Knows names and bytes only.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::gate::{Gate, WAIT};
use crate::stamp::{Stamp, Watch};
use crate::storage::{IndexStorage, StorageLock};

/// Keeps blobs in memory, with a lock inside this process.
#[derive(Debug)]
pub struct MemoryStorage {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    watched: Mutex<Option<Stamp>>,
    gate: Gate,
    wait: Duration,
}

impl Watch for MemoryStorage {
    fn stamp(&self) -> io::Result<Option<Stamp>> {
        Ok(*self.watched())
    }

    fn settles(&self, _stamp: &Stamp) -> bool {
        true
    }
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStorage {
    /// Makes an empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self {
            blobs: Mutex::default(),
            watched: Mutex::default(),
            gate: Gate::default(),
            wait: WAIT,
        }
    }

    /// Says what the watched directory's stamp is from now on; `None`, as in the beginning, for nothing watched.
    pub fn set_stamp(&self, stamp: Option<Stamp>) {
        *self.watched() = stamp;
    }

    fn watched(&self) -> MutexGuard<'_, Option<Stamp>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how long the lock is waited for; the default is 10 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Returns the names of all blobs, sorted.
    pub fn names(&self) -> Vec<String> {
        self.blobs().keys().cloned().collect()
    }

    /// Writes a blob behind the back of whoever uses the storage, as a foreign program or a failing disk would.
    pub fn put(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.blobs().insert(name.to_owned(), bytes.into());
    }

    /// Returns a copy of the blob `name`.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.blobs().get(name).cloned()
    }

    fn blobs(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexStorage for MemoryStorage {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self
            .blobs()
            .get(name)
            .map(|bytes| bytes[..bytes.len().min(limit)].to_vec()))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(name, bytes);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        Ok(self.blobs().remove(name).is_some())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(Self::names(self))
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        self.gate
            .enter(self.wait)
            .map(StorageLock::new)
            .ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}
