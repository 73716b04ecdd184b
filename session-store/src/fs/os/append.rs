//! Files of the real file system that are added to. Knows no records.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::retry;
use super::stat::{blob_stat, required_kind};
use crate::fs::{AppendFile, BlobStat};

/// A file open for adding at its end, wherever another process has put that meanwhile.
#[derive(Debug)]
pub(super) struct OsAppender(File);

/// Opens an existing regular file for adding.
pub(super) fn open(dir: &OwnedFd, name: &str) -> io::Result<OsAppender> {
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::NONBLOCK
        | OFlags::NOFOLLOW
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let fd = match retry(|| rustix::fs::openat(dir, name, flags, Mode::empty())) {
        Ok(fd) => fd,
        Err(error) => {
            if let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                required_kind(&stat)?;
            }
            return Err(error);
        }
    };
    required_kind(&rustix::fs::fstat(&fd)?)?;
    Ok(OsAppender(File::from(fd)))
}

impl io::Write for OsAppender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AppendFile for OsAppender {
    fn commit(&mut self) -> io::Result<()> {
        // Where a plain sync leaves content in the drive's cache, there is no cheaper one than that for whole files.
        #[cfg(target_vendor = "apple")]
        return super::file::sync_fd(&self.0);
        #[cfg(not(target_vendor = "apple"))]
        retry(|| rustix::fs::fdatasync(&self.0))
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        retry(|| rustix::fs::ftruncate(&self.0, size))
    }

    fn stat(&self) -> io::Result<BlobStat> {
        let stat = rustix::fs::fstat(&self.0)?;
        if stat.st_nlink == 0 {
            return Err(Errno::NOENT.into());
        }
        Ok(blob_stat(&stat))
    }
}
