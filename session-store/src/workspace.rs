//! What "same workspace" means: the asked directory against the ones that sessions name.

use std::path::{Path, PathBuf};

use crate::Scope;
use crate::repository::{Repository, is_below};
use crate::resolve::{Resolved, Resolver};

/// Whether a session belongs to the asked workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    Yes,
    No,
    /// The session's directory did not resolve in time.
    Unknown,
}

/// The directory a query asks for, and what around it is taken in.
///
/// A stored directory is the same workspace when it equals the asked one as written, or its canonical form, or when
/// both resolve to one canonical path. Paths are compared by components, so that a trailing slash or a `.` makes no
/// difference; `..` and links only count once the file system has resolved them.
#[derive(Debug)]
pub(crate) struct Workspace<'r> {
    asked: PathBuf,
    canonical: Resolved,
    around: Around,
    resolver: &'r Resolver,
}

/// What beside the asked directory itself belongs to it.
#[derive(Debug)]
enum Around {
    Nothing,
    Below,
    Repository(Repository),
    /// Its file system did not say which repository it is in.
    Unanswered,
}

impl<'r> Workspace<'r> {
    pub(crate) fn new(asked: &Path, resolver: &'r Resolver) -> Self {
        Self {
            asked: asked.to_owned(),
            canonical: resolver.resolve(asked),
            around: Around::Nothing,
            resolver,
        }
    }

    /// The same by what was resolved before: the file system is not asked.
    pub(crate) fn known(asked: &Path, resolver: &'r Resolver) -> Self {
        Self {
            asked: asked.to_owned(),
            canonical: resolver.known(asked),
            around: Around::Nothing,
            resolver,
        }
    }

    /// Takes in what a scope says; `None` where that is everything.
    pub(crate) fn scoped(asked: &Path, scope: Scope, resolver: &'r Resolver) -> Option<Self> {
        if scope == Scope::All {
            return None;
        }
        let mut workspace = Self::new(asked, resolver);
        workspace.around = match (scope, &workspace.canonical) {
            (Scope::Exact | Scope::All, _) | (Scope::Repository, Resolved::No) => Around::Nothing,
            (Scope::Below, _) => Around::Below,
            (Scope::Repository, Resolved::Unanswered) => Around::Unanswered,
            (Scope::Repository, Resolved::To(path)) => match resolver.repository(path) {
                Some(Some(repository)) => Around::Repository(repository),
                Some(None) => Around::Nothing,
                None => Around::Unanswered,
            },
        };
        Some(workspace)
    }

    /// Compares bytes first and touches the file system only when they differ.
    pub(crate) fn belongs(&self, stored: Option<&Path>) -> Belongs {
        let Some(path) = stored else {
            return Belongs::No;
        };
        if self.is_written(stored) {
            return Belongs::Yes;
        }
        match &self.around {
            Around::Nothing => self.resolves_to(path, |path, asked| path == asked),
            Around::Below => {
                let is_written = is_below(path, &self.asked)
                    || self.canonical().is_some_and(|asked| is_below(path, asked));
                if is_written {
                    Belongs::Yes
                } else {
                    self.resolves_to(path, |path, asked| path.starts_with(asked))
                }
            }
            Around::Repository(repository) => self.is_in(repository, path),
            Around::Unanswered => Belongs::Unknown,
        }
    }

    /// The same of the asked directory alone, by what was resolved before: the file system is not asked.
    pub(crate) fn is_known_to_hold(&self, stored: Option<&Path>) -> Belongs {
        let Some(path) = stored else {
            return Belongs::No;
        };
        if self.is_written(stored) {
            return Belongs::Yes;
        }
        self.compare(|| self.resolver.known(path), |path, asked| path == asked)
    }

    /// Compares what a stored path and the asked one resolve to.
    fn resolves_to(&self, path: &Path, belongs: impl Fn(&Path, &Path) -> bool) -> Belongs {
        self.compare(|| self.resolver.resolve(path), belongs)
    }

    fn compare(
        &self,
        resolve: impl FnOnce() -> Resolved,
        belongs: impl Fn(&Path, &Path) -> bool,
    ) -> Belongs {
        if self.canonical == Resolved::No {
            return Belongs::No;
        }
        match (resolve(), self.canonical()) {
            (Resolved::To(path), Some(asked)) if belongs(&path, asked) => Belongs::Yes,
            (Resolved::To(_), Some(_)) | (Resolved::No, _) => Belongs::No,
            (Resolved::To(_) | Resolved::Unanswered, _) => Belongs::Unknown,
        }
    }

    fn is_in(&self, repository: &Repository, stored: &Path) -> Belongs {
        let path = match self.resolver.resolve(stored) {
            Resolved::To(path) => path,
            // What is gone from a worktree was in it, unless it was written in a way that only resolving tells.
            Resolved::No => stored.to_owned(),
            Resolved::Unanswered => return Belongs::Unknown,
        };
        let Some(root) = repository
            .root_of(&path)
            .filter(|root| is_below(&path, root))
        else {
            return Belongs::No;
        };
        match self.resolver.is_divided(root, &path) {
            Some(false) => Belongs::Yes,
            Some(true) => Belongs::No,
            None => Belongs::Unknown,
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
        self.canonical == Resolved::Unanswered || matches!(self.around, Around::Unanswered)
    }

    /// The keys under which an index knows this workspace: as written, and canonical where that differs.
    ///
    /// Components are joined anew, so that `/x/` and `/x` make one key. What takes in more than itself has none.
    pub(crate) fn keys(&self) -> impl Iterator<Item = PathBuf> {
        let written: PathBuf = self.asked.components().collect();
        let canonical = self
            .canonical()
            .map(Path::to_owned)
            .filter(|path| *path != written);
        let alone = matches!(self.around, Around::Nothing);
        std::iter::once(written)
            .chain(canonical)
            .filter(move |_| alone)
    }
}
