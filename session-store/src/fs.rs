//! The one small file-system trait below the store: everything that creates, renames, syncs or removes goes through it.
//!
//! Owns the calls that touch a medium and their promises, so that a crash can be modelled and every call can be made to
//! fail. Must not know sessions, ids, locks' meaning, or the order in which the calls make a write safe: that protocol
//! is the [`backend`](crate::backend)'s.
//!
//! # Paths
//!
//! Paths are `&str`, relative to the root, with `/` between components: `"a.json"`, `".store/tmp/x"`; the root itself is
//! `""`. They are built from checked names only; an implementation may refuse anything else. No component is ever
//! followed through a symbolic link.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use session_codec::ReadAt;

#[cfg(feature = "testing")]
mod crash;
mod entry;
#[cfg(feature = "testing")]
mod fault;
mod memory;
mod not_a_file;
mod os;
mod shared;
mod witness;

#[cfg(feature = "testing")]
pub use crash::{CrashLog, CrashReport, CrashState};
pub use entry::{BlobStat, DirEntry, DirName, EntryKind, FileStat, Owner};
#[cfg(feature = "testing")]
pub use fault::{Fault, FaultEffect, FaultFs, FaultSpan, FsCall};
pub use memory::MemoryFs;
pub use not_a_file::NotAFile;
pub(crate) use not_a_file::{not_a_file, not_a_file_kind};
pub use os::OsFs;
#[doc(no_inline)]
pub use session_scan::FileKind;
pub use witness::{Clock, Witness};

/// The turns of a lock are counted by the length of its file, which takes no room on the medium, up to this.
const TURNS: usize = 1 << 20;

/// An open regular file: random access reads, and the stat of exactly the file that is read.
pub trait OpenBlob: ReadAt + Debug + Send + Sync {
    /// Stats the open file itself, whatever its name means by now.
    ///
    /// # Errors
    ///
    /// What the medium answers; `InvalidInput` if it was opened as a listed file and is no regular one.
    fn stat(&self) -> io::Result<BlobStat>;
}

/// A new file that is being filled. Dropping it closes it and syncs nothing.
pub trait WriteFile: io::Write + Debug + Send {
    /// Sets the medium to work on what was written so far, without waiting: `sync`, which tells what goes wrong, finds less left.
    fn begin_sync(&mut self) {}

    /// Makes the content durable.
    ///
    /// # Errors
    ///
    /// After an error this file must be thrown away: a second sync may claim success for content that is lost.
    fn sync(&mut self) -> io::Result<()>;

    /// Stats the open file itself.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn stat(&self) -> io::Result<BlobStat>;
}

/// A file open for adding at its end, which an earlier process began and a later one may go on with.
pub trait AppendFile: io::Write + Debug + Send + Sync {
    /// Makes the content durable, and of the rest only what is needed to read it back: the length, not the times.
    ///
    /// # Errors
    ///
    /// After an error this file must not be relied upon: a second sync may claim success for content that is lost.
    fn commit(&mut self) -> io::Result<()>;

    /// Cuts the file to its first `size` bytes; the next write goes there.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn truncate(&mut self, size: u64) -> io::Result<()>;

    /// Stats the open file itself.
    ///
    /// # Errors
    ///
    /// What the medium answers; `NotFound` where that can tell that the file has no name any more.
    fn stat(&self) -> io::Result<BlobStat>;
}

/// A held lock; dropping it releases it.
pub trait FileLock: Debug + Send + Sync {
    /// Shows everybody who looks that it was somebody's turn: the stat of [`FileSystem::turns`] is another one from now on.
    ///
    /// # Errors
    ///
    /// What the medium answers. A full one has no reason to refuse.
    fn turn(&self) -> io::Result<()> {
        Ok(())
    }

    /// Leaves a line in the lock's file, which [`FileSystem::turns`] reads, for whoever finds the lock held. All lines are of
    /// one length; a file of any other length, but none, is left as it is.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn sign(&self, line: &[u8]) -> io::Result<()> {
        let _ = line;
        Ok(())
    }
}

