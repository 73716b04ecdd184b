//! Whether the times of a directory prove anything: which file system it is on, and which run of the system stamps it.

use std::os::fd::OwnedFd;

use crate::fs::{Clock, Witness};

/// The magic numbers of file systems that only this kernel changes, and that stamp a directory whenever a name in it
/// changes. All others, networks, FUSE and overlays among them, prove nothing.
#[cfg(target_os = "linux")]
const LOCAL: [u64; 8] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // btrfs
    0x0102_1994, // tmpfs
    0xF2F5_2010, // F2FS
    0xCA45_1A4E, // bcachefs
    0x2FC1_2FC1, // ZFS
    0x8584_58F6, // ramfs
];

/// Names who stamps a directory.
#[cfg(target_os = "linux")]
#[allow(
    clippy::cast_sign_loss,
    clippy::unnecessary_cast,
    reason = "types differ by platform"
)]
pub(super) fn of(root: &OwnedFd) -> Option<Witness> {
    let magic = rustix::fs::fstatfs(root).ok()?.f_type as u64 & 0xFFFF_FFFF;
    if !LOCAL.contains(&magic) {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = boot.trim().split('-').collect();
    let boot = u128::from_str_radix(&digits, 16).ok()?;
    Some(Witness::new(boot, Clock::Unknown))
}

/// Elsewhere the run of the system cannot be told without code of its own.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(_root: &OwnedFd) -> Option<Witness> {
    let _ = |boot| Witness::new(boot, Clock::Unknown);
    None
}

#[cfg(feature = "testing")]
impl super::OsFs {
    /// Takes the system to have been started anew, as it is after a power cut: what was proven for the run before is not for
    /// this one.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        self.restarts += 1;
        self
    }
}
