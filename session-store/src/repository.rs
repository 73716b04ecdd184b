//! Which directories are one git repository, read from its files. Runs no program, follows no configuration.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The longest file that names a directory, in bytes: paths are shorter.
const LONGEST: u64 = 16 << 10;
/// The most worktrees that are looked at.
const WORKTREES: usize = 1024;
/// How many threads of a store may be stuck at one time.
pub(crate) const STUCK: u32 = 8;

/// The directories at the top of a repository's worktrees, in their canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    roots: Vec<PathBuf>,
}

impl Repository {
    /// Finds the repository that a canonical directory is in, without asking any program; `None` if it is in none.
    fn of(directory: &Path) -> Option<Self> {
        let root = directory
            .ancestors()
            .find(|above| git_directory(above).is_some())?;
        let git = git_directory(root)?;
        let common = common_directory(&git);
        let mut roots = vec![root.to_owned()];
        // The first worktree's files are beside the directory that all of them share.
        if common.file_name().is_some_and(|name| name == ".git") {
            roots.extend(common.parent().map(Path::to_owned));
        }
        for entry in std::fs::read_dir(common.join("worktrees"))
            .into_iter()
            .flatten()
            .flatten()
            .take(WORKTREES)
        {
            let dot_git = named_path(&entry.path().join("gitdir"), "", &entry.path());
            let root = dot_git.and_then(|dot_git| dot_git.parent()?.canonicalize().ok());
            roots.extend(root);
        }
        roots.sort_unstable();
        roots.dedup();
        Some(Self { roots })
    }

    /// Whether a canonical path may be in the repository: it is below one of the worktrees.
    ///
    /// The longest root is given, as one worktree may be within another.
    pub(crate) fn root_of(&self, path: &Path) -> Option<&Path> {
        let above = self.roots.iter().filter(|root| path.starts_with(root));
        above
            .max_by_key(|root| root.as_os_str().len())
            .map(PathBuf::as_path)
    }

    /// Finds the repository of a canonical directory; `None` if that takes too long.
    #[expect(clippy::option_option, reason = "no answer, no repository, or one")]
    pub(crate) fn find(
        directory: &Path,
        deadline: Duration,
        stuck: &Arc<AtomicU32>,
    ) -> Option<Option<Self>> {
        let directory = directory.to_owned();
        within(deadline, stuck, move || Self::of(&directory))
    }
}

/// Whether there is another repository between a root and a path below it; `None` if that takes too long to say.
pub(crate) fn is_divided(
    root: &Path,
    path: &Path,
    deadline: Duration,
    stuck: &Arc<AtomicU32>,
) -> Option<bool> {
    let (root, path) = (root.to_owned(), path.to_owned());
    within(deadline, stuck, move || {
        path.ancestors()
            .take_while(|above| *above != root)
            .any(|above| git_directory(above).is_some())
    })
}

/// The directory that holds the repository of a worktree, if this is the top of one.
fn git_directory(directory: &Path) -> Option<PathBuf> {
    let dot_git = directory.join(".git");
    match std::fs::metadata(&dot_git).ok()? {
        // Git itself takes only what has these for a repository; an empty directory of that name is none.
        found if found.is_dir() => dot_git
            .join("HEAD")
            .symlink_metadata()
            .ok()
            .map(|_| dot_git),
        found if found.is_file() => named_path(&dot_git, "gitdir:", directory),
        _ => None,
    }
}

/// What all worktrees of a repository share, in its canonical form.
fn common_directory(git: &Path) -> PathBuf {
    let common = named_path(&git.join("commondir"), "", git).unwrap_or_else(|| git.to_owned());
    common.canonicalize().unwrap_or(common)
}

/// Reads a file that names a path, which may be relative to a directory.
#[cfg(unix)]
fn named_path(file: &Path, prefix: &str, base: &Path) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{Mode, OFlags};

    let mut text = Vec::new();
    // A pipe of that name must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(file, flags, Mode::empty())
        .map(File::from)
        .ok()
        .filter(|file| file.metadata().is_ok_and(|file| file.is_file()))?;
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    let text = text.strip_prefix(prefix.as_bytes())?;
    let path = Path::new(OsStr::from_bytes(text.trim_ascii()));
    (!path.as_os_str().is_empty()).then(|| base.join(path))
}

/// Whether a path, as it is written, is below another or the same: nothing in the rest leads up again.
pub(crate) fn is_below(path: &Path, above: &Path) -> bool {
    path.strip_prefix(above).is_ok_and(|rest| {
        rest.components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
    })
}

const RUNNING: u8 = 0;
const DONE: u8 = 1;
const ABANDONED: u8 = 2;

/// Looks at other people's files on a thread that may be left behind; `None` if it does not come back in time.
///
/// `stuck` counts the threads that have not come back, so that a dead mount cannot use up all there are.
fn within<T: Send + 'static>(
    deadline: Duration,
    stuck: &Arc<AtomicU32>,
    look: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if stuck.load(Ordering::SeqCst) >= STUCK {
        return None;
    }
    let (reply, answer) = mpsc::channel();
    let state = Arc::new(AtomicU8::new(RUNNING));
    let (ours, theirs) = (Arc::clone(stuck), Arc::clone(&state));
    thread::Builder::new()
        .name("session-repository".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = reply.send(look());
            if theirs.swap(DONE, Ordering::SeqCst) == ABANDONED {
                ours.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .ok()?;
    let answer = answer.recv_timeout(deadline).ok();
    if answer.is_none() {
        stuck.fetch_add(1, Ordering::SeqCst);
        if state.swap(ABANDONED, Ordering::SeqCst) == DONE {
            stuck.fetch_sub(1, Ordering::SeqCst);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_never_ends_costs_one_deadline_and_a_bounded_number_of_threads() {
        let stuck = Arc::default();
        for try_of in 1..=20_u32 {
            let hung = within(Duration::from_millis(1), &stuck, || {
                loop {
                    thread::park();
                }
            });
            let hung: Option<()> = hung;
            assert!(hung.is_none());
            assert_eq!(stuck.load(Ordering::SeqCst), try_of.min(STUCK));
        }
    }

    #[test]
    fn nothing_below_leads_up_again() {
        let below = |path: &str| is_below(Path::new(path), Path::new("/a/b"));
        assert!(below("/a/b") && below("/a/b/") && below("/a/b/c") && below("/a/b/./c"));
        assert!(!below("/a/bc") && !below("/a") && !below("/a/b/../c") && !below("a/b"));
    }
}
