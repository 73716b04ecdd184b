//! What a check asks of a directory beside its documents: who may do what with it, and what was left behind. Owns these
//! questions; must not know what is wrong about an answer.

use super::names::{LOCKS, STORE, TEMPORARIES, lock_of};
use super::{Area, Blob, DirBackend};
use crate::error::Error;
use crate::fs::{DirEntry, FileStat, FileSystem, Owner};

/// Who may do something with a file or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The permission bits, `0o777` at most.
    pub mode: u32,
    /// Whether it belongs to another user.
    pub foreign: bool,
}

impl Access {
    /// Makes an answer, for implementations of [`Backend`](super::Backend).
    #[must_use]
    pub fn new(mode: u32, foreign: bool) -> Self {
        Self { mode, foreign }
    }
}

/// What there is beside the blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// The directories that the medium keeps blobs in, by their names below the root, which is `""`.
    pub directories: Vec<(String, Access)>,
    /// Temporaries: of writers at work, and of those that a crash left.
    pub temporaries: Vec<String>,
    /// The ids that locks were ever taken on, as far as the medium keeps them.
    pub locks: Vec<String>,
}

impl<F: FileSystem> DirBackend<F> {
    pub(super) fn access_of(&self, blob: &Blob<'_>) -> Result<Option<Access>, Error> {
        let path = blob.path()?;
        self.judge()?;
        Ok(self.stat_file(&path)?.as_ref().map(access))
    }

    pub(super) fn look_around(&self) -> Result<Surroundings, Error> {
        self.judge()?;
        let mut around = Surroundings::default();
        let areas = [Area::Index, Area::Journal, Area::Trash, Area::Quarantine].map(Area::dir);
        for dir in ["", STORE, TEMPORARIES, LOCKS].into_iter().chain(areas) {
            let stat = self.fs.stat(dir);
            if let Some(stat) = stat.map_err(|error| self.error("stat", dir, error))? {
                around.directories.push((dir.to_owned(), access(&stat)));
            }
        }
        let temporaries = self.names_in(TEMPORARIES)?;
        around.temporaries = temporaries
            .into_iter()
            .filter(|name| lock_of(name.as_ref()).is_some())
            .collect();
        let locks = self.names_in(LOCKS)?.into_iter();
        around.locks = locks
            .filter_map(|name| Some(name.strip_suffix(".lock")?.to_owned()))
            .filter(|name| !name.starts_with('.'))
            .collect();
        Ok(around)
    }

    fn names_in(&self, dir: &str) -> Result<Vec<String>, Error> {
        let found = self.fs.list(dir, &mut |_| true);
        let found = found.map_err(|error| self.error("list", dir, error))?;
        let found: Vec<DirEntry> = found.unwrap_or_default();
        // Names that are no text are none of ours.
        let names = found.into_iter();
        Ok(names
            .filter_map(|entry| entry.name.into_string().ok())
            .collect())
    }
}

fn access(stat: &FileStat) -> Access {
    Access::new(stat.mode, stat.owner == Owner::Foreign)
}
