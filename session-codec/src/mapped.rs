//! A memory-mapped file as random-access bytes. Owns the one unsafe call of
//! mapping; must not know JSON.
#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe: another process may change it"
)]

use std::{fs::File, io};

use crate::ReadAt;

/// A read-only map of a whole file.
///
/// Off by default, because what a map promises is not in this crate's hands:
/// if anybody shortens the file while it is mapped, touching the lost pages
/// kills the process. Plain reads are also faster on many files and on two
/// threads; a map gains something only on a single large file. So a session
/// store never maps: other programs may shorten its files at any time.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps `file` as long as it is now.
    ///
    /// # Safety
    ///
    /// While the value lives:
    ///
    /// - nobody may change or shorten the file, in this process or another;
    ///   replacing it by a rename is fine, since the map keeps the old file;
    /// - the medium must stay readable, or a read is a fatal signal.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub unsafe fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the caller promises that the file stays as it is.
        unsafe { memmap2::Mmap::map(file) }.map(Self)
    }

    /// Returns the mapped bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl ReadAt for Mapped {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }
}
