//! Resolves other people's directories under a deadline, so that a dead network mount cannot hang a lookup.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::repository::{self, Repository, STUCK};

/// What became of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// Its canonical form.
    To(PathBuf),
    /// It cannot be resolved: gone, forbidden, or not absolute.
    No,
    /// The file system did not answer, or not in time.
    Unanswered,
}

/// How many paths may run into the deadline before the rest of a query is not asked at all.
///
/// One hung mount often holds many sessions; this bounds what they cost together.
const PATIENCE: u32 = 3;

/// Canonicalises paths, each distinct one once: from what the kernel has in its cache, which takes no time and cannot hang,
/// or else on a thread that may be left behind.
///
/// Lives as long as one query: links may be re-pointed between two. A thread that does not come back is abandoned; it
/// holds no lock and no file of the store, and the store counts how many of them there are.
#[derive(Debug)]
pub(crate) struct Resolver {
    deadline: Duration,
    stuck: Arc<AtomicU32>,
    /// Answers without waiting, or not at all.
    cached: fn(&Path) -> Option<Resolved>,
    /// Stands for the real thing in tests that need a path which never answers.
    canonicalize: fn(&Path) -> Resolved,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<PathBuf, Resolved>,
    /// Whether another repository is between a path and the root that was asked for.
    divided: HashMap<PathBuf, Option<bool>>,
    worker: Option<Worker>,
    timeouts: u32,
}

#[derive(Debug)]
struct Worker {
    ask: Sender<PathBuf>,
    answer: Receiver<Resolved>,
    abandoned: Arc<AtomicBool>,
}

impl Resolver {
    /// Starts with nothing known; `stuck` is the store's count of threads that have not come back.
    pub(crate) fn new(deadline: Duration, stuck: &Arc<AtomicU32>) -> Self {
        Self::with(deadline, stuck, cached, canonicalize)
    }

