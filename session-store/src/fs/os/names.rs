//! The names in a directory with their stats: one pass over the names, one stat for each that is wanted.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Mode};

use super::stat::file_stat;
use super::{DIRECTORY, retry};
use crate::fs::DirEntry;

/// Bytes of names that one call gives: a thousand sessions.
#[cfg(target_os = "linux")]
const AT_ONCE: usize = 64 << 10;

/// Lists the wanted names of an open directory.
pub(super) fn list(
    dir: &OwnedFd,
    euid: u32,
    wanted: &mut dyn FnMut(&OsStr) -> bool,
) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    each(dir, &mut |c_name| {
        let name = OsStr::from_bytes(c_name.to_bytes());
        if name == "." || name == ".." || !wanted(name) {
            return;
        }
        match retry(|| rustix::fs::statat(dir, c_name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => {
                let stat = file_stat(&stat, euid);
                entries.push(DirEntry::new(name.to_owned(), Ok(stat)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => entries.push(DirEntry::new(name.to_owned(), Err(error))),
        }
    })?;
    Ok(entries)
}

/// Visits each name, with a place in the directory of its own: other threads may be listing it, too.
#[cfg(target_os = "linux")]
fn each(dir: &OwnedFd, visit: &mut dyn FnMut(&CStr)) -> io::Result<()> {
    let own = retry(|| rustix::fs::openat(dir, ".", DIRECTORY, Mode::empty()))?;
    let mut buffer = Vec::with_capacity(AT_ONCE);
    let mut names = rustix::fs::RawDir::new(own, buffer.spare_capacity_mut());
    while let Some(entry) = names.next() {
        match entry {
            Ok(entry) => visit(entry.file_name()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Visits each name, with a place in the directory of its own: other threads may be listing it, too.
#[cfg(not(target_os = "linux"))]
fn each(dir: &OwnedFd, visit: &mut dyn FnMut(&CStr)) -> io::Result<()> {
    let own = retry(|| rustix::fs::openat(dir, ".", DIRECTORY, Mode::empty()))?;
    for entry in rustix::fs::Dir::read_from(own)? {
        visit(entry?.file_name());
    }
    Ok(())
}
