//! A file system in memory on which every call is a moment at which another process may go on, and whose locks are the
//! model's own. Knows no store.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex};

use session_codec::ReadAt;
use session_store::fs::{
    AppendFile, BlobStat, DirEntry, FileLock, FileStat, FileSystem, MemoryFs, OpenBlob, Witness,
    WriteFile,
};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::sync::{Condvar, Mutex};

/// What is wrong with the locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Sound,
    /// The index lock is given to whoever asks.
    IndexUnheld,
    /// Whoever finds a session's lock held takes it over, as if its owner were dead.
    TakenOver,
    /// Whoever finds a session's lock held, and gives up, frees it.
    FreedByLoser,
}

/// What all processes share.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) fs: MemoryFs,
    flaw: Flaw,
    /// Keeps foreign changes out of the moment between the two stamps of a change: the one known gap.
    keeps_gap: bool,
    moments: AtomicUsize,
    /// Which process holds which lock.
    held: Mutex<BTreeMap<String, usize>>,
    freed: Condvar,
    /// The same, for looks that are no moments.
    holders: StdMutex<BTreeMap<String, usize>>,
    /// What was done without the lock that it needs.
    pub(super) unlocked: StdMutex<Vec<String>>,
}

impl Disk {
    pub(super) fn new(flaw: Flaw, keeps_gap: bool) -> Arc<Self> {
        Arc::new(Self {
            fs: MemoryFs::new(),
            flaw,
            keeps_gap,
            moments: AtomicUsize::new(0),
            held: Mutex::new(BTreeMap::new()),
            freed: Condvar::new(),
            holders: StdMutex::default(),
            unlocked: StdMutex::default(),
        })
    }

    /// Another process may go on here.
    pub(super) fn moment(&self) {
        self.moments.load(Ordering::SeqCst);
    }
}

/// The last call of a process, as far as the known gap is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Stamp,
    Rename,
    Other,
}

/// The disk as one process sees it.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    disk: Arc<Disk>,
    process: usize,
    /// Whether it waits for locks until they are free, or gives up at some time.
    is_patient: bool,
    last: Arc<StdMutex<Last>>,
}

impl Seat {
    pub(super) fn new(disk: &Arc<Disk>, process: usize, is_patient: bool) -> Self {
        Self {
            disk: Arc::clone(disk),
            process,
            is_patient,
            last: Arc::new(StdMutex::new(Last::Other)),
        }
    }

    fn enter(&self, call: Last) {
        let last = std::mem::replace(&mut *self.last.lock().unwrap(), call);
        let is_gap = (last, call) == (Last::Stamp, Last::Rename)
            || (last, call) == (Last::Rename, Last::Stamp);
        if !(is_gap && self.disk.keeps_gap) {
            self.disk.moment();
        }
    }

    fn moment(&self) {
        self.enter(Last::Other);
    }

    /// Takes note if this process does not hold the lock without which something must not be changed.
    fn needs(&self, lock: &str, what: &str) {
        let path = format!(".store/locks/{lock}.lock");
        let holder = self.disk.holders.lock().unwrap().get(&path).copied();
        if holder != Some(self.process) {
            let note = format!("{what} by {} under {lock} of {holder:?}", self.process);
            self.disk.unlocked.lock().unwrap().push(note);
        }
    }
}

/// The id that the file of a document or journal is named for.
fn id_of(path: &str) -> Option<&str> {
    let journal = path.strip_prefix(".store/journal/");
    journal.map_or_else(
        || path.strip_suffix(".json").filter(|id| !id.contains('/')),
        |name| name.strip_suffix(".journal"),
    )
}

fn is_document(path: &str) -> bool {
    !path.contains('/')
}