    fn with(
        deadline: Duration,
        stuck: &Arc<AtomicU32>,
        cached: fn(&Path) -> Option<Resolved>,
        canonicalize: fn(&Path) -> Resolved,
    ) -> Self {
        Self {
            deadline,
            stuck: Arc::clone(stuck),
            cached,
            canonicalize,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves an absolute path; a relative one is never resolved, as the store has no current directory.
    pub(crate) fn resolve(&self, path: &Path) -> Resolved {
        if !path.is_absolute() {
            return Resolved::No;
        }
        let mut state = self.state();
        if let Some(known) = state.known.get(path) {
            return known.clone();
        }
        // Whoever gives no time at all is answered nothing.
        let resolved = if self.deadline.is_zero() {
            Resolved::Unanswered
        } else if let Some(resolved) = (self.cached)(path) {
            resolved
        } else if state.timeouts < PATIENCE {
            self.ask(&mut state, path)
        } else {
            Resolved::Unanswered
        };
        // It resolves to itself, which is asked of what is known already where no file system may be.
        if let Resolved::To(canonical) = &resolved {
            state.known.insert(canonical.clone(), resolved.clone());
        }
        state.known.insert(path.to_owned(), resolved.clone());
        resolved
    }

    /// What `resolve` has answered for a path before; asks nobody.
    pub(crate) fn known(&self, path: &Path) -> Resolved {
        if !path.is_absolute() {
            return Resolved::No;
        }
        let known = self.state().known.get(path).cloned();
        known.unwrap_or(Resolved::Unanswered)
    }

    /// Finds the git repository of a canonical path; `None` if the file system does not say in time.
    #[expect(clippy::option_option, reason = "no answer, no repository, or one")]
    pub(crate) fn repository(&self, path: &Path) -> Option<Option<Repository>> {
        Repository::find(path, self.deadline, &self.stuck)
    }

    /// Whether another repository begins between a root and a path below it; `None` if the file system does not say in
    /// time. Each distinct path is asked once.
    pub(crate) fn is_divided(&self, root: &Path, path: &Path) -> Option<bool> {
        let mut state = self.state();
        if let Some(known) = state.divided.get(path) {
            return *known;
        }
        let divided = (state.timeouts < PATIENCE)
            .then(|| repository::is_divided(root, path, self.deadline, &self.stuck))
            .flatten();
        state.timeouts += u32::from(divided.is_none());
        state.divided.insert(path.to_owned(), divided);
        divided
    }

    fn ask(&self, state: &mut State, path: &Path) -> Resolved {
        let Some(worker) = state.worker.take().or_else(|| self.spawn()) else {
            return Resolved::Unanswered;
        };
        if worker.ask.send(path.to_owned()).is_err() {
            return Resolved::Unanswered;
        }
        match worker.answer.recv_timeout(self.deadline) {
            Ok(answer) => {
                state.worker = Some(worker);
                answer
            }
            Err(RecvTimeoutError::Timeout) => {
                state.timeouts += 1;
                // Counted before the worker can see it: it looks once its channel is gone.
                self.stuck.fetch_add(1, Ordering::SeqCst);
                worker.abandoned.store(true, Ordering::SeqCst);
                Resolved::Unanswered
            }
            Err(RecvTimeoutError::Disconnected) => Resolved::Unanswered,
        }
    }

    /// Starts a worker; `None` where the system has no thread to give, or too many are stuck.
    fn spawn(&self) -> Option<Worker> {
        if self.stuck.load(Ordering::SeqCst) >= STUCK {
            return None;
        }
        let (ask, asked) = mpsc::channel::<PathBuf>();
        let (reply, answer) = mpsc::channel();
        let abandoned = Arc::new(AtomicBool::new(false));
        let (canonicalize, flag, stuck) = (
            self.canonicalize,
            Arc::clone(&abandoned),
            Arc::clone(&self.stuck),
        );
        thread::Builder::new()
            .name("session-resolve".to_owned())
            .spawn(move || {
                while let Ok(path) = asked.recv()
                    && reply.send(canonicalize(&path)).is_ok()
                {}
                // Whoever abandoned this thread said so before the channel went, or says so before it goes.
                while asked.recv().is_ok() {}
                if flag.load(Ordering::SeqCst) {
                    stuck.fetch_sub(1, Ordering::SeqCst);
                }
            })
            .ok()?;
        Some(Worker {
            ask,
            answer,
            abandoned,
        })
    }
}

/// Resolves a path from the kernel's cache of names, without any I/O: `None` where that is not enough.
#[cfg(target_os = "linux")]
fn cached(path: &Path) -> Option<Resolved> {
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStringExt;

    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
    use rustix::io::Errno;

    // Only a handle: nothing is opened on the file system that has it.
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
        Ok(fd) => {
            let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
            let target = rustix::fs::readlink(name, Vec::new()).ok()?.into_bytes();
            // What was removed meanwhile, or is out of reach, is spelt in ways that are no paths.
            let is_path = target.starts_with(b"/") && !target.ends_with(b" (deleted)");
            is_path.then(|| Resolved::To(std::ffi::OsString::from_vec(target).into()))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP | Errno::NAMETOOLONG) => {
            Some(Resolved::No)
        }
        // Not in the cache, or a kernel that cannot say.
        Err(_) => None,
    }
}

/// Elsewhere there is no way to look that cannot hang.
#[cfg(not(target_os = "linux"))]
fn cached(_path: &Path) -> Option<Resolved> {
    None
}

/// Tells a path that is not there from a file system that does not say.
fn canonicalize(path: &Path) -> Resolved {
    match std::fs::canonicalize(path) {
        Ok(path) => Resolved::To(path),
        Err(error) => match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename => Resolved::No,
            // A loop of links has no kind of its own on stable Rust.
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Resolved::No
            }
            _ => Resolved::Unanswered,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_never_answers_costs_a_bounded_number_of_deadlines_and_threads() {
        fn hung(_: &Path) -> Resolved {
            loop {
                thread::park();
            }
        }
        let stuck = Arc::default();
        for query in 1..=20_u32 {
            let resolver = Resolver::with(Duration::from_millis(1), &stuck, |_| None, hung);
            for n in 0..100 {
                let path = format!("/hung/{n}");
                assert_eq!(resolver.resolve(Path::new(&path)), Resolved::Unanswered);
            }
            assert!(resolver.state().timeouts <= PATIENCE);
            assert_eq!(stuck.load(Ordering::SeqCst), (query * PATIENCE).min(STUCK));
        }
    }

    #[test]
    fn one_hung_path_leaves_the_others_resolvable() {
        fn one_hung(path: &Path) -> Resolved {
            while path == Path::new("/hung") {
                thread::park();
            }
            Resolved::To(path.join("real"))
        }
        // The deadline is long where an answer is due, and the hung path is asked through a resolver of its own.
        let stuck = Arc::default();
        let hung = Resolver::with(Duration::from_millis(1), &stuck, |_| None, one_hung);
        assert_eq!(hung.resolve(Path::new("/hung")), Resolved::Unanswered);
        let resolver = Resolver::with(Duration::from_secs(60), &stuck, |_| None, one_hung);
        assert_eq!(
            resolver.resolve(Path::new("/a")),
            Resolved::To("/a/real".into())
        );
        assert_eq!(resolver.resolve(Path::new("relative")), Resolved::No);
    }

    #[test]
    fn what_the_kernel_has_at_hand_needs_no_thread_and_says_the_same() {
        fn refused(_: &Path) -> Resolved {
            Resolved::Unanswered
        }
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().canonicalize().expect("its path");
        let real = root.join("real (deleted)");
        std::fs::create_dir_all(real.join("below")).expect("a directory");
        std::os::unix::fs::symlink(&real, root.join("link")).expect("a link");
        std::os::unix::fs::symlink("loop", root.join("loop")).expect("a link");
        let asked = [
            "",
            "real (deleted)",
            "link",
            "link/below/..",
            "link/below",
            "loop",
            "gone",
            "link/gone/x",
            "./link//",
        ];
        for asked in asked.map(|name| root.join(name)) {
            // The second time everything is in the cache, what is not there included.
            let slow = canonicalize(&asked);
            if let Some(fast) = cached(&asked) {
                assert_eq!(fast, slow, "{}", asked.display());
            }
        }
        let resolver = Resolver::with(Duration::from_secs(1), &Arc::default(), cached, refused);
        if cfg!(target_os = "linux") {
            assert_eq!(
                resolver.resolve(&root.join("link/below")),
                Resolved::To(real.join("below"))
            );
            assert!(resolver.state().worker.is_none());
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_does_not_answer() {
        assert_eq!(canonicalize(Path::new("/no/such/path")), Resolved::No);
        assert_eq!(canonicalize(Path::new("/dev/null/x")), Resolved::No);
        assert_eq!(canonicalize(Path::new("/")), Resolved::To("/".into()));
    }
}
