//! Which directories are one git repository, read from its files. Runs no program, follows no configuration.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use crate::stuck::{Questions, Trail};

/// The longest file that names a directory, in bytes: paths are shorter.
const LONGEST: u64 = 16 << 10;
/// The most worktrees that are looked at.
const WORKTREES: usize = 1024;

/// The directories at the top of a repository's worktrees, in their canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    roots: Vec<PathBuf>,
}

impl Repository {
    /// Finds the repository that a canonical directory is in, without asking any program; `Some(None)` if it is in none, `None`
    /// if something on the way is on a mount that does not answer.
    #[expect(clippy::option_option, reason = "no answer, no repository, or one")]
    fn of(directory: &Path, trail: &Trail) -> Option<Option<Self>> {
        let mut found = None;
        for above in directory.ancestors() {
            if let Some(git) = git_directory(above, trail)? {
                found = Some((above, git));
                break;
            }
        }
        let Some((root, git)) = found else {
            return Some(None);
        };
        let common = common_directory(&git, trail)?;
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
            trail.go(&common)?;
            let dot_git = named_path(&entry.path().join("gitdir"), "", &entry.path());
            if let Some(root) = dot_git.as_deref().and_then(Path::parent) {
                if trail.follow(root).is_some() {
                    roots.extend(root.canonicalize().ok());
                } else if trail.is_left() {
                    return None;
                }
                // Of a worktree on a mount that does not answer no session is found, and all others are.
            }
        }
        roots.sort_unstable();
        roots.dedup();
        Some(Some(Self { roots }))
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
    pub(crate) fn find(directory: &Path, questions: &Arc<Questions>) -> Option<Option<Self>> {
        let asked = directory.to_owned();
        within(questions, directory, move |trail| Self::of(&asked, trail))
    }
}

/// Whether there is another repository between a root and a path below it; `None` if that takes too long to say.
pub(crate) fn is_divided(root: &Path, path: &Path, questions: &Arc<Questions>) -> Option<bool> {
    let (root, below) = (root.to_owned(), path.to_owned());
    within(questions, path, move |trail| {
        let mut above = below.ancestors().take_while(|above| *above != root);
        let divides = |above: &Path| git_directory(above, trail).map(|git| git.is_some());
        above.try_fold(false, |found, above| Some(found || divides(above)?))
    })
}

/// The directory that holds the repository of a worktree, if this is the top of one; `None` if that is on a mount that does not
/// answer.
#[expect(clippy::option_option, reason = "no answer, no directory, or one")]
fn git_directory(directory: &Path, trail: &Trail) -> Option<Option<PathBuf>> {
    let dot_git = directory.join(".git");
    trail.follow(&dot_git)?;
    Some(match std::fs::metadata(&dot_git).ok() {
        // Git itself takes only what has these for a repository; an empty directory of that name is none.
        Some(found) if found.is_dir() => dot_git
            .join("HEAD")
            .symlink_metadata()
            .ok()
            .map(|_| dot_git),
        Some(found) if found.is_file() => named_path(&dot_git, "gitdir:", directory),
        _ => None,
    })
}

/// What all worktrees of a repository share, in its canonical form; `None` if that is on a mount that does not answer.
fn common_directory(git: &Path, trail: &Trail) -> Option<PathBuf> {
    let named = git.join("commondir");
    trail.follow(&named)?;
    let common = named_path(&named, "", git).unwrap_or_else(|| git.to_owned());
    trail.follow(&common)?;
    Some(common.canonicalize().unwrap_or(common))
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

/// Looks at other people's files on a thread that may be left behind; `None` if it does not come back in time.
fn within<T: Send + 'static>(
    questions: &Arc<Questions>,
    path: &Path,
    look: impl FnOnce(&Trail) -> Option<T> + Send + 'static,
) -> Option<T> {
    if !questions.may_begin(path) {
        return None;
    }
    let (reply, answer) = mpsc::channel();
    let trail = Trail::new(questions, path);
    let theirs = Arc::clone(&trail);
    thread::Builder::new()
        .name("session-repository".to_owned())
        .spawn(move || {
            let looked = look(&theirs);
            theirs.end();
            // Nobody may be waiting any more.
            let _ = reply.send(looked);
        })
        .ok()?;
    let answer = answer.recv_timeout(questions.deadline);
    if let Err(RecvTimeoutError::Timeout) = answer {
        trail.leave();
    }
    answer.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mounts::Mounts;
    use crate::stuck::{PATIENCE, STUCK, Stuck};

    /// Looks ten times in each of five queries, which leave no more behind than is told for each.
    fn hang(mounts: fn() -> Mounts, most: [u32; 5]) {
        let stuck: Arc<Stuck> = Arc::default();
        for most in most {
            let questions = Questions::new(Duration::from_millis(1), &stuck).among(mounts());
            let questions = Arc::new(questions);
            for _ in 0..10 {
                let hung: Option<()> = within(&questions, Path::new("/dead/x"), |trail| {
                    trail.go(Path::new("/dead/x/y"))?;
                    loop {
                        thread::park();
                    }
                });
                assert!(hung.is_none());
            }
            assert!(questions.timeouts() <= PATIENCE);
            assert!(stuck.waiting() <= most);
        }
    }

    #[test]
    fn a_look_that_never_ends_costs_a_bounded_number_of_deadlines_and_threads() {
        hang(Mounts::default, [3, 6, STUCK, STUCK, STUCK]);
        hang(|| ["/", "/dead"].into_iter().collect(), [1; 5]);
    }

    #[test]
    fn nothing_below_leads_up_again() {
        let below = |path: &str| is_below(Path::new(path), Path::new("/a/b"));
        assert!(below("/a/b") && below("/a/b/") && below("/a/b/c") && below("/a/b/./c"));
        assert!(!below("/a/bc") && !below("/a") && !below("/a/b/../c") && !below("a/b"));
    }
}
