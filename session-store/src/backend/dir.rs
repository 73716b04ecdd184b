//! Blobs as files of one directory, on any [`FileSystem`]: opening, looking and reading. Writing is in `write`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::lock::LockTable;
use super::names::{LOCKS, lock_path};
use super::{
    Access, AppendFile, Area, Backend, BackendEntry, BackendListing, BackendNames, BackendRejected,
    Blob, BlobStat, Lock, LockName, OpenBlob, PublishStep, RejectReason, Stamp, Surroundings,
    Trust, WriteStep,
};
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::{
    DirEntry, DirName, EntryKind, FileKind, FileStat, FileSystem, OsFs, not_a_file_kind,
};

/// Blobs as files: documents in the directory itself, everything else in its `.store/`.
#[derive(Debug)]
pub struct DirBackend<F: FileSystem = OsFs> {
    pub(super) fs: F,
    trust: Trust,
    /// Set once the directory exists and was judged: its warning, if any.
    judged: OnceLock<Option<&'static str>>,
    locks: Arc<LockTable>,
    /// Directories whose entries this backend has synced or seen synced.
    pub(super) durable_dirs: Mutex<HashSet<&'static str>>,
    /// Whether the clock of a device was found to be fine, once that was tried.
    pub(super) clock: OnceLock<(u64, bool)>,
}

impl DirBackend {
    /// Opens a directory, which need not exist yet; nothing is written.
    ///
    /// # Errors
    ///
    /// [`Error::Untrusted`] if others could have planted what is in it and `trust` does not allow that, [`Error::Io`].
    pub fn open(dir: impl Into<PathBuf>, trust: Trust) -> Result<Self, Error> {
        Self::on_disk(OsFs::new(dir), trust)
    }

    /// Opens a directory through a file system that was configured.
    pub(crate) fn on_disk(fs: OsFs, trust: Trust) -> Result<Self, Error> {
        Self::with_file_system(
            if trust.follows_link() {
                fs.follow_root_link()
            } else {
                fs
            },
            trust,
        )
    }
}

impl<F: FileSystem> DirBackend<F> {
    /// Opens the root of any file system.
    ///
    /// # Errors
    ///
    /// As [`open`](DirBackend::open).
    pub fn with_file_system(fs: F, trust: Trust) -> Result<Self, Error> {
        let backend = Self::unjudged(fs, trust);
        backend.judge()?;
        Ok(backend)
    }

    /// Opens a root that the first call will judge.
    pub(super) fn unjudged(fs: F, trust: Trust) -> Self {
        Self {
            fs,
            trust,
            judged: OnceLock::new(),
            locks: Arc::default(),
            durable_dirs: Mutex::default(),
            clock: OnceLock::new(),
        }
    }

    /// Gives the file system below.
    #[must_use]
    pub fn file_system(&self) -> &F {
        &self.fs
    }

    /// Tells what is not as it should be with the directory, though not bad enough to refuse it.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        self.judged.get().copied().flatten()
    }

    /// Judges the directory, if it exists and was not judged before.
    pub(super) fn judge(&self) -> Result<(), Error> {
        if self.judged.get().is_some() {
            return Ok(());
        }
        let root = self.fs.root();
        match self.fs.stat("") {
            Ok(None) => Ok(()),
            Ok(Some(stat)) => {
                let warning = self.trust.judge(root, &stat)?;
                // Another thread may have been faster, with the same answer.
                let _ = self.judged.set(warning);
                Ok(())
            }
            // Opening it without following links failed: it is one, or no directory at all.
            Err(error) if is_not_a_directory(&error) => Err(Error::Untrusted {
                path: root.to_owned(),
                reason: "is a symbolic link or not a directory",
            }),
            Err(error) => Err(Error::io("open", root, error)),
        }
    }

    /// Builds an error that says what was tried on which path below the root.
    pub(super) fn error(&self, op: &'static str, path: &str, source: io::Error) -> Error {
        Error::io(op, &self.absolute(path), source)
    }

    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        if path.is_empty() {
            self.fs.root().to_owned()
        } else {
            self.fs.root().join(path)
        }
    }

    fn not_a_file(&self, path: &str, kind: FileKind) -> Error {
        Error::not_a_file(self.absolute(path), kind)
    }

    /// Opens a blob in one of the two ways.
    fn open_with<T>(
        &self,
        blob: &Blob<'_>,
        open: impl Fn(&str) -> io::Result<T>,
    ) -> Result<Option<T>, Error> {
        let path = blob.path()?;
        self.judge()?;
        match open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => match not_a_file_kind(&error) {
                Some(kind) => Err(self.not_a_file(&path, kind)),
                None => Err(self.error("open", &path, error)),
            },
        }
    }

    /// Stats a path that must be a regular file if it is anything.
    pub(super) fn stat_file(&self, path: &str) -> Result<Option<FileStat>, Error> {
        match self.fs.stat(path) {
            Ok(stat) => match stat.map(|stat| stat.kind) {
                Some(EntryKind::Not(kind)) => Err(self.not_a_file(path, kind)),
                Some(EntryKind::File) | None => Ok(stat),
            },
            Err(error) => Err(self.error("stat", path, error)),
        }
    }
}

