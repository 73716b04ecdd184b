//! A file system that fails on demand: the n-th call of a kind, once or from then on, with any error, or with a short
//! write. Owns the counting; the calls are the inner file system's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    AppendFile, DirEntry, DirName, FileLock, FileStat, FileSystem, OpenBlob, Witness, WriteFile,
};

mod file;

use file::{FaultAppender, FaultFile, FaultWriter};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FsCall {
    /// [`FileSystem::stat`], and stats of open files.
    Stat,
    /// [`FileSystem::list`].
    List,
    /// [`FileSystem::names`].
    Names,
    /// [`FileSystem::open`].
    Open,
    /// Reads of open files.
    Read,
    /// [`FileSystem::create_new`].
    Create,
    /// Writes to files, and [`FileSystem::overwrite`].
    Write,
    /// [`WriteFile::sync`], [`AppendFile::commit`] and [`FileSystem::sync_file`].
    SyncFile,
    /// [`FileSystem::open_append`].
    OpenAppend,
    /// [`AppendFile::truncate`].
    Truncate,
    /// [`FileSystem::rename`].
    Rename,
    /// [`FileSystem::rename_new`].
    RenameNew,
    /// [`FileSystem::remove`].
    Remove,
    /// [`FileSystem::make_dir`].
    MakeDir,
    /// [`FileSystem::sync_dir`] and [`FileSystem::sync_root_entry`].
    SyncDir,
    /// [`FileSystem::try_lock`].
    Lock,
}

impl FsCall {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Stat,
        Self::List,
        Self::Names,
        Self::Open,
        Self::Read,
        Self::Create,
        Self::Write,
        Self::SyncFile,
        Self::OpenAppend,
        Self::Truncate,
        Self::Rename,
        Self::RenameNew,
        Self::Remove,
        Self::MakeDir,
        Self::SyncDir,
        Self::Lock,
    ];
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultSpan {
    /// One call fails.
    Once,
    /// That call and all later ones of its kind fail.
    FromThenOn,
}

/// What a failing call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultEffect {
    /// It answers this error number and does nothing.
    Errno(i32),
    /// It does its work and answers this error number nevertheless, as a network file system may.
    ErrnoAfter(i32),
    /// It takes half of the bytes (reads and writes), as a call that a signal cut short. Not an error.
    Short,
    /// It takes half of the bytes, and the next write answers this error number, as on a disk that fills up.
    ShortThenErrno(i32),
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Calls of which kind.
    pub call: FsCall,
    /// Which of them, counted from 1 since the fault was armed.
    pub nth: u64,
    /// That one only, or all from it on.
    pub span: FaultSpan,
    /// What happens.
    pub effect: FaultEffect,
}

impl Fault {
    /// Makes the `nth` call of a kind fail once with an error number.
    #[must_use]
    pub fn errno(call: FsCall, nth: u64, errno: i32) -> Self {
        Self {
            call,
            nth,
            span: FaultSpan::Once,
            effect: FaultEffect::Errno(errno),
        }
    }

    /// Makes the `nth` call of a kind do something else than it should, once.
    #[must_use]
    pub fn effect(call: FsCall, nth: u64, effect: FaultEffect) -> Self {
        Self {
            call,
            nth,
            span: FaultSpan::Once,
            effect,
        }
    }

    /// Makes the fault last.
    #[must_use]
    pub fn from_then_on(mut self) -> Self {
        self.span = FaultSpan::FromThenOn;
        self
    }
}

/// A file system whose calls fail on demand. Cloning gives a second handle to the same faults, to keep while the other is
/// in a backend.
#[derive(Clone, Debug)]
pub struct FaultFs<F> {
    inner: F,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    fault: Option<Fault>,
    /// Set by a short write: what the next write answers.
    next_write: Option<i32>,
    since_armed: u64,
    calls: BTreeMap<FsCall, u64>,
    injected: u64,
}

impl<F: FileSystem> FaultFs<F> {
    /// Wraps a file system; nothing fails before a fault is armed.
    #[must_use]
    pub fn new(inner: F) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    /// Gives the file system below, which never fails on demand.
    #[must_use]
    pub fn inner(&self) -> &F {
        &self.inner
    }

