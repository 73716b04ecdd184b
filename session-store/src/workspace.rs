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
    canonical: Option<PathBuf>,
    resolver: &'r Resolver,
}

impl<'r> Workspace<'r> {
    pub(crate) fn new(asked: &Path, resolver: &'r Resolver) -> Self {
        let canonical = match resolver.resolve(asked) {
            Resolved::To(path) => Some(path),
            Resolved::No | Resolved::TimedOut => None,
        };
        Self {
            asked: asked.to_owned(),
            canonical,
            resolver,
        }
    }

    /// Compares bytes first and touches the file system only when they differ.
    pub(crate) fn belongs(&self, stored: Option<&Path>) -> Belongs {
        let Some(stored) = stored else {
            return Belongs::No;
        };
        if stored == self.asked {
            return Belongs::Yes;
        }
        let Some(canonical) = &self.canonical else {
            return Belongs::No;
        };
        if stored == canonical {
            return Belongs::Yes;
        }
        match self.resolver.resolve(stored) {
            Resolved::To(path) if path == *canonical => Belongs::Yes,
            Resolved::To(_) | Resolved::No => Belongs::No,
            Resolved::TimedOut => Belongs::Unknown,
        }
    }

    /// The keys under which an index knows this workspace: as written, and canonical where that differs.
    ///
    /// Components are joined anew, so that `/x/` and `/x` make one key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = PathBuf> {
        let written: PathBuf = self.asked.components().collect();
        let canonical = self.canonical.clone().filter(|path| *path != written);
        std::iter::once(written).chain(canonical)
    }
}
