//! A workspace as bytes, and the name of its pointer. Knows paths as bytes only: it resolves and normalises nothing.

use std::borrow::Cow;
use std::path::Path;

use twox_hash::XxHash3_128;

/// The longest workspace path that is recorded, in bytes. `PATH_MAX` is 4,096 where there is one.
pub(crate) const MAX_WORKSPACE: usize = 16 * 1024;

/// What the name of every pointer ends with.
pub(crate) const ENDING: &str = ".pointer";

/// What a pointer is recorded under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// All workspaces together.
    All,
    /// One workspace, by the bytes of its path.
    Workspace(Cow<'a, [u8]>),
}

impl<'a> Key<'a> {
    /// Returns the key of `workspace`, or `None` if its path has no portable bytes or too many of them.
    pub(crate) fn of(workspace: Option<&'a Path>) -> Option<Self> {
        let Some(path) = workspace else {
            return Some(Self::All);
        };
        let bytes = bytes(path)?;
        (bytes.len() <= MAX_WORKSPACE).then_some(Self::Workspace(Cow::Borrowed(bytes)))
    }

    /// Returns the name of the pointer in the storage.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::All => Cow::Borrowed("all.pointer"),
            // The hash only spreads the names: two paths that collide are told apart by the path in the pointer.
            Self::Workspace(bytes) => {
                Cow::Owned(format!("{:032x}{ENDING}", XxHash3_128::oneshot(bytes)))
            }
        }
    }
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere a path may have no portable bytes"
)]
fn bytes(path: &Path) -> Option<&[u8]> {
    use std::os::unix::ffi::OsStrExt;

    Some(path.as_os_str().as_bytes())
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Option<&[u8]> {
    // Elsewhere the bytes behind an `OsStr` may differ between two versions of the standard library.
    path.to_str().map(str::as_bytes)
}
