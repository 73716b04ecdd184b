//! The system's stat in our terms. Knows no paths.

use std::io;

use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_NOW};

use crate::fs::{BlobStat, EntryKind, FileKind, FileStat, Owner};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// Now, for both times of a file: that needs no more than the right to write.
pub(super) const NOW: Timestamps = Timestamps {
    last_access: PRESENT,
    last_modification: PRESENT,
};

const PRESENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: UTIME_NOW,
};

/// Translates a stat, as seen by the user `euid`.
pub(super) fn file_stat(stat: &Stat, euid: u32) -> FileStat {
    FileStat::new(
        kind(stat),
        mode(stat),
        owner(stat.st_uid, euid),
        blob_stat(stat),
    )
}

fn owner(uid: u32, euid: u32) -> Owner {
    if uid == euid {
        Owner::Ours
    } else {
        Owner::Foreign
    }
}

/// The permission bits of a stat.
#[allow(clippy::unnecessary_cast, reason = "types differ by platform")]
pub(super) fn mode(stat: &Stat) -> u32 {
    stat.st_mode as u32 & 0o777
}

/// Translates what a stat says of a file itself. Field types differ between platforms, hence the casts, none of which
/// loses a real value.
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    reason = "types differ by platform"
)]
pub(super) fn blob_stat(stat: &Stat) -> BlobStat {
    BlobStat::new(
        stat.st_dev as u64,
        stat.st_ino as u64,
        u64::try_from(stat.st_size).unwrap_or(0),
        i128::from(stat.st_mtime) * SECOND + stat.st_mtime_nsec as i128,
        i128::from(stat.st_ctime) * SECOND + stat.st_ctime_nsec as i128,
    )
}

/// Tells what a stat is of.
pub(super) fn kind(stat: &Stat) -> EntryKind {
    kind_of(FileType::from_raw_mode(stat.st_mode))
}

/// Translates what a directory says of a name.
pub(super) fn kind_of(kind: FileType) -> EntryKind {
    EntryKind::Not(match kind {
        FileType::RegularFile => return EntryKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        FileType::Unknown => FileKind::Unknown,
    })
}

/// Refuses anything but a regular file.
pub(super) fn required_kind(stat: &Stat) -> io::Result<()> {
    match kind(stat) {
        EntryKind::File => Ok(()),
        EntryKind::Not(other) => Err(crate::fs::not_a_file(other)),
    }
}