impl FileSystem for Seat {
    fn root(&self) -> &Path {
        self.disk.fs.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        self.enter(if path.is_empty() {
            Last::Stamp
        } else {
            Last::Other
        });
        self.disk.fs.stat(path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.moment();
        self.disk.fs.list(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        self.moment();
        self.opened(self.disk.fs.open(path)?)
    }
    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.needs(".index", path);
        // In place, so that a reader may find half of it.
        self.moment();
        self.disk
            .fs
            .overwrite(path, mode, &bytes[..bytes.len() / 2])?;
        self.moment();
        self.disk.fs.overwrite(path, mode, bytes)
    }
    fn witness(&self) -> Option<Witness> {
        self.disk.fs.witness()
    }
    fn now(&self) -> i128 {
        self.disk.fs.now()
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        self.moment();
        // Nobody else knows the name of what is filled here.
        self.disk.fs.create_new(path, mode)
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        self.moment();
        let inner = self.disk.fs.open_append(path)?;
        let (seat, path) = (self.clone(), path.to_owned());
        Ok(Box::new(Added { inner, seat, path }))
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        self.disk.fs.sync_file(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.enter(if is_document(to) {
            Last::Rename
        } else {
            Last::Other
        });
        if let Some(id) = id_of(to) {
            self.needs(id, to);
        }
        if is_document(to) {
            self.needs(".index", to);
        }
        self.disk.fs.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        let moves = is_document(from) || is_document(to);
        self.enter(if moves { Last::Rename } else { Last::Other });
        if moves {
            self.needs(".index", from);
        }
        self.disk.fs.rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        self.moment();
        self.disk.fs.remove(path)
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        self.moment();
        self.disk.fs.make_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.disk.fs.sync_dir(dir)
    }
    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        self.moment();
        self.disk.fs.touch_dir(dir)
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        self.disk.fs.sync_root_entry()
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.moment();
        // Makes the file; who holds it is for the model to say.
        drop(self.disk.fs.try_lock(path)?);
        let is_index = path.ends_with("/.index.lock");
        let mut held = self.disk.held.lock().unwrap();
        while held.contains_key(path) {
            match self.disk.flaw {
                Flaw::IndexUnheld if is_index => break,
                Flaw::TakenOver if !is_index => break,
                Flaw::FreedByLoser if !is_index => {
                    held.remove(path);
                    self.disk.holders.lock().unwrap().clone_from(&held);
                    return Ok(None);
                }
                _ if !self.is_patient && thread_rng().gen_bool(0.5) => return Ok(None),
                _ => held = self.disk.freed.wait(held).unwrap(),
            }
        }
        held.insert(path.to_owned(), self.process);
        self.disk.holders.lock().unwrap().clone_from(&held);
        drop(held);
        Ok(Some(Box::new(Taken {
            seat: self.clone(),
            path: path.to_owned(),
        })))
    }
    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        self.moment();
        let inner = self.disk.fs.turns(path)?;
        inner.map(|inner| self.opened(inner)).transpose()
    }
}

/// A held lock.
#[derive(Debug)]
struct Taken {
    seat: Seat,
    path: String,
}

impl FileLock for Taken {
    fn turn(&self) -> io::Result<()> {
        self.seat.moment();
        let fs = &self.seat.disk.fs;
        let turns = fs.stat(&self.path)?.map_or(0, |stat| stat.blob.size);
        fs.open_append(&self.path)?.truncate(turns + 1)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // The model was given up.
        if std::thread::panicking() {
            return;
        }
        let mut held = self.seat.disk.held.lock().unwrap();
        if held.get(&self.path) == Some(&self.seat.process) {
            held.remove(&self.path);
        }
        self.seat.disk.holders.lock().unwrap().clone_from(&held);
        self.seat.disk.freed.notify_all();
    }
}

/// A file open for reading.
#[derive(Debug)]
struct Opened {
    inner: Box<dyn OpenBlob>,
    seat: Seat,
}

impl Seat {
    #[expect(clippy::unnecessary_wraps, reason = "that is what its callers return")]
    fn opened(&self, inner: Box<dyn OpenBlob>) -> io::Result<Box<dyn OpenBlob>> {
        let seat = self.clone();
        Ok(Box::new(Opened { inner, seat }))
    }
}

impl ReadAt for Opened {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.seat.moment();
        self.inner.read_at(buf, offset)
    }
    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

impl OpenBlob for Opened {
    fn stat(&self) -> io::Result<BlobStat> {
        self.seat.moment();
        self.inner.stat()
    }
}

/// A journal open for adding.
#[derive(Debug)]
struct Added {
    inner: Box<dyn AppendFile>,
    seat: Seat,
    path: String,
}

impl io::Write for Added {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.seat.moment();
        if let Some(id) = id_of(&self.path) {
            self.seat.needs(id, &self.path);
        }
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl AppendFile for Added {
    fn commit(&mut self) -> io::Result<()> {
        self.inner.commit()
    }
    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.seat.moment();
        self.inner.truncate(size)
    }
    fn stat(&self) -> io::Result<BlobStat> {
        self.seat.moment();
        self.inner.stat()
    }
}