/// The calls that touch a medium.
///
/// Calls are plain steps: none of them retries, waits (except for the medium), or repairs. `EINTR` and short writes are
/// handled below this trait.
pub trait FileSystem: Debug + Send + Sync + 'static {
    /// Names the root, for messages.
    fn root(&self) -> &Path;

    /// Stats a path without following links; `None` if it, or a directory on the way, is missing.
    ///
    /// # Errors
    ///
    /// What the medium answers, `NotADirectory` or a loop error if a directory on the way is something else.
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>>;

    /// Lists the names in a directory that `wanted` accepts, in no order, with their stats; `None` if it is missing.
    ///
    /// A name that vanishes between the two looks is left out.
    ///
    /// # Errors
    ///
    /// What the medium answers for the directory as a whole.
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>>;

    /// Lists the names in a directory that `wanted` accepts, in no order, asking none of them for more than what it is; `None`
    /// if it is missing. For whoever opens each of them, and asks then.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn names(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirName>>> {
        let found = self.list(dir, wanted)?;
        let name = |entry: DirEntry| DirName::new(entry.name, entry.stat.map(|stat| stat.kind));
        Ok(found.map(|found| found.into_iter().map(name).collect()))
    }

    /// Opens a regular file for reading, never blocking on a FIFO and never following a link.
    ///
    /// # Errors
    ///
    /// `NotFound`; `InvalidInput` for anything that is not a regular file; or what the medium answers.
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>>;

    /// Replaces the content of a regular file in place, or creates the file with these permission bits: the bytes, and nothing
    /// after them. A reader, and a crash, may find a mixture of old and new bytes.
    ///
    /// # Errors
    ///
    /// `Unsupported`, with nothing done, where this is no gain over a new file; `InvalidInput` for anything that is not a
    /// regular file; `NotFound` if the directory is missing; or what the medium answers.
    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let _ = (path, mode, bytes);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Names who stamps the root with times; `None` where equal times prove nothing, because others change the same files
    /// behind another kernel's back, or it cannot be told.
    fn witness(&self) -> Option<Witness> {
        None
    }

    /// Tells the time by the clock that stamps files, in nanoseconds since the Unix epoch.
    fn now(&self) -> i128 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(i128::MIN, |since| {
            i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
        })
    }

    /// Opens a path that a listing showed as a regular file, perhaps without asking again: what is not one any more is then
    /// refused by the open file's `size` and `stat`, and until somebody calls them reads give what they give.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    fn open_listed(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        self.open(path)
    }

    /// Creates a file that did not exist, with exactly these permission bits whatever the umask, before any byte is in it.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` for any entry of that name, links included; or what the medium answers.
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a regular file that exists for adding at its end, never blocking on a FIFO and never following a link.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and `Unsupported` where files cannot be added to.
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>>;

    /// Makes the content of a file durable that somebody else may have written.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), or what the medium answers.
    fn sync_file(&self, path: &str) -> io::Result<()>;

    /// Renames a file over whatever file is there, atomically.
    ///
    /// # Errors
    ///
    /// `NotFound`, or what the medium answers; the target is untouched then.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Renames a file to a name that is free.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the name is taken, `NotFound`, or what the medium answers; both names are untouched then.
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file or link; `false` if there was none.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn remove(&self, path: &str) -> io::Result<bool>;

    /// Creates one directory with mode 0700 whatever the umask; `false` if it was there. `""` creates the root and what is
    /// missing above it.
    ///
    /// # Errors
    ///
    /// `NotADirectory` if something else has the name, links included; or what the medium answers.
    fn make_dir(&self, dir: &str) -> io::Result<bool>;

    /// Makes the entries of a directory durable.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Gives a directory another time of change, without changing a name in it: whoever has its stat has that of another time.
    ///
    /// # Errors
    ///
    /// What the medium answers; `Unsupported` where there is no [witness](Self::witness) whom it could tell anything.
    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        let _ = dir;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes the root's own entry durable, and those of the directories above it that [`make_dir`](Self::make_dir) created.
    ///
    /// # Errors
    ///
    /// What the medium answers; `PermissionDenied` if the directory above may not be read.
    fn sync_root_entry(&self) -> io::Result<()>;

    /// Takes an exclusive lock on a file, creating it with mode 0600; `None` if somebody else holds it, at once.
    ///
    /// A second call in the same process conflicts like one in another process.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name is not a regular file, or what the medium answers.
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>>;

    /// Opens the file of a lock to look at its [turns](FileLock::turn); `None` if it does not exist, or does not show them.
    ///
    /// # Errors
    ///
    /// What the medium answers.
    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        let _ = path;
        Ok(None)
    }
}

/// The directory part of a relative path: `""` for a name in the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

const _: fn(&dyn FileSystem, &dyn OpenBlob, &dyn WriteFile, &dyn FileLock) = |_, _, _, _| {};
const _: fn(&dyn AppendFile) = |_| {};
