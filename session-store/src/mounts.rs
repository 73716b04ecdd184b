//! Which mount a path is on, by its text and the kernel's table alone: no file system is asked, as it may not answer.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A mount, by where it is mounted; `None` where mounts are not told apart.
pub(crate) type Mount = Option<PathBuf>;

/// Where something is mounted, as the kernel says.
#[derive(Debug, Default)]
pub(crate) struct Mounts(HashSet<PathBuf>);

impl Mounts {
    /// Reads the table; where there is none, all paths are on one mount.
    pub(crate) fn read() -> Self {
        Self::parse(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Takes the mount point out of each line: its fifth field.
    fn parse(table: &[u8]) -> Self {
        let lines = table.split(|byte| *byte == b'\n');
        let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
        Self(points.filter_map(unescape).collect())
    }

    /// The mount of an absolute path in which nothing is a link.
    pub(crate) fn of(&self, path: &Path) -> Mount {
        let mut above = path.ancestors();
        above
            .find(|above| self.0.contains(*above))
            .map(Path::to_owned)
    }
}

impl<P: Into<PathBuf>> FromIterator<P> for Mounts {
    fn from_iter<I: IntoIterator<Item = P>>(points: I) -> Self {
        Self(points.into_iter().map(Into::into).collect())
    }
}

/// Undoes what the table does to blanks, tabs, line feeds and backslashes: a backslash and three octal digits.
#[cfg(unix)]
fn unescape(field: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = after.split_at_checked(3)?;
        rest = after;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?);
    }
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    path.is_absolute().then_some(path)
}

/// There is no such table.
#[cfg(not(unix))]
fn unescape(_field: &[u8]) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_on_the_mount_with_the_longest_point_above_it() {
        let table = b"21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n\
            22 21 0:20 / /mnt/a\\040b rw shared:1 - fuse x rw\n\
            23 22 0:21 /sub /mnt/a\\040b/\\134c rw - nfs y rw\n\
            24 21 0:22 / broken\\04 rw - nfs y rw\n";
        let mounts = Mounts::parse(table);
        for (path, on) in [
            ("/", "/"),
            ("/mnt/a", "/"),
            ("/mnt/a bc", "/"),
            ("/mnt/a b", "/mnt/a b"),
            ("/mnt/a b/x/y", "/mnt/a b"),
            ("/mnt/a b/\\c/x", "/mnt/a b/\\c"),
        ] {
            assert_eq!(mounts.of(Path::new(path)), Some(on.into()), "{path}");
        }
        assert_eq!(Mounts::parse(b"").of(Path::new("/mnt")), None);
        if cfg!(target_os = "linux") {
            assert!(Mounts::read().of(Path::new("/proc/self")).is_some());
        }
    }
}
