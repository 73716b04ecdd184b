//! A file system in which something happens before a chosen call: a foreign change, another process, or a crash.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use session_store::fs::{
    AppendFile, BlobStat, DirEntry, FileLock, FileStat, FileSystem, OpenBlob, Witness, WriteFile,
};

/// What happens.
pub(super) enum Event {
    /// Something that may happen at any time but between the two stats of a change: the one known gap.
    Foreign(Box<dyn FnOnce() + Send>),
    /// Something that takes locks, and so may be tried at any time.
    Own(Box<dyn FnOnce() + Send>),
    /// This call and all later ones fail and do nothing.
    Crash,
    /// The next pointer that is written is not.
    FailPointer,
}

#[derive(Default)]
struct Plan {
    /// Calls until the event.
    event: Option<(u64, Event)>,
    /// Between the first stat and the second, as far as a call tells.
    between: bool,
    crashed: bool,
    fail_pointer: bool,
    /// A document that cannot be opened.
    unreadable: Option<String>,
    /// Calls so far, by name.
    calls: Vec<&'static str>,
    /// When the directory was last stated, and how long it was until then around each change.
    stated: Option<Instant>,
    gaps: Vec<Duration>,
}

/// The file system of one process.
#[derive(Clone)]
pub(super) struct Hooked {
    inner: Arc<dyn FileSystem>,
    plan: Arc<Mutex<Plan>>,
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooked")
    }
}

impl Hooked {
    pub(super) fn new(inner: impl FileSystem) -> Self {
        Self {
            inner: Arc::new(inner),
            plan: Arc::default(),
        }
    }

    /// Plans an event before the call after `calls` more.
    pub(super) fn plan(&self, calls: u64, event: Event) {
        self.plan.lock().unwrap().event = Some((calls, event));
    }

    /// Forgets what was planned and did not happen, and tells whether the process died.
    pub(super) fn settle(&self) -> bool {
        let mut plan = self.plan.lock().unwrap();
        plan.event = None;
        plan.fail_pointer = false;
        plan.crashed
    }

    /// Whether the process died.
    pub(super) fn has_crashed(&self) -> bool {
        self.plan.lock().unwrap().crashed
    }

    pub(super) fn set_unreadable(&self, path: Option<String>) {
        self.plan.lock().unwrap().unreadable = path;
    }

    /// Takes the times between the two stats of each change so far.
    pub(super) fn take_gaps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.plan.lock().unwrap().gaps)
    }

    /// Takes the names of the calls so far.
    pub(super) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.plan.lock().unwrap().calls)
    }

    fn enter(&self, call: &'static str, moves_document: bool, stats_root: bool) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        plan.calls.push(call);
        plan.between |= moves_document;
        let due = match &mut plan.event {
            Some((calls, Event::Foreign(_))) if *calls == 0 => !plan.between,
            Some((calls, _)) if *calls == 0 => true,
            Some((calls, _)) => {
                *calls -= 1;
                false
            }
            None => false,
        };
        if stats_root {
            let (now, before) = (Instant::now(), plan.stated);
            if let Some(before) = before.filter(|_| plan.between) {
                plan.gaps.push(now - before);
            }
            plan.stated = Some(now);
            plan.between = false;
        }
        let event = if due { plan.event.take() } else { None };
        match event {
            Some((_, Event::Foreign(run) | Event::Own(run))) => {
                drop(plan);
                run();
                plan = self.plan.lock().unwrap();
            }
            Some((_, Event::Crash)) => plan.crashed = true,
            Some((_, Event::FailPointer)) => plan.fail_pointer = true,
            None => {}
        }
        if plan.crashed {
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(())
    }
}

fn is_document(path: &str) -> bool {
    !path.contains('/')
}

impl FileSystem for Hooked {
    fn root(&self) -> &Path {
        self.inner.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        self.enter("stat", false, path.is_empty())?;
        self.inner.stat(path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.enter("list", false, false)?;
        self.inner.list(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        self.enter("open", false, false)?;
        if self.plan.lock().unwrap().unreadable.as_deref() == Some(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.inner.open(path)
    }
    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.enter("overwrite", false, false)?;
        let fails = &mut self.plan.lock().unwrap().fail_pointer;
        if *fails && path.ends_with(".pointer") {
            *fails = false;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.overwrite(path, mode, bytes)
    }
    fn witness(&self) -> Option<Witness> {
        self.inner.witness()
    }
    fn now(&self) -> i128 {
        self.inner.now()
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        self.enter("create", false, false)?;
        self.inner.create_new(path, mode)
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        self.enter("open", false, false)?;
        let inner = self.inner.open_append(path)?;
        let fs = self.clone();
        Ok(Box::new(HookedAppender { inner, fs }))
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        self.enter("sync", false, false)?;
        self.inner.sync_file(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.enter("rename", is_document(to), false)?;
        self.inner.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.enter("rename", is_document(from) || is_document(to), false)?;
        self.inner.rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        self.enter("remove", false, false)?;
        self.inner.remove(path)
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        self.enter("make directory", false, false)?;
        self.inner.make_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.enter("sync", false, false)?;
        self.inner.sync_dir(dir)
    }
    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        self.enter("touch", false, false)?;
        self.inner.touch_dir(dir)
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        self.enter("sync", false, false)?;
        self.inner.sync_root_entry()
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.enter("lock", false, false)?;
        self.inner.try_lock(path)
    }
    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        self.enter("turns", false, false)?;
        self.inner.turns(path)
    }
}

/// A file that is added to, with something before each write.
#[derive(Debug)]
struct HookedAppender {
    inner: Box<dyn AppendFile>,
    fs: Hooked,
}

impl io::Write for HookedAppender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fs.enter("write", false, false)?;
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl AppendFile for HookedAppender {
    fn commit(&mut self) -> io::Result<()> {
        self.inner.commit()
    }
    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.inner.truncate(size)
    }
    fn stat(&self) -> io::Result<BlobStat> {
        self.inner.stat()
    }
}
