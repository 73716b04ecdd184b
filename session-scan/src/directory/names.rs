//! Reading the names of an open directory.
//!
//! Owns the one platform difference in listing. Must not judge names.

use rustix::fd::OwnedFd;
use rustix::ffi::CStr;
use rustix::fs::FileType;
use rustix::io;

/// Bytes of names fetched by one system call: about 1,500 names of the usual length.
#[cfg(target_os = "linux")]
const BUFFER: usize = 64 * 1024;

/// Calls `visit` with every name and what the directory says about its kind.
#[cfg(target_os = "linux")]
pub(crate) fn for_each(
    directory: &OwnedFd,
    mut visit: impl FnMut(&CStr, FileType),
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    let mut names = rustix::fs::RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = names.next() {
        match entry {
            Ok(entry) => visit(entry.file_name(), entry.file_type()),
            Err(io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Calls `visit` with every name and what the directory says about its kind.
#[cfg(not(target_os = "linux"))]
pub(crate) fn for_each(
    directory: &OwnedFd,
    mut visit: impl FnMut(&CStr, FileType),
) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        visit(entry.file_name(), entry.file_type());
    }
    Ok(())
}
