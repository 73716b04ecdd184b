//! The real file system, relative to one directory descriptor, following no link below the root.
//!
//! Owns system calls and descriptors. Must not decide an order of calls, retry, or wait.
//!
//! The root is opened once, with `O_DIRECTORY | O_NOFOLLOW` unless links were allowed by name, and every name is resolved
//! below that descriptor, component by component: a link planted at `.store` or `.store/tmp` leads nowhere. A root that
//! was removed and made again is noticed by its link count and opened anew.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{
    AppendFile, DirEntry, DirName, FileLock, FileStat, FileSystem, OpenBlob, Witness, WriteFile,
};

mod append;
mod file;
mod list;
mod make;
mod root;
mod stat;
mod walk;
mod witness;

use file::{OsLock, OsWriter};
use list::Width;
use stat::{file_stat, required_kind};

/// Flags for every directory below the root.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A directory of the real file system (Unix), `0700` and `0600` throughout.
#[derive(Debug)]
pub struct OsFs {
    path: PathBuf,
    root_flags: OFlags,
    root: RwLock<Option<Arc<OwnedFd>>>,
    /// Directories that `make_dir("")` created above and at the root, whose entries are not durable yet.
    made: Mutex<Vec<PathBuf>>,
    /// The effective user, asked once: listing many files must not ask for each.
    euid: u32,
    witness: OnceLock<Option<Witness>>,
    width: Width,
    /// How often the system is taken to have been started since.
    #[cfg(feature = "testing")]
    restarts: u128,
}

impl OsFs {
    /// Names a directory; nothing is touched before the first call, and nothing is created before the first
    /// [`make_dir`](FileSystem::make_dir).
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            path: root.into(),
            root_flags: DIRECTORY,
            root: RwLock::new(None),
            made: Mutex::new(Vec::new()),
            euid: rustix::process::geteuid().as_raw(),
            witness: OnceLock::new(),
            width: Width {
                threads: 1,
                in_flight: 1,
            },
            #[cfg(feature = "testing")]
            restarts: 0,
        }
    }

    /// Lists a directory of many files on up to this many threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.width.threads = threads.max(1);
        self
    }

    /// Asks for up to this many files at once while a listing turns out to wait for a disk or a network.
    #[must_use]
    pub fn looks_in_flight(mut self, looks: usize) -> Self {
        self.width.in_flight = looks.max(1);
        self
    }

    /// Lets the root itself be a symbolic link, which is refused otherwise.
    #[must_use]
    pub fn follow_root_link(mut self) -> Self {
        self.root_flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        self
    }
}

/// Refuses what could leave the directory. Names are checked above this layer; this is the second lock on the door.
fn check_component(name: &str) -> io::Result<()> {
    if name.is_empty()
        || name == "."
        || name == ".."
        || memchr::memchr2(b'/', 0, name.as_bytes()).is_some()
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a plain file name",
        ));
    }
    Ok(())
}

/// Repeats a call that a signal interrupted.
fn retry<T>(call: impl FnMut() -> Result<T, Errno>) -> io::Result<T> {
    Ok(rustix::io::retry_on_intr(call)?)
}

/// Turns `NotFound` into `None`.
fn found<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl FileSystem for OsFs {
    fn root(&self) -> &Path {
        &self.path
    }

    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        if path.is_empty() {
            return found(self.below(|root| {
                let stat = rustix::fs::fstat(root)?;
                // A descriptor outlives its directory's name; only a directory that still has one is there.
                if stat.st_nlink == 0 {
                    Err(Errno::NOENT.into())
                } else {
                    Ok(file_stat(&stat, self.euid))
                }
            }));
        }
        found(self.at(path, |dir, name| {
            let stat = retry(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW))?;
            Ok(file_stat(&stat, self.euid))
        }))
    }

    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        found(self.in_dir(dir, |fd| list::list(fd, self.euid, self.width, wanted)))
    }

    fn names(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirName>>> {
        found(self.in_dir(dir, |fd| list::names(fd, wanted)))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        let file = self.open_unasked(path)?;
        required_kind(&rustix::fs::fstat(&file.0)?)?;
        Ok(Box::new(file))
    }

    fn open_listed(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        Ok(Box::new(self.open_unasked(path)?))
    }

    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::NONBLOCK
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode & 0o777);
        let fd = self.open_with(path, flags, mode)?;
        let stat = rustix::fs::fstat(&fd)?;
        required_kind(&stat)?;
        if stat.st_size == 0 && stat::mode(&stat) != mode.as_raw_mode() {
            // New, and a umask took some of its bits; or not ours to change, which is no reason not to write it.
            let _ = rustix::fs::fchmod(&fd, mode);
        }
        let file = File::from(fd);
        std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0)?;
        if u64::try_from(stat.st_size).unwrap_or(0) > bytes.len() as u64 {
            file.set_len(bytes.len() as u64)?;
        }
        Ok(())
    }

    fn witness(&self) -> Option<Witness> {
        // A root that is not there yet may be anywhere once it is.
        let root = self.root_fd().ok()?;
        let witness = *self.witness.get_or_init(|| witness::of(&root));
        #[cfg(feature = "testing")]
        let witness = witness.map(|found| Witness::new(found.boot ^ self.restarts, found.clock));
        witness
    }

    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode & 0o777);
        self.at(path, |dir, name| {
            let fd = retry(|| rustix::fs::openat(dir, name, flags, mode))?;
            // The umask can only take bits away, so the file is never more open than asked for, but it may be less so.
            if let Err(error) = rustix::fs::fchmod(&fd, mode) {
                let _ = rustix::fs::unlinkat(dir, name, AtFlags::empty());
                return Err(error.into());
            }
            Ok(Box::new(OsWriter::new(File::from(fd))) as Box<dyn WriteFile>)
        })
    }

    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        self.at(path, |dir, name| {
            Ok(Box::new(append::open(dir, name)?) as Box<dyn AppendFile>)
        })
    }

    fn sync_file(&self, path: &str) -> io::Result<()> {
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        self.at(path, |dir, name| {
            let fd = retry(|| rustix::fs::openat(dir, name, flags, Mode::empty()))?;
            required_kind(&rustix::fs::fstat(&fd)?)?;
            file::sync_fd(&fd)
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.at(from, |from_dir, from_name| {
            self.at(to, |to_dir, to_name| {
                retry(|| rustix::fs::renameat(from_dir, from_name, to_dir, to_name))
            })
        })
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.at(from, |from_dir, from_name| {
            self.at(to, |to_dir, to_name| {
                make::rename_new(from_dir, from_name, to_dir, to_name)
            })
        })
    }

    fn remove(&self, path: &str) -> io::Result<bool> {
        Ok(found(self.at(path, |dir, name| {
            retry(|| rustix::fs::unlinkat(dir, name, AtFlags::empty()))
        }))?
        .is_some())
    }

    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        if dir.is_empty() {
            return self.make_root();
        }
        self.at(dir, make::make_dir_at)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.in_dir(dir, |fd| file::sync_fd(fd))
    }

    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        self.in_dir(dir, |fd| retry(|| rustix::fs::futimens(fd, &stat::NOW)))
    }

    fn sync_root_entry(&self) -> io::Result<()> {
        self.sync_made()
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.at(path, |dir, name| {
            Ok(OsLock::try_take(dir, name)?.map(|lock| Box::new(lock) as Box<dyn FileLock>))
        })
    }

    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        found(self.open(path))
    }
}