/// Whether an error says that a directory on the way is a link or something else.
fn is_not_a_directory(error: &io::Error) -> bool {
    let looped = rustix::io::Errno::LOOP.raw_os_error();
    error.kind() == io::ErrorKind::NotADirectory || error.raw_os_error() == Some(looped)
}

/// The blob that a directory's name is of; what only looks like one is rejected.
fn blob_name(
    area: Area,
    name: OsString,
    kind: io::Result<EntryKind>,
    rejected: &mut Vec<BackendRejected>,
) -> Option<String> {
    let mut reject = |name, reason| rejected.push(BackendRejected::new(name, reason));
    let mut name = match name.into_string() {
        Ok(name) => name,
        Err(name) => {
            if area.stem(&name).is_some() {
                reject(name, RejectReason::Name);
            }
            return None;
        }
    };
    let reason = match (area.stem_of(&name)?.map(str::len), kind) {
        (Err(()), _) => RejectReason::Name,
        (Ok(_), Err(error)) => RejectReason::Io(error),
        (Ok(_), Ok(EntryKind::Not(kind))) => RejectReason::Kind(kind),
        (Ok(length), Ok(EntryKind::File)) => {
            name.truncate(length);
            return Some(name);
        }
    };
    reject(name.into(), reason);
    None
}

impl<F: FileSystem> Backend for DirBackend<F> {
    fn list(&self, area: Area) -> Result<BackendListing, Error> {
        self.judge()?;
        let dir = area.dir();
        let found = self.fs.list(dir, &mut |name| area.wants(name));
        let found = found
            .map_err(|error| self.error("list", dir, error))?
            .unwrap_or_default();
        let mut rejected = Vec::new();
        let entry = |DirEntry { name, stat, .. }| {
            let (kind, stat) = match stat {
                Ok(stat) => (Ok(stat.kind), Some(stat.blob)),
                Err(error) => (Err(error), None),
            };
            let name = blob_name(area, name, kind, &mut rejected)?;
            Some(BackendEntry::new(name, stat?))
        };
        // Collected where the names lie already, of which there may be thousands.
        let entries = found.into_iter().filter_map(entry).collect();
        Ok(BackendListing { entries, rejected })
    }

