//! Contents of files in memory, and handles to them. An open handle keeps reading what it opened, as on a real disk.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_codec::ReadAt;

use super::{DEVICE, MemoryFs};
use crate::fs::{AppendFile, BlobStat, OpenBlob, WriteFile};

/// One file, whatever its name is by now.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) inode: u64,
    pub(super) mode: u32,
    data: Mutex<Data>,
}

#[derive(Debug)]
struct Data {
    bytes: Vec<u8>,
    modified: i128,
    changed: i128,
}

impl Content {
    pub(super) fn new(inode: u64, mode: u32, tick: i128) -> Self {
        Self {
            inode,
            mode,
            data: Mutex::new(Data {
                bytes: Vec::new(),
                modified: tick,
                changed: tick,
            }),
        }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        // Each change is one assignment or one copy, so a panic elsewhere leaves nothing half done.
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "testing")]
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.data().bytes.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.data().bytes.len()
    }

    pub(super) fn write_at(&self, at: usize, bytes: &[u8], tick: i128) {
        let mut data = self.data();
        let end = at + bytes.len();
        if data.bytes.len() < end {
            data.bytes.resize(end, 0);
        }
        data.bytes[at..end].copy_from_slice(bytes);
        (data.modified, data.changed) = (tick, tick);
    }

    pub(super) fn truncate(&self, size: usize, tick: i128) {
        let mut data = self.data();
        data.bytes.resize(size, 0);
        (data.modified, data.changed) = (tick, tick);
    }

    pub(super) fn touch(&self, changed: i128) {
        self.data().changed = changed;
    }

    pub(super) fn set_times(&self, modified: i128, changed: i128) {
        let mut data = self.data();
        (data.modified, data.changed) = (modified, changed);
    }

    pub(super) fn stat(&self) -> BlobStat {
        let data = self.data();
        BlobStat::new(
            DEVICE,
            self.inode,
            data.bytes.len() as u64,
            data.modified,
            data.changed,
        )
    }
}

/// A file open for reading.
#[derive(Debug)]
pub(super) struct MemoryFile(pub(super) Arc<Content>);

impl ReadAt for MemoryFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let data = self.0.data();
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| data.bytes.get(offset..))
            .unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

impl OpenBlob for MemoryFile {
    fn stat(&self) -> io::Result<BlobStat> {
        Ok(self.0.stat())
    }
}

/// A file open for writing, at its own position.
#[derive(Debug)]
pub(super) struct MemoryWriter {
    pub(super) fs: MemoryFs,
    pub(super) content: Arc<Content>,
    pub(super) at: usize,
}

impl io::Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fs.state().write_at(&self.content, self.at, bytes);
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for MemoryWriter {
    fn sync(&mut self) -> io::Result<()> {
        self.fs.state().sync(&self.content)
    }

    fn stat(&self) -> io::Result<BlobStat> {
        Ok(self.content.stat())
    }
}

/// A file open for adding at its end.
#[derive(Debug)]
pub(super) struct MemoryAppender {
    pub(super) fs: MemoryFs,
    pub(super) content: Arc<Content>,
}

impl io::Write for MemoryAppender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.fs.state();
        state.write_at(&self.content, self.content.len(), bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AppendFile for MemoryAppender {
    fn commit(&mut self) -> io::Result<()> {
        self.fs.state().sync(&self.content)
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        let size = usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.fs.state().truncate(&self.content, size);
        Ok(())
    }

    fn stat(&self) -> io::Result<BlobStat> {
        Ok(self.content.stat())
    }
}
