//! The conformance suite's part on adding to blobs: what it must let pass, and the mutants it must catch.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use session_store::backend::{
    AppendFile, Area, Backend, BackendListing, Blob, BlobStat, Lock, LockName, MemoryBackend,
    OpenBlob, PublishStep, WriteStep, backend_conformance, publish_now,
};
use session_store::{Durability, Error};

/// What a backend does otherwise than a memory.
#[derive(Clone, Copy, Debug)]
enum Deviation {
    /// It can only replace, and says so, which is allowed.
    Replaces,
    /// Adding to what is not there begins it.
    Begins,
    /// A cut does nothing.
    NeverCuts,
    /// What is written goes nowhere, and success is reported.
    Forgets,
    /// What is not there is made durable all the same.
    Believes,
}

#[derive(Debug)]
struct Deviating(MemoryBackend, Deviation);

#[derive(Debug)]
struct DeviatingFile(Box<dyn AppendFile>, Deviation);

#[test]
fn a_backend_that_can_only_replace_conforms() {
    backend_conformance(|| Box::new(Deviating(MemoryBackend::new(), Deviation::Replaces)));
}

#[test]
fn mutants_that_add_wrongly_do_not_conform() {
    for deviation in [
        Deviation::Begins,
        Deviation::NeverCuts,
        Deviation::Forgets,
        Deviation::Believes,
    ] {
        let caught = std::panic::catch_unwind(|| {
            backend_conformance(|| Box::new(Deviating(MemoryBackend::new(), deviation)));
        });
        assert!(caught.is_err(), "{deviation:?} must not conform");
    }
}

impl Backend for Deviating {
    fn append(&self, lock: &Lock, blob: &Blob<'_>) -> Result<Option<Box<dyn AppendFile>>, Error> {
        match self.1 {
            Deviation::Replaces => {
                let unsupported = io::ErrorKind::Unsupported.into();
                return Err(Error::io("open", &self.0.describe(blob), unsupported));
            }
            Deviation::Begins if self.0.stat(blob)?.is_none() => {
                let mut nothing = |_: &mut dyn io::Write| Ok(());
                let durability = Durability::Full;
                self.0
                    .replace(lock, blob, durability, &mut nothing, &mut publish_now)?;
            }
            _ => {}
        }
        let file = self.0.append(lock, blob)?;
        Ok(file.map(|file| Box::new(DeviatingFile(file, self.1)) as Box<dyn AppendFile>))
    }
    fn persist(&self, lock: &Lock, blob: &Blob<'_>) -> Result<(), Error> {
        match (self.1, self.0.persist(lock, blob)) {
            (Deviation::Believes, Err(error)) if error.io_kind().is_some() => Ok(()),
            (_, answer) => answer,
        }
    }

    fn list(&self, area: Area) -> Result<BackendListing, Error> {
        self.0.list(area)
    }
    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
        self.0.stat_area(area)
    }
    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
        self.0.stat(blob)
    }
    fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        Backend::open(&self.0, blob)
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
    fn sweep(&self) -> Result<u64, Error> {
        self.0.sweep()
    }
    fn describe(&self, blob: &Blob<'_>) -> PathBuf {
        self.0.describe(blob)
    }
}

impl io::Write for DeviatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.1 {
            Deviation::Forgets => Ok(bytes.len()),
            _ => self.0.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl AppendFile for DeviatingFile {
    fn commit(&mut self) -> io::Result<()> {
        self.0.commit()
    }
    fn truncate(&mut self, size: u64) -> io::Result<()> {
        match self.1 {
            Deviation::NeverCuts => Ok(()),
            _ => self.0.truncate(size),
        }
    }
    fn stat(&self) -> io::Result<BlobStat> {
        self.0.stat()
    }
}
