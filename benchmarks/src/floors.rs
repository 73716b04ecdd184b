//! What the machine must do at least: read bytes, look at directory entries, write prebuilt bytes.
//!
//! Owns loops that nobody could do without; must not know any format, except that the needed bytes are decoded.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, StatxFlags};
use session_model::Session;

use crate::data::document::Document;

/// How much is read at once.
const BLOCK: usize = 256 << 10;

/// Bytes of a page, or of a divisor of one.
const PAGE: usize = 4096;

/// What a file is read into. It begins where a page does: into a large vector, which begins 16 bytes into one, some
/// kernels copy five times as slowly, and a floor that anybody could do better is none.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        let bytes = vec![0; BLOCK + PAGE];
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
        Self { bytes, start }
    }
}

/// Reads a file through one buffer and returns its size.
///
/// # Errors
///
/// What the file system says.
pub fn read_through(path: &Path, buffer: &mut Buffer) -> Result<u64> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let into = &mut buffer.bytes[buffer.start..][..BLOCK];
    let mut at = 0;
    loop {
        let read = file.read_at(into, at)?;
        if read == 0 {
            return Ok(at);
        }
        at += std::hint::black_box(read) as u64;
    }
}

/// Copies bytes in memory.
pub fn copy_memory(from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
    std::hint::black_box(to);
}

/// Reads just the bytes that a tail needs, whose places are known, and decodes them.
///
/// # Errors
///
/// What the file system or serde says.
pub fn needed_bytes(document: &Document, window: usize) -> Result<Session> {
    let file =
        File::open(&document.path).with_context(|| format!("open {}", document.path.display()))?;
    let (from, _) = document.window(window);
    let head = usize::try_from(document.head())?;
    let rest = usize::try_from(document.bytes - from)?;
    let mut json = vec![0; head + rest];
    let (before, after) = json.split_at_mut(head);
    file.read_exact_at(before, 0)?;
    file.read_exact_at(after, from)?;
    Ok(serde_json::from_slice(&json)?)
}

/// What is done with every file of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Look {
    /// Its size and times are asked for.
    Stat,
    /// And it is opened, its first 4 KB are read, and it is closed.
    Head,
    /// And its last 4 KB are read too.
    HeadAndTail,
}

/// Looks at every file of a directory and returns how many there are.
///
/// # Errors
///
/// What the file system says.
pub fn look_at_all(directory: &Path, look: Look) -> Result<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(directory, flags, Mode::empty())
        .with_context(|| format!("open {}", directory.display()))?;
    let mut buffer = vec![0_u8; 4096];
    let mut files = 0;
    for entry in Dir::read_from(&opened)? {
        let entry = entry?;
        if !entry.file_name().to_bytes().ends_with(b".json")
            || entry.file_name().to_bytes().starts_with(b".")
        {
            continue;
        }
        let wanted = StatxFlags::SIZE | StatxFlags::MTIME | StatxFlags::INO | StatxFlags::TYPE;
        let stat = rustix::fs::statx(
            &opened,
            entry.file_name(),
            AtFlags::SYMLINK_NOFOLLOW,
            wanted,
        )?;
        files += 1;
        if look == Look::Stat {
            continue;
        }
        let file = rustix::fs::openat(
            &opened,
            entry.file_name(),
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        rustix::io::pread(&file, &mut *buffer, 0)?;
        if look == Look::HeadAndTail {
            rustix::io::pread(&file, &mut *buffer, stat.stx_size.saturating_sub(4096))?;
        }
    }
    Ok(files)
}

/// How far prebuilt bytes get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// Into the page cache.
    Cache,
    /// To the medium.
    Medium,
    /// To the medium under a new name that is there too: write, fsync, rename, fsync of the directory.
    Name,
}

/// Writes prebuilt bytes into a file.
///
/// # Errors
///
/// What the file system says.
pub fn write(directory: &Path, bytes: &[u8], reach: Reach) -> Result<()> {
    let path = directory.join("floor");
    let mut file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    file.write_all(bytes)?;
    match reach {
        Reach::Cache => {}
        Reach::Medium => file.sync_data()?,
        Reach::Name => {
            file.sync_all()?;
            std::fs::rename(&path, directory.join("floor.named"))?;
            File::open(directory)?.sync_all()?;
        }
    }
    Ok(())
}
