//! Blobs in memory, by the same protocol as on disk: for sessions that shall leave no trace, and for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Access, AppendFile, Area, Backend, BackendListing, BackendNames, Blob, BlobStat, DirBackend,
    Lock, LockName, OpenBlob, PublishStep, Stamp, Surroundings, Trust, WriteStep,
};
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::MemoryFs;

/// Blobs in memory. A clone is the same backend.
#[derive(Clone, Debug)]
pub struct MemoryBackend(Arc<DirBackend<MemoryFs>>);

impl MemoryBackend {
    /// Makes an empty backend.
    #[must_use]
    pub fn new() -> Self {
        Self::with_file_system(MemoryFs::new())
    }

    /// Makes a backend on a file system, so that two can share it as two processes share a disk.
    #[must_use]
    pub fn with_file_system(fs: MemoryFs) -> Self {
        Self(Arc::new(DirBackend::unjudged(fs, Trust::strict())))
    }

    /// Gives the file system below.
    #[must_use]
    pub fn file_system(&self) -> &MemoryFs {
        self.0.file_system()
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for MemoryBackend {
    fn list(&self, area: Area) -> Result<BackendListing, Error> {
        self.0.list(area)
    }
    fn names(&self, area: Area) -> Result<BackendNames, Error> {
        self.0.names(area)
    }
    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
        self.0.stat_area(area)
    }
    fn stamp(&self) -> Result<Option<Stamp>, Error> {
        self.0.stamp()
    }
    fn disturb(&self) -> Result<(), Error> {
        self.0.disturb()
    }
    fn settles(&self, lock: &Lock, stamp: &Stamp) -> bool {
        self.0.settles(lock, stamp)
    }
    fn overwrite(&self, lock: &Lock, blob: &Blob<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.0.overwrite(lock, blob, bytes)
    }
    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
        self.0.stat(blob)
    }
    fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        Backend::open(&*self.0, blob)
    }
    fn open_listed(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.0.open_listed(blob)
    }
    fn replace(
        &self,
        lock: &Lock,
        blob: &Blob<'_>,
        durability: Durability,
        write: &mut WriteStep<'_>,
        publish: &mut PublishStep<'_>,
    ) -> Result<BlobStat, Error> {
        self.0.replace(lock, blob, durability, write, publish)
    }
    fn persist(&self, lock: &Lock, blob: &Blob<'_>) -> Result<(), Error> {
        self.0.persist(lock, blob)
    }
    fn append(&self, lock: &Lock, blob: &Blob<'_>) -> Result<Option<Box<dyn AppendFile>>, Error> {
        self.0.append(lock, blob)
    }
    fn transfer(
        &self,
        lock: &Lock,
        from: &Blob<'_>,
        to: &Blob<'_>,
        durability: Durability,
        publish: &mut PublishStep<'_>,
    ) -> Result<bool, Error> {
        self.0.transfer(lock, from, to, durability, publish)
    }
    fn remove(&self, lock: &Lock, blob: &Blob<'_>, durability: Durability) -> Result<bool, Error> {
        self.0.remove(lock, blob, durability)
    }
    fn lock(&self, name: LockName<'_>, wait: Duration) -> Result<Lock, Error> {
        self.0.lock(name, wait)
    }
    fn turns(&self, name: LockName<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.0.turns(name)
    }
    fn sweep(&self) -> Result<u64, Error> {
        self.0.sweep()
    }
    fn access(&self, blob: &Blob<'_>) -> Result<Option<Access>, Error> {
        self.0.access(blob)
    }
    fn surroundings(&self) -> Result<Surroundings, Error> {
        self.0.surroundings()
    }

    fn describe(&self, blob: &Blob<'_>) -> PathBuf {
        self.0.describe(blob)
    }
}
