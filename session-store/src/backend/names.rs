//! Where each blob lives, and which names are names. The one place where a path is built.

use std::ffi::OsStr;
use std::io;

use session_model::SessionId;

use super::{Area, Blob};
use crate::error::Error;

/// Everything that is not a session document.
pub(super) const STORE: &str = ".store";
/// Files that are being written.
pub(super) const TEMPORARIES: &str = ".store/tmp";
/// Lock files.
pub(super) const LOCKS: &str = ".store/locks";
/// The longest file name that every file system takes.
const LONGEST: usize = 255;

impl Area {
    /// Tells the directory of the area.
    pub(super) fn dir(self) -> &'static str {
        match self {
            Self::Sessions | Self::Shared => "",
            Self::Index => ".store/index",
            Self::Journal => ".store/journal",
            Self::Trash => ".store/trash",
            Self::Quarantine => ".store/quarantine",
        }
    }

    /// Tells what follows the name in the file's name.
    fn suffix(self) -> &'static str {
        match self {
            Self::Sessions => ".json",
            Self::Journal => ".journal",
            Self::Shared | Self::Index | Self::Trash | Self::Quarantine => "",
        }
    }

    /// Tells whether a name is one of this area. No path is built from one that is not.
    fn accepts(self, name: &str) -> bool {
        match self {
            Self::Sessions | Self::Journal => SessionId::is_valid(name),
            // The store's own directory is not a file that others share.
            Self::Shared => name.starts_with('.') && name != STORE && is_plain(name),
            Self::Index | Self::Trash | Self::Quarantine => {
                !name.starts_with('.') && is_plain(name)
            }
        }
    }

    /// Whether a file name may be one of this area: what it takes to list only those.
    pub(super) fn wants(self, file: &OsStr) -> bool {
        let bytes = file.as_encoded_bytes();
        bytes.starts_with(b".") == (self == Self::Shared)
            && bytes.ends_with(self.suffix().as_bytes())
    }

    /// Takes a file name apart: `None` if it is none of this area's business, an error if it only looks like it.
    pub(super) fn stem(self, file: &OsStr) -> Option<Result<&str, ()>> {
        match file.to_str() {
            Some(file) => self.stem_of(file),
            // Other programs' dot files are no concern of ours.
            None => (self.wants(file) && self != Self::Shared).then_some(Err(())),
        }
    }

    /// As `stem`, of a name that is text.
    pub(super) fn stem_of(self, file: &str) -> Option<Result<&str, ()>> {
        if !self.wants(file.as_ref()) {
            return None;
        }
        match file.strip_suffix(self.suffix()) {
            Some(stem) if self.accepts(stem) => Some(Ok(stem)),
            _ if self == Self::Shared => None,
            _ => Some(Err(())),
        }
    }
}

/// Whether a text is a plain file name: ASCII letters, digits, `.`, `_`, `-`, and neither `.` nor `..`.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain) && name != "." && name != ".."
}

impl Blob<'_> {
    /// Builds the path of a blob whose name is one.
    pub(super) fn path(&self) -> Result<String, Error> {
        if !self.area.accepts(self.name) {
            if matches!(self.area, Area::Sessions | Area::Journal) {
                SessionId::new(self.name)?;
            }
            let refusal = io::Error::new(io::ErrorKind::InvalidInput, "not a name for a blob");
            return Err(Error::io("name", self.area.dir().as_ref(), refusal));
        }
        let (dir, suffix) = (self.area.dir(), self.area.suffix());
        let mut path = String::with_capacity(dir.len() + 1 + self.name.len() + suffix.len());
        if !dir.is_empty() {
            path.push_str(dir);
            path.push('/');
        }
        path.push_str(self.name);
        path.push_str(suffix);
        Ok(path)
    }
}

/// Joins a directory of ours and a name.
pub(super) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Builds the path of a lock file.
pub(super) fn lock_path(name: &str) -> String {
    format!("{LOCKS}/{name}.lock")
}

/// Builds the path of a temporary that belongs to a lock.
pub(super) fn temporary(lock: &str, random: u64) -> String {
    format!("{TEMPORARIES}/{lock}.{random:016x}")
}

/// Tells which lock a temporary belongs to; `None` if it is not one of ours.
pub(super) fn lock_of(temporary: &OsStr) -> Option<&str> {
    let (lock, random) = temporary.to_str()?.rsplit_once('.')?;
    let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_lock = lock == super::LockName::INDEX || SessionId::new(lock).is_ok();
    (is_random && is_lock).then_some(lock)
}
