//! Open files of the real file system: for reading, for writing, and as locks.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use session_codec::ReadAt;

use super::retry;
use super::stat::{blob_stat, mode, required_kind};
use crate::fs::{BlobStat, FileLock, OpenBlob, WriteFile};

/// How often a lock file may be swapped under us before we call it busy.
const LOCK_TRIES: u32 = 8;

/// A file open for reading at offsets; what it is may not have been asked yet.
#[derive(Debug)]
pub(super) struct OsFile(pub(super) File);

impl ReadAt for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(&self.0, buf, offset)
    }
    fn size(&self) -> io::Result<u64> {
        Ok(OpenBlob::stat(self)?.size)
    }
}

impl OpenBlob for OsFile {
    fn stat(&self) -> io::Result<BlobStat> {
        let stat = rustix::fs::fstat(&self.0)?;
        required_kind(&stat)?;
        Ok(blob_stat(&stat))
    }
}

/// A file that is being filled from its beginning.
#[derive(Debug)]
pub(super) struct OsWriter {
    file: File,
    written: u64,
    /// Up to where the system was told to write it out.
    begun: u64,
}

impl OsWriter {
    /// Takes a file that is empty.
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            written: 0,
            begun: 0,
        }
    }
}

impl io::Write for OsWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for OsWriter {
    fn begin_sync(&mut self) {
        // Linux answers this advice by writing the range out, at once and without waiting; only pages that are clean
        // already leave memory, and those just written are not. An error is kept for the sync.
        #[cfg(target_os = "linux")]
        {
            let range = std::num::NonZeroU64::new(self.written - self.begun);
            if let Some(length) = range {
                let advice = rustix::fs::Advice::DontNeed;
                let _ = rustix::fs::fadvise(&self.file, self.begun, Some(length), advice);
            }
        }
        self.begun = self.written;
    }
    fn sync(&mut self) -> io::Result<()> {
        sync_fd(&self.file)
    }
    fn stat(&self) -> io::Result<BlobStat> {
        Ok(blob_stat(&rustix::fs::fstat(&self.file)?))
    }
}

/// Syncs a file or a directory.
///
/// On Apple systems a plain `fsync` does not empty the drive's cache, and what does (`F_FULLFSYNC`) is refused by some
/// file systems, for which the plain one is all there is.
pub(super) fn sync_fd(fd: impl AsFd) -> io::Result<()> {
    let fd = fd.as_fd();
    #[cfg(target_vendor = "apple")]
    {
        use rustix::io::Errno;
        match rustix::io::retry_on_intr(|| rustix::fs::fcntl_fullfsync(fd)) {
            Err(Errno::NOTSUP | Errno::INVAL | Errno::NOTTY) => {}
            answer => return Ok(answer?),
        }
    }
    retry(|| rustix::fs::fsync(fd))
}

/// A held `flock`.
#[derive(Debug)]
pub(super) struct OsLock {
    file: File,
    /// Its size when it was opened; `None` for a file with a second name, which may be anything.
    size: Option<u64>,
}

impl Drop for OsLock {
    fn drop(&mut self) {
        // Closing alone would not do: a child that another thread is just starting has a copy of the descriptor until its
        // `exec`, and the lock belongs to all copies. If this fails, closing the last of them releases it.
        let _ = self.file.unlock();
    }
}

impl FileLock for OsLock {
    fn turn(&self) -> io::Result<()> {
        let size = rustix::fs::fstat(&self.file)?.st_size;
        let turns = crate::fs::TURNS as u64;
        let next = (u64::try_from(size).unwrap_or(0) + 1) % turns;
        retry(|| rustix::fs::ftruncate(&self.file, next))
    }

    fn sign(&self, line: &[u8]) -> io::Result<()> {
        // One call, and not again if it wrote less: a line that is cut is none.
        if self.size == Some(0) || self.size == u64::try_from(line.len()).ok() {
            rustix::io::pwrite(&self.file, line, 0)?;
        }
        Ok(())
    }
}

impl OsLock {
    /// Tries to lock the file called `name`, creating it if needed; `None` if somebody holds it.
    pub(super) fn try_take(dir: &OwnedFd, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        for _ in 0..LOCK_TRIES {
            let fd = match retry(|| rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR)) {
                Ok(fd) => fd,
                Err(error) => {
                    if let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                        required_kind(&stat)?;
                    }
                    return Err(error);
                }
            };
            let stat = rustix::fs::fstat(&fd)?;
            required_kind(&stat)?;
            if mode(&stat) != 0o600 {
                // A umask may have taken our own bits; a foreign lock file may not be ours to change, and need not be.
                let _ = rustix::fs::fchmod(&fd, Mode::RUSR | Mode::WUSR);
            }
            let file = File::from(fd);
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Lock files are never deleted by us. If somebody did, this one protects nothing: take the one with the name.
            let named = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
            if named.is_ok_and(|named| named.st_ino == stat.st_ino && named.st_dev == stat.st_dev) {
                let size = (stat.st_nlink == 1).then(|| u64::try_from(stat.st_size).ok());
                return Ok(Some(Self {
                    file,
                    size: size.flatten(),
                }));
            }
        }
        Ok(None)
    }
}
