//! Stamps of files: what the kernel says about one name or one open file.
//!
//! Owns the translation from the system's structures to [`Entry`]. Must not list or read.

use rustix::fd::AsFd;
use rustix::ffi::CStr;
use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};
use rustix::io;

use crate::{Entry, FileKind};

/// A file's kind and stamp.
pub(crate) struct Stamp {
    kind: FileType,
    size: u64,
    modified: i128,
    changed: i128,
    device: u64,
    inode: u64,
}

impl Stamp {
    /// Asks for the stamp of a name in a directory, without following a link.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_name(directory: impl AsFd, name: &CStr) -> io::Result<Self> {
        use rustix::fs::{StatxFlags, makedev, statx};
        // Only what is used is asked for, which spares network file systems the rest.
        let wanted = StatxFlags::TYPE
            | StatxFlags::SIZE
            | StatxFlags::MTIME
            | StatxFlags::CTIME
            | StatxFlags::INO;
        let directory = directory.as_fd();
        match statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
            Ok(stat) => Ok(Self {
                kind: FileType::from_raw_mode(stat.stx_mode.into()),
                size: stat.stx_size,
                modified: nanoseconds(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
                changed: nanoseconds(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
                device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
                inode: stat.stx_ino,
            }),
            // Kernels before 4.11 and some sandboxes do not have the call.
            Err(io::Errno::NOSYS | io::Errno::PERM) => {
                statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Self::from(&stat))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks for the stamp of a name in a directory, without following a link.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of_name(directory: impl AsFd, name: &CStr) -> io::Result<Self> {
        statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Self::from(&stat))
    }

    /// Asks for the stamp of an open file.
    pub(crate) fn of_file(file: impl AsFd) -> io::Result<Self> {
        fstat(file).map(|stat| Self::from(&stat))
    }

    /// Gives the kind if it is not a regular file's.
    pub(crate) fn kind(&self) -> Option<FileKind> {
        other_kind(self.kind)
    }

    /// Makes the entry of a file with this stamp.
    pub(crate) fn entry(&self, name: &str) -> Entry {
        Entry::new(name, self.size, self.modified)
            .changed(self.changed)
            .identity(self.device, self.inode)
    }
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    clippy::useless_conversion,
    clippy::allow_attributes,
    reason = "the fields' types differ between platforms; sizes of files are never negative"
)]
impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            size: stat.st_size as u64,
            modified: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
            changed: i128::from(stat.st_ctime) * 1_000_000_000 + i128::from(stat.st_ctime_nsec),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
        }
    }
}

#[cfg(target_os = "linux")]
fn nanoseconds(seconds: i64, nanoseconds: u32) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

/// Names a kind that is not a regular file.
///
/// A kind that the directory does not tell is `Unknown` too; callers ask for the stamp then.
pub(crate) fn other_kind(kind: FileType) -> Option<FileKind> {
    match kind {
        FileType::RegularFile => None,
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::Symlink),
        FileType::Fifo => Some(FileKind::Fifo),
        FileType::Socket => Some(FileKind::Socket),
        FileType::CharacterDevice | FileType::BlockDevice => Some(FileKind::Device),
        FileType::Unknown => Some(FileKind::Unknown),
    }
}
