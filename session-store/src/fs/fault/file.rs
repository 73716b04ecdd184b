//! Open files that fail on demand.

use std::io;

use session_codec::ReadAt;

use super::{FaultEffect, FaultFs, FsCall};
use crate::fs::{AppendFile, BlobStat, FileSystem, OpenBlob, WriteFile};

/// An open file whose reads fail on demand.
#[derive(Debug)]
pub(super) struct FaultFile<F> {
    pub(super) inner: Box<dyn OpenBlob>,
    pub(super) fs: FaultFs<F>,
}

impl<F: FileSystem> ReadAt for FaultFile<F> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let effect = self.fs.plan().effect(FsCall::Read);
        match effect {
            Some(FaultEffect::Errno(errno) | FaultEffect::ErrnoAfter(errno)) => {
                Err(io::Error::from_raw_os_error(errno))
            }
            Some(FaultEffect::Short | FaultEffect::ShortThenErrno(_)) => {
                let half = buf.len().div_ceil(2);
                self.inner.read_at(&mut buf[..half], offset)
            }
            None => self.inner.read_at(buf, offset),
        }
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

impl<F: FileSystem> OpenBlob for FaultFile<F> {
    fn stat(&self) -> io::Result<BlobStat> {
        self.fs.call(FsCall::Stat, || self.inner.stat())
    }
}

/// A new file whose writes and syncs fail on demand.
#[derive(Debug)]
pub(super) struct FaultWriter<F> {
    pub(super) inner: Box<dyn WriteFile>,
    pub(super) fs: FaultFs<F>,
}

/// Writes, or does what the fault makes of it.
fn write<F>(fs: &FaultFs<F>, out: &mut dyn io::Write, bytes: &[u8]) -> io::Result<usize>
where
    F: FileSystem,
{
    let effect = fs.plan().effect(FsCall::Write);
    match effect {
        Some(FaultEffect::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
        Some(FaultEffect::ErrnoAfter(errno)) => {
            out.write_all(bytes)?;
            Err(io::Error::from_raw_os_error(errno))
        }
        Some(FaultEffect::Short | FaultEffect::ShortThenErrno(_)) => {
            out.write(&bytes[..bytes.len().div_ceil(2)])
        }
        None => out.write(bytes),
    }
}

impl<F: FileSystem> io::Write for FaultWriter<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.fs, &mut self.inner, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: FileSystem> WriteFile for FaultWriter<F> {
    fn begin_sync(&mut self) {
        self.inner.begin_sync();
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.call(FsCall::SyncFile, || self.inner.sync())
    }

    fn stat(&self) -> io::Result<BlobStat> {
        self.fs.call(FsCall::Stat, || self.inner.stat())
    }
}

/// A file that is added to, whose writes, syncs and cuts fail on demand.
#[derive(Debug)]
pub(super) struct FaultAppender<F> {
    pub(super) inner: Box<dyn AppendFile>,
    pub(super) fs: FaultFs<F>,
}

impl<F: FileSystem> io::Write for FaultAppender<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.fs, &mut self.inner, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: FileSystem> AppendFile for FaultAppender<F> {
    fn commit(&mut self) -> io::Result<()> {
        self.fs.call(FsCall::SyncFile, || self.inner.commit())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.fs.call(FsCall::Truncate, || self.inner.truncate(size))
    }

    fn stat(&self) -> io::Result<BlobStat> {
        self.fs.call(FsCall::Stat, || self.inner.stat())
    }
}
