//! Listing a directory: one pass over the names, one look at each file, or at none.
//!
//! Owns how many looks wait at once. Must not know what the names mean.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::thread::{self, Scope};
use std::time::Duration;

use crossbeam::channel::{self, Receiver, Sender};
use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;
use session_scan::Patience;

use super::stat::kind_of;
use super::{DIRECTORY, retry};
use crate::fs::{DirEntry, DirName, FileStat};

/// How many files are looked at before it is decided again who looks at the next ones.
const BATCH: usize = 128;
/// One look in this many is timed.
const SAMPLED: usize = 16;
/// A look that takes longer than this waits for a disk or a network; in memory it takes 1 to 3 µs.
const SLOW: Duration = Duration::from_micros(20);
/// Bytes of names fetched by one system call: about 1,500 names of the usual length.
#[cfg(target_os = "linux")]
const NAMES: usize = 64 * 1024;

/// How many looks wait at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    /// Always.
    pub(super) threads: usize,
    /// While looks turn out to wait.
    pub(super) in_flight: usize,
}

/// A name with the zero that ends it.
type Name = CString;

/// Workers, once there are any.
struct Pool {
    names: Sender<Vec<Name>>,
    waiting: Receiver<Vec<Name>>,
    looked: Receiver<Vec<DirEntry>>,
}

/// Lists the names that `wanted` accepts, with their stats; those that vanish in between are left out.
pub(super) fn list(
    root: &OwnedFd,
    euid: u32,
    width: Width,
    wanted: &mut dyn FnMut(&OsStr) -> bool,
) -> io::Result<Vec<DirEntry>> {
    let dir = &open(root)?;
    let mut entries = Vec::new();
    let mut batch = Vec::with_capacity(BATCH);
    let mut pool: Option<Pool> = None;
    thread::scope(|scope| {
        let named = for_each(dir, wanted, &mut |name, _| {
            batch.push(name.to_owned());
            if batch.len() < BATCH {
                return;
            }
            if let Some(pool) = &pool {
                // The other end is in the pool too.
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                let _ = pool.names.send(full);
                return;
            }
            // Whether looks wait is only worth knowing where more could wait at once.
            let mut patience = (width.in_flight > width.threads).then(|| Patience::new(SLOW));
            look(dir, euid, &mut batch, &mut entries, patience.as_mut());
            let workers = if patience.is_some_and(|mut patience| patience.judge()) {
                width.in_flight
            } else {
                width.threads
            };
            if workers > 1 {
                pool = Some(start(scope, dir, euid, workers - 1));
            }
        });
        look(dir, euid, &mut batch, &mut entries, None);
        if let Some(pool) = pool {
            drop(pool.names);
            for mut names in pool.waiting {
                look(dir, euid, &mut names, &mut entries, None);
            }
            entries.extend(pool.looked.into_iter().flatten());
        }
        named
    })?;
    Ok(entries)
}

/// Lists the names that `wanted` accepts, and looks only at those of which the directory does not say what they are.
pub(super) fn names(
    root: &OwnedFd,
    wanted: &mut dyn FnMut(&OsStr) -> bool,
) -> io::Result<Vec<DirName>> {
    let dir = &open(root)?;
    let mut names = Vec::new();
    for_each(dir, wanted, &mut |name, kind| {
        let kind = if kind == FileType::Unknown {
            match retry(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                stat => stat.map(|stat| super::stat::kind(&stat)),
            }
        } else {
            Ok(kind_of(kind))
        };
        let name = OsString::from_vec(name.to_bytes().to_vec());
        names.push(DirName::new(name, kind));
    })?;
    Ok(names)
}

/// Opens a directory once more: a shared handle would share the position too. One that was removed is not there.
fn open(root: &OwnedFd) -> io::Result<OwnedFd> {
    if rustix::fs::fstat(root)?.st_nlink == 0 {
        return Err(Errno::NOENT.into());
    }
    retry(|| rustix::fs::openat(root, c".", DIRECTORY, Mode::empty()))
}

/// Starts workers that look at what is sent to them.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    dir: &'scope OwnedFd,
    euid: u32,
    workers: usize,
) -> Pool {
    let (names, waiting) = channel::unbounded::<Vec<Name>>();
    let (done, looked) = channel::unbounded();
    for _ in 0..workers {
        let (waiting, done) = (waiting.clone(), done.clone());
        // A refused thread is no failure: the others do its part.
        let _ = thread::Builder::new().spawn_scoped(scope, move || {
            for mut names in waiting {
                let mut entries = Vec::with_capacity(names.len());
                look(dir, euid, &mut names, &mut entries, None);
                // Whoever listens is there until this end goes.
                let _ = done.send(entries);
            }
        });
    }
    Pool {
        names,
        waiting,
        looked,
    }
}

/// Looks at files by name, and leaves no names; some of the looks are timed where somebody wants to know.
fn look(
    dir: &OwnedFd,
    euid: u32,
    names: &mut Vec<Name>,
    entries: &mut Vec<DirEntry>,
    mut patience: Option<&mut Patience>,
) {
    entries.reserve(names.len());
    for (place, name) in names.drain(..).enumerate() {
        let stat = match &mut patience {
            Some(patience) if place.is_multiple_of(SAMPLED) => {
                patience.time(|| stat(dir, &name, euid))
            }
            _ => stat(dir, &name, euid),
        };
        if matches!(stat, Err(Errno::NOENT)) {
            continue;
        }
        entries.push(DirEntry::new(
            OsString::from_vec(name.into_bytes()),
            stat.map_err(io::Error::from),
        ));
    }
}

/// Asks for what a listing needs of one file, following no link.
///
/// The older call, not `statx`: what is wanted is what it gives, and its answer is half as long to be copied.
fn stat(dir: &OwnedFd, name: &CStr, euid: u32) -> Result<FileStat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::io::retry_on_intr(|| rustix::fs::statat(dir, name, flags))
        .map(|stat| super::stat::file_stat(&stat, euid))
}

/// Calls `visit` with every name of a directory that `wanted` accepts, and what the directory says that it is.
fn for_each(
    dir: &OwnedFd,
    wanted: &mut dyn FnMut(&OsStr) -> bool,
    visit: &mut dyn FnMut(&CStr, FileType),
) -> io::Result<()> {
    every(dir, &mut |name, kind| {
        let plain = OsStr::from_bytes(name.to_bytes());
        if plain != "." && plain != ".." && wanted(plain) {
            visit(name, kind);
        }
    })
}

#[cfg(target_os = "linux")]
fn every(dir: &OwnedFd, visit: &mut dyn FnMut(&CStr, FileType)) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(NAMES);
    let mut names = rustix::fs::RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = names.next() {
        match entry {
            Ok(entry) => visit(entry.file_name(), entry.file_type()),
            Err(Errno::INTR) => {}
            // The directory was removed while it was read, and only an empty one can be.
            Err(Errno::NOENT) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn every(dir: &OwnedFd, visit: &mut dyn FnMut(&CStr, FileType)) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        visit(entry.file_name(), entry.file_type());
    }
    Ok(())
}
