//! A file system in memory: the same calls with the same answers, nothing on disk.
//!
//! Owns names and contents. Every call can be recorded, so that the crash model can tell what a power cut at any point
//! would have left. A clone is the same file system seen by another process.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    AppendFile, Clock, DirEntry, FileKind, FileLock, FileStat, FileSystem, OpenBlob, Witness,
    WriteFile, parent,
};

mod file;
pub(super) mod log;
mod state;
#[cfg(feature = "testing")]
mod testing;

use file::{MemoryAppender, MemoryFile, MemoryWriter};
use log::Op;
use state::State;

/// The device number of everything in memory.
const DEVICE: u64 = 0;

/// A file system in memory. Cloning gives a second handle to the same files.
#[derive(Clone, Debug)]
pub struct MemoryFs {
    root: Arc<Path>,
    state: Arc<Mutex<State>>,
}

impl Default for MemoryFs {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryFs {
    /// Makes an empty file system, in which not even the root exists yet.
    #[must_use]
    pub fn new() -> Self {
        Self::rooted("/memory")
    }

    /// Makes an empty file system whose messages speak of `root`.
    #[must_use]
    pub fn rooted(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into().into(),
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole before the lock is let go, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the modification time of a file or directory, in nanoseconds since the Unix epoch; `false` if it is not there.
    #[expect(clippy::must_use_candidate, reason = "the effect is the point")]
    pub fn set_modified(&self, path: &str, modified: i128) -> bool {
        let mut state = self.state();
        let changed = state.tick();
        if let Some(content) = state.files.get(path) {
            content.set_times(modified, changed);
            return true;
        }
        let Some(dir) = state.dirs.get_mut(path) else {
            return false;
        };
        (dir.modified, dir.changed) = (modified, changed);
        true
    }
}

impl FileSystem for MemoryFs {
    fn root(&self) -> &Path {
        &self.root
    }

    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        let state = self.state();
        Ok(if state.has_parent(path)? {
            state.stat(path)
        } else {
            None
        })
    }

    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        let state = self.state();
        match state.require_dir(dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        }
        let below = state
            .files
            .keys()
            .chain(state.dirs.keys())
            .filter(|path| !path.is_empty() && parent(path) == dir);
        let mut entries = Vec::new();
        for path in below {
            let name = path.rsplit('/').next().unwrap_or(path);
            if wanted(OsStr::new(name)) {
                let stat = state.stat(path).ok_or_else(|| ErrorKind::NotFound.into());
                entries.push(DirEntry::new(OsString::from(name), stat));
            }
        }
        Ok(Some(entries))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        let state = self.state();
        if state.dirs.contains_key(path) {
            return Err(super::not_a_file(FileKind::Directory));
        }
        state.require_dir(parent(path))?;
        let content = state.files.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile(Arc::clone(content))))
    }

    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.require_dir(parent(path))?;
        if state.dirs.contains_key(path) {
            return Err(super::not_a_file(FileKind::Directory));
        }
        let content = match state.files.get(path).cloned() {
            Some(content) => {
                state.truncate(&content, 0);
                content
            }
            None => state.create(path, mode),
        };
        state.write_at(&content, 0, bytes);
        Ok(())
    }

    fn witness(&self) -> Option<Witness> {
        let state = self.state();
        let clock = match state.grain {
            0 => Clock::Fine,
            _ => Clock::Unknown,
        };
        state.local.then_some(Witness::new(state.boot, clock))
    }

    fn now(&self) -> i128 {
        self.state().now()
    }

    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.state();
        state.require_dir(parent(path))?;
        if state.stat(path).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let content = state.create(path, mode);
        Ok(Box::new(MemoryWriter {
            fs: self.clone(),
            content,
            at: 0,
        }))
    }

    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        let state = self.state();
        if state.dirs.contains_key(path) {
            return Err(super::not_a_file(FileKind::Directory));
        }
        state.require_dir(parent(path))?;
        let content = state.files.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(MemoryAppender {
            fs: self.clone(),
            content: Arc::clone(content),
        }))
    }

    fn sync_file(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        state.require_dir(parent(path))?;
        let content = Arc::clone(state.files.get(path).ok_or(ErrorKind::NotFound)?);
        state.sync(&content)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().rename(from, to)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        if state.files.contains_key(from) && state.stat(to).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<bool> {
        let mut state = self.state();
        if state.dirs.contains_key(path) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let was_there = state.has_parent(path)? && state.files.remove(path).is_some();
        if was_there {
            state.touch_parent(path);
            state.log(|| Op::Remove {
                path: path.to_owned(),
            });
        }
        Ok(was_there)
    }

    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        let mut state = self.state();
        if !dir.is_empty() {
            state.require_dir(parent(dir))?;
        }
        if state.files.contains_key(dir) {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(state.make_dir(dir))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.state();
        state.require_dir(dir)?;
        state.log(|| Op::SyncDir {
            path: dir.to_owned(),
        });
        Ok(())
    }

    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.state();
        state.require_dir(dir)?;
        let changed = state.tick();
        if let Some(dir) = state.dirs.get_mut(dir) {
            (dir.modified, dir.changed) = (changed, changed);
        }
        Ok(())
    }

    fn sync_root_entry(&self) -> io::Result<()> {
        self.state().log(|| Op::SyncRootEntry);
        Ok(())
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        let mut state = self.state();
        state.require_dir(parent(path))?;
        if state.dirs.contains_key(path) {
            return Err(super::not_a_file(FileKind::Directory));
        }
        if !state.files.contains_key(path) {
            state.create(path, 0o600);
        }
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryLock {
            fs: self.clone(),
            path: path.to_owned(),
        })))
    }

    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        let content = self.state().files.get(path).cloned();
        Ok(content.map(|content| Box::new(MemoryFile(content)) as Box<dyn OpenBlob>))
    }
}

/// A held lock in memory.
#[derive(Debug)]
struct MemoryLock {
    fs: MemoryFs,
    path: String,
}

impl FileLock for MemoryLock {
    fn turn(&self) -> io::Result<()> {
        let mut state = self.fs.state();
        let tick = state.tick();
        if let Some(content) = state.files.get(&self.path) {
            // Not in the crash log: no lock survives a crash, so nobody is left who would compare.
            content.truncate((content.len() + 1) % super::TURNS, tick);
        }
        Ok(())
    }

    fn sign(&self, line: &[u8]) -> io::Result<()> {
        let mut state = self.fs.state();
        let tick = state.tick();
        let content = state.files.get(&self.path);
        if let Some(content) = content.filter(|content| [0, line.len()].contains(&content.len())) {
            // Not in the crash log, for the same reason.
            content.write_at(0, line, tick);
        }
        Ok(())
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.fs.state().locks.remove(&self.path);
    }
}
