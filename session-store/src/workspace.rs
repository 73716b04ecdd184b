//! What "same workspace" means: the asked directory against the ones that sessions name.

use std::path::{Path, PathBuf};

use crate::resolve::{Resolved, Resolver};

/// Whether a session belongs to the asked workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    Yes,
    No,
    /// The session's directory did not resolve in time.
    Unknown,
}

/// The directory a query asks for.
///
/// A stored directory is the same workspace when it equals the asked one as written, or its canonical form, or when
/// both resolve to one canonical path. Paths are compared by components, so that a trailing slash or a `.` makes no
/// difference; `..` and links only count once the file system has resolved them.
#[derive(Debug)]
pub(crate) struct Workspace<'r> {
    asked: PathBuf,
    canonical: Resolved,
    resolver: &'r Resolver,
}

impl<'r> Workspace<'r> {
    pub(crate) fn new(asked: &Path, resolver: &'r Resolver) -> Self {
        Self {
            asked: asked.to_owned(),
            canonical: resolver.resolve(asked),
            resolver,
        }
    }

    /// Compares bytes first and touches the file system only when they differ.
    pub(crate) fn belongs(&self, stored: Option<&Path>) -> Belongs {
        let Some(path) = stored else {
            return Belongs::No;
        };
        if self.is_written(stored) {
            return Belongs::Yes;
        }
        if self.canonical == Resolved::No {
            return Belongs::No;
        }
        match self.resolver.resolve(path) {
            Resolved::No => Belongs::No,
            Resolved::To(path) if Some(path.as_path()) == self.canonical() => Belongs::Yes,
            Resolved::To(_) if self.canonical().is_some() => Belongs::No,
            Resolved::To(_) | Resolved::Unanswered => Belongs::Unknown,
        }
    }

    /// Whether a stored path is the asked one as written, or its canonical form.
    pub(crate) fn is_written(&self, stored: Option<&Path>) -> bool {
        stored.is_some_and(|stored| stored == self.asked || Some(stored) == self.canonical())
    }

    fn canonical(&self) -> Option<&Path> {
        match &self.canonical {
            Resolved::To(path) => Some(path),
            Resolved::No | Resolved::Unanswered => None,
        }
    }

    /// Whether it is not known what the asked directory is: its file system did not answer.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.canonical == Resolved::Unanswered
    }

    /// The keys under which an index knows this workspace: as written, and canonical where that differs.
    ///
    /// Components are joined anew, so that `/x/` and `/x` make one key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = PathBuf> {
        let written: PathBuf = self.asked.components().collect();
        let canonical = self
            .canonical()
            .map(Path::to_owned)
            .filter(|path| *path != written);
        std::iter::once(written).chain(canonical)
    }
}
