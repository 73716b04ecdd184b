//! How much around the asked directory a query takes in.

/// Which sessions belong to the directory that a query names.
///
/// Paths are compared by components, as written first and then as the file system resolves them. Nothing is folded here, as no
/// rule of folding holds for every directory of a machine: on a file system that ignores case, two spellings are one where
/// resolving says so, as on macOS. Linux resolves a path to the case that it was asked in, so there they are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Those of this directory.
    #[default]
    Exact,
    /// Those of this directory and of all below it.
    Below,
    /// Those of every directory of the git repository that this one belongs to, in all of its worktrees; where there is
    /// no repository, as [`Exact`](Self::Exact).
    ///
    /// Repositories within it, such as submodules, are others. Git itself is not run: `.git` and what it refers to is
    /// read. A worktree that git no longer knows is not found; where what all worktrees share is not the `.git` of one of them (a
    /// bare repository, a submodule, `--separate-git-dir`), the one beside it is found by itself only; and a directory that is gone
    /// is taken as it is written, so that a link in its path leads into no repository.
    Repository,
    /// Every session, whatever its directory.
    All,
}
