//! The root's descriptor, and calls below it.
//!
//! Owns when the root is opened, and when it is opened anew. Must not know what is called.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags};

use super::file::OsFile;
use super::stat::required_kind;
use super::walk::{in_one_call, walk};
use super::{OsFs, check_component, retry};

impl OsFs {
    /// Gives the root's descriptor, opening it if there is none yet.
    pub(super) fn root_fd(&self) -> io::Result<Arc<OwnedFd>> {
        if let Some(fd) = self
            .root
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            return Ok(Arc::clone(fd));
        }
        let mut slot = self.root.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(fd) = slot.as_ref() {
            return Ok(Arc::clone(fd));
        }
        let fd = Arc::new(retry(|| {
            rustix::fs::open(&self.path, self.root_flags, Mode::empty())
        })?);
        *slot = Some(Arc::clone(&fd));
        Ok(fd)
    }

    /// Forgets a root that no longer has a name; tells whether it was so.
    pub(super) fn root_is_gone(&self, fd: &Arc<OwnedFd>) -> bool {
        if !rustix::fs::fstat(fd.as_fd()).is_ok_and(|stat| stat.st_nlink == 0) {
            return false;
        }
        let mut slot = self.root.write().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|held| Arc::ptr_eq(held, fd)) {
            *slot = None;
        }
        true
    }

    /// Runs a call below the root, once more if the root turns out to have been removed.
    pub(super) fn below<T>(
        &self,
        mut call: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        let root = self.root_fd()?;
        match call(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.root_is_gone(&root) => {
                let root = self.root_fd()?;
                call(&root)
            }
            answer => answer,
        }
    }

    /// Runs a call with the directory that holds the last component of `path`, and that component.
    pub(super) fn at<T>(
        &self,
        path: &str,
        mut call: impl FnMut(&OwnedFd, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        self.below(|root| {
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            check_component(name)?;
            match walk(root, dir)? {
                Some(dir) => call(&dir, name),
                None => call(root, name),
            }
        })
    }

    /// Opens a file below the root, with one call where that can be.
    pub(super) fn open_with(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        self.below(|root| {
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            check_component(name)?;
            if !dir.is_empty()
                && let Some(fd) = in_one_call(root, path, flags, mode)?
            {
                return Ok(fd);
            }
            let dir = walk(root, dir)?;
            let dir = dir.as_ref().unwrap_or(root);
            retry(|| rustix::fs::openat(dir, name, flags, mode)).or_else(|error| {
                // A link, a socket or a device without a driver cannot be opened this way: say what it is.
                if let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                    required_kind(&stat)?;
                }
                Err(error)
            })
        })
    }

    /// Opens a file without asking what it is, in a way that does not matter: no link is followed, and no pipe waited for.
    pub(super) fn open_unasked(&self, path: &str) -> io::Result<OsFile> {
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(OsFile(File::from(self.open_with(
            path,
            flags,
            Mode::empty(),
        )?)))
    }

    /// Runs a call with an open directory.
    pub(super) fn in_dir<T>(
        &self,
        dir: &str,
        mut call: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        self.below(|root| match walk(root, dir)? {
            Some(dir) => call(&dir),
            None => call(root),
        })
    }
}