    /// Arms a fault, in the place of the one before, and counts anew.
    pub fn arm(&self, fault: Fault) {
        *self.plan() = Plan {
            fault: Some(fault),
            ..Plan::default()
        };
    }

    /// Lets everything work again. The counts stay.
    pub fn disarm(&self) {
        let mut plan = self.plan();
        plan.fault = None;
        plan.next_write = None;
    }

    /// Tells how many calls of a kind there were since the last fault was armed.
    #[must_use]
    pub fn calls(&self, call: FsCall) -> u64 {
        self.plan().calls.get(&call).copied().unwrap_or(0)
    }

    /// Tells how many calls failed since the last fault was armed: a test that injected nothing tested nothing.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.plan().injected
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and runs it, or what the fault makes of it.
    fn call<T>(&self, call: FsCall, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let effect = self.plan().effect(call);
        match effect {
            Some(FaultEffect::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Some(FaultEffect::ErrnoAfter(errno)) => {
                run().and(Err(io::Error::from_raw_os_error(errno)))
            }
            Some(FaultEffect::Short | FaultEffect::ShortThenErrno(_)) | None => run(),
        }
    }
}

impl Plan {
    fn effect(&mut self, call: FsCall) -> Option<FaultEffect> {
        *self.calls.entry(call).or_default() += 1;
        if call == FsCall::Write
            && let Some(errno) = self.next_write.take()
        {
            self.injected += 1;
            return Some(FaultEffect::Errno(errno));
        }
        let fault = self.fault.filter(|fault| fault.call == call)?;
        self.since_armed += 1;
        let hit = match fault.span {
            FaultSpan::Once => self.since_armed == fault.nth,
            FaultSpan::FromThenOn => self.since_armed >= fault.nth,
        };
        if !hit {
            return None;
        }
        self.injected += 1;
        if let FaultEffect::ShortThenErrno(errno) = fault.effect {
            self.next_write = Some(errno);
        }
        Some(fault.effect)
    }
}

impl<F: FileSystem + Clone> FileSystem for FaultFs<F> {
    fn root(&self) -> &Path {
        self.inner.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        self.call(FsCall::Stat, || self.inner.stat(path))
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.call(FsCall::List, || self.inner.list(dir, wanted))
    }
    fn names(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirName>>> {
        self.call(FsCall::Names, || self.inner.names(dir, wanted))
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        let inner = self.call(FsCall::Open, || self.inner.open(path))?;
        Ok(Box::new(FaultFile {
            inner,
            fs: self.clone(),
        }))
    }
    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.call(FsCall::Write, || self.inner.overwrite(path, mode, bytes))
    }
    fn witness(&self) -> Option<Witness> {
        self.inner.witness()
    }
    fn now(&self) -> i128 {
        self.inner.now()
    }
    fn open_listed(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        let inner = self.call(FsCall::Open, || self.inner.open_listed(path))?;
        Ok(Box::new(FaultFile {
            inner,
            fs: self.clone(),
        }))
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        let inner = self.call(FsCall::Create, || self.inner.create_new(path, mode))?;
        Ok(Box::new(FaultWriter {
            inner,
            fs: self.clone(),
        }))
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        let inner = self.call(FsCall::OpenAppend, || self.inner.open_append(path))?;
        Ok(Box::new(FaultAppender {
            inner,
            fs: self.clone(),
        }))
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        self.call(FsCall::SyncFile, || self.inner.sync_file(path))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(FsCall::Rename, || self.inner.rename(from, to))
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(FsCall::RenameNew, || self.inner.rename_new(from, to))
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        self.call(FsCall::Remove, || self.inner.remove(path))
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        self.call(FsCall::MakeDir, || self.inner.make_dir(dir))
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.call(FsCall::SyncDir, || self.inner.sync_dir(dir))
    }
    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        self.call(FsCall::MakeDir, || self.inner.touch_dir(dir))
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        self.call(FsCall::SyncDir, || self.inner.sync_root_entry())
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.call(FsCall::Lock, || self.inner.try_lock(path))
    }
    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        let inner = self.call(FsCall::Open, || self.inner.turns(path))?;
        Ok(inner.map(|inner| {
            let fs = self.clone();
            Box::new(FaultFile { inner, fs }) as Box<dyn OpenBlob>
        }))
    }
}
