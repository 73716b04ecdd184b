//! Whose directory it may be: who could have planted or changed what is in it.

use std::path::Path;

use crate::error::Error;
use crate::fs::{EntryKind, FileStat, Owner};

/// Write permission of the group.
const GROUP_WRITE: u32 = 0o020;
/// Write permission of everybody.
const OTHERS_WRITE: u32 = 0o002;

/// What is allowed of the sessions directory. By default it must be ours, not writable by others, and not a link.
///
/// Write permission for the group is never refused; [`DirBackend::warning`](super::DirBackend::warning) tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Trust {
    foreign_owner: bool,
    writable_by_others: bool,
    symbolic_link: bool,
}

impl Trust {
    /// Allows nothing out of the ordinary, as the default does.
    pub fn strict() -> Self {
        Self::default()
    }

    /// Allows a directory that belongs to another user.
    pub fn allow_foreign_owner(mut self) -> Self {
        self.foreign_owner = true;
        self
    }

    /// Allows a directory that every user may write to.
    pub fn allow_writable_by_others(mut self) -> Self {
        self.writable_by_others = true;
        self
    }

    /// Allows the path of the directory to be a symbolic link, which is followed once.
    pub fn allow_symbolic_link(mut self) -> Self {
        self.symbolic_link = true;
        self
    }

    pub(super) fn follows_link(self) -> bool {
        self.symbolic_link
    }

    /// Judges a directory; a warning is an answer.
    pub(super) fn judge(self, path: &Path, stat: &FileStat) -> Result<Option<&'static str>, Error> {
        let refuse = |reason| {
            Err(Error::Untrusted {
                path: path.to_owned(),
                reason,
            })
        };
        if stat.kind != EntryKind::DIRECTORY {
            return refuse("is not a directory");
        }
        if stat.owner == Owner::Foreign && !self.foreign_owner {
            return refuse("belongs to another user");
        }
        if stat.mode & OTHERS_WRITE != 0 && !self.writable_by_others {
            return refuse("every user may write to it");
        }
        Ok((stat.mode & GROUP_WRITE != 0).then_some("its group may write to it"))
    }
}
