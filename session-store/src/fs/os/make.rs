//! Making directories, and names that were free: the calls that need more than one system call.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{DIRECTORY, OsFs, file, retry};

/// The mode of every directory.
const PRIVATE: Mode = Mode::RWXU;

impl OsFs {
    /// Creates the root and what is missing above it; `false` if it was there.
    pub(super) fn make_root(&self) -> io::Result<bool> {
        // A descriptor may be left of a root that was removed: the next call opens what is there now.
        let known = self
            .root
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(fd) = known
            && !self.root_is_gone(&fd)
        {
            return Ok(false);
        }
        let mut missing = Vec::new();
        let mut here: &Path = &self.path;
        loop {
            match std::fs::symlink_metadata(here) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(here.to_owned());
                }
                Err(error) => return Err(error),
            }
            match here.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => here = parent,
                _ => break,
            }
        }
        let mut created = false;
        for dir in missing.iter().rev() {
            created = match retry(|| rustix::fs::mkdir(dir, PRIVATE)) {
                Ok(()) => {
                    self.made
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(dir.clone());
                    open_up(rustix::fs::CWD, dir)?;
                    true
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                Err(error) => return Err(error),
            };
        }
        self.root_fd()?;
        Ok(created)
    }

    /// Syncs the directories that hold the entries of the root and of what `make_root` created above it.
    pub(super) fn sync_made(&self) -> io::Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        sync_above(&self.path)?;
        while let Some(dir) = made.last() {
            if *dir != self.path {
                sync_above(dir)?;
            }
            made.pop();
        }
        Ok(())
    }
}

/// Syncs the directory that holds the entry of `dir`.
fn sync_above(dir: &Path) -> io::Result<()> {
    let above = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        // The root of the whole file system has no entry.
        None => return Ok(()),
    };
    // Links above the root are the user's own business, so they are followed here.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    file::sync_fd(retry(|| rustix::fs::open(&above, flags, Mode::empty()))?)
}

/// Gives a directory just made the bits that a umask took away.
fn open_up(parent: impl std::os::fd::AsFd, name: impl rustix::path::Arg + Copy) -> io::Result<()> {
    let parent = parent.as_fd();
    let dir = match retry(|| rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())) {
        Ok(dir) => dir,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // The umask took even our right to open it. It is ours and newly made, so changing it by name is safe.
            retry(|| rustix::fs::chmodat(parent, name, PRIVATE, AtFlags::empty()))?;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if Mode::from_raw_mode(rustix::fs::fstat(&dir)?.st_mode) != PRIVATE {
        rustix::fs::fchmod(&dir, PRIVATE)?;
    }
    Ok(())
}

/// Creates one directory; `false` if it was there.
pub(super) fn make_dir_at(parent: &OwnedFd, name: &str) -> io::Result<bool> {
    match retry(|| rustix::fs::mkdirat(parent, name, PRIVATE)) {
        Ok(()) => {
            open_up(parent, name)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Opening it refuses links and files that have the name.
            retry(|| rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()))?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Renames to a free name. Where the kernel or the file system cannot do that in one step, a hard link, which never
/// replaces anything either, and an unlink do it: a crash in between leaves both names.
pub(super) fn rename_new(
    from_dir: &OwnedFd,
    from: &str,
    to_dir: &OwnedFd,
    to: &str,
) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::io::retry_on_intr(|| {
            rustix::fs::renameat_with(from_dir, from, to_dir, to, flags)
        }) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            answer => return Ok(answer?),
        }
    }
    retry(|| rustix::fs::linkat(from_dir, from, to_dir, to, AtFlags::empty()))?;
    retry(|| rustix::fs::unlinkat(from_dir, from, AtFlags::empty()))
}