    fn names(&self, area: Area) -> Result<BackendNames, Error> {
        self.judge()?;
        let dir = area.dir();
        let found = self.fs.names(dir, &mut |name| area.wants(name));
        let found = found
            .map_err(|error| self.error("list", dir, error))?
            .unwrap_or_default();
        let mut rejected = Vec::new();
        let name = |found: DirName| blob_name(area, found.name, found.kind, &mut rejected);
        let names = found.into_iter().filter_map(name).collect();
        Ok(BackendNames { names, rejected })
    }

    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
        self.judge()?;
        let stat = self
            .fs
            .stat(area.dir())
            .map_err(|error| self.error("stat", area.dir(), error))?;
        Ok(stat.map(|stat| stat.blob))
    }

    fn stamp(&self) -> Result<Option<Stamp>, Error> {
        self.stamp_root()
    }

    fn disturb(&self) -> Result<(), Error> {
        let touched = self.fs.touch_dir("");
        touched.map_err(|error| self.error("touch", "", error))
    }

    fn settles(&self, lock: &Lock, stamp: &Stamp) -> bool {
        self.root_settles(lock, stamp)
    }

    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
        let path = blob.path()?;
        self.judge()?;
        Ok(self.stat_file(&path)?.map(|stat| stat.blob))
    }

    fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.open_with(blob, |path| self.fs.open(path))
    }

    fn open_listed(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.open_with(blob, |path| self.fs.open_listed(path))
    }

    fn persist(&self, _lock: &Lock, blob: &Blob<'_>) -> Result<(), Error> {
        let path = blob.path()?;
        self.judge()?;
        self.fs
            .sync_file(&path)
            .map_err(|error| self.error("sync", &path, error))?;
        let dir = blob.area.dir();
        // Nor may a directory above it be lost, whoever made it.
        self.ensure_dir(dir, Durability::Full)?;
        self.fs
            .sync_dir(dir)
            .map_err(|error| self.error("sync directory", dir, error))
    }

    fn append(&self, _lock: &Lock, blob: &Blob<'_>) -> Result<Option<Box<dyn AppendFile>>, Error> {
        self.open_with(blob, |path| self.fs.open_append(path))
    }

    fn replace(
        &self,
        lock: &Lock,
        blob: &Blob<'_>,
        durability: Durability,
        write: &mut WriteStep<'_>,
        publish: &mut PublishStep<'_>,
    ) -> Result<BlobStat, Error> {
        self.replace_file(
            lock,
            &blob.path()?,
            blob.area.dir(),
            durability,
            write,
            publish,
        )
    }

    fn overwrite(&self, lock: &Lock, blob: &Blob<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.overwrite_file(lock, &blob.path()?, blob.area.dir(), bytes)
    }

    fn transfer(
        &self,
        _lock: &Lock,
        from: &Blob<'_>,
        to: &Blob<'_>,
        durability: Durability,
        publish: &mut PublishStep<'_>,
    ) -> Result<bool, Error> {
        self.transfer_file(
            (&from.path()?, from.area.dir()),
            (&to.path()?, to.area.dir()),
            durability,
            publish,
        )
    }

    fn remove(&self, _lock: &Lock, blob: &Blob<'_>, durability: Durability) -> Result<bool, Error> {
        self.remove_file(&blob.path()?, blob.area.dir(), durability)
    }

    fn lock(&self, name: LockName<'_>, wait: Duration) -> Result<Lock, Error> {
        let name = name.checked()?;
        let path = lock_path(&name);
        self.judge()?;
        let mut lock = self.locks.acquire(&self.fs, &name, &path, wait);
        if lock
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            // What a lock's directory survives does not matter: the locks themselves do not survive either.
            self.ensure_dir(LOCKS, Durability::Process)?;
            lock = self.locks.acquire(&self.fs, &name, &path, wait);
        }
        let lock = lock.map_err(|error| self.error("lock", &path, error))?;
        lock.ok_or_else(|| Error::Locked {
            path: self.absolute(&path),
            owner: LockTable::owner(&self.fs, &name, &path),
        })
    }

    fn turns(&self, name: LockName<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        let path = lock_path(&name.checked()?);
        self.judge()?;
        self.fs
            .turns(&path)
            .map_err(|error| self.error("open", &path, error))
    }

    fn sweep(&self) -> Result<u64, Error> {
        self.sweep_temporaries()
    }

    fn access(&self, blob: &Blob<'_>) -> Result<Option<Access>, Error> {
        self.access_of(blob)
    }

    fn surroundings(&self) -> Result<Surroundings, Error> {
        self.look_around()
    }

    fn describe(&self, blob: &Blob<'_>) -> PathBuf {
        // A name that is none is not shown as part of a path: it may hold anything.
        blob.path().map_or_else(
            |_| self.absolute(blob.area.dir()),
            |path| self.absolute(&path),
        )
    }
}
