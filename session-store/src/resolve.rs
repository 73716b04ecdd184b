//! Resolves other people's directories under a deadline, so that a dead network mount cannot hang a lookup.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::repository::{self, Repository};
use crate::stuck::{Questions, Stuck, Trail};

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

/// Canonicalises paths, each distinct one once: from what the kernel has in its cache, which takes no time and cannot hang,
/// or else on a thread that may be left behind.
///
/// Lives as long as one query: links may be re-pointed between two. A thread that does not come back is abandoned; it
/// holds no lock and no file of the store, and the store knows which mounts such threads wait for: those are not asked again
/// meanwhile, wherever a link to them is, and all others are.
#[derive(Debug)]
pub(crate) struct Resolver {
    questions: Arc<Questions>,
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
}

#[derive(Debug)]
struct Worker {
    ask: Sender<(PathBuf, Arc<Trail>)>,
    answer: Receiver<Resolved>,
}

impl Resolver {
    /// Starts with nothing known; `stuck` is what the store knows of threads that have not come back.
    pub(crate) fn new(deadline: Duration, stuck: &Arc<Stuck>) -> Self {
        Self::with(Questions::new(deadline, stuck), cached, canonicalize)
    }

    fn with(
        questions: Questions,
        cached: fn(&Path) -> Option<Resolved>,
        canonicalize: fn(&Path) -> Resolved,
    ) -> Self {
        Self {
            questions: Arc::new(questions),
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
        let resolved = if self.questions.deadline.is_zero() {
            Resolved::Unanswered
        } else if let Some(resolved) = (self.cached)(path) {
            resolved
        } else {
            self.ask(&mut state, path)
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
        Repository::find(path, &self.questions)
    }

    /// Whether another repository begins between a root and a path below it; `None` if the file system does not say in
    /// time. Each distinct path is asked once.
    pub(crate) fn is_divided(&self, root: &Path, path: &Path) -> Option<bool> {
        let mut state = self.state();
        if let Some(known) = state.divided.get(path) {
            return *known;
        }
        let divided = repository::is_divided(root, path, &self.questions);
        state.divided.insert(path.to_owned(), divided);
        divided
    }

    fn ask(&self, state: &mut State, path: &Path) -> Resolved {
        if !self.questions.may_begin(path) {
            return Resolved::Unanswered;
        }
        let Some(worker) = state.worker.take().or_else(|| self.spawn()) else {
            return Resolved::Unanswered;
        };
        let trail = Trail::new(&self.questions, path);
        let question = (path.to_owned(), Arc::clone(&trail));
        if worker.ask.send(question).is_err() {
            return Resolved::Unanswered;
        }
        match worker.answer.recv_timeout(self.questions.deadline) {
            Ok(answer) => {
                state.worker = Some(worker);
                answer
            }
            Err(RecvTimeoutError::Timeout) => {
                trail.leave();
                Resolved::Unanswered
            }
            Err(RecvTimeoutError::Disconnected) => Resolved::Unanswered,
        }
    }

    /// Starts a worker; `None` where the system has no thread to give.
    fn spawn(&self) -> Option<Worker> {
        let (ask, asked) = mpsc::channel::<(PathBuf, Arc<Trail>)>();
        let (reply, answer) = mpsc::channel();
        let canonicalize = self.canonicalize;
        thread::Builder::new()
            .name("session-resolve".to_owned())
            .spawn(move || {
                while let Ok((path, trail)) = asked.recv() {
                    let answer = trail.follow(&path).map(|()| canonicalize(&path));
                    trail.end();
                    if reply.send(answer.unwrap_or(Resolved::Unanswered)).is_err() {
                        break;
                    }
                }
            })
            .ok()?;
        Some(Worker { ask, answer })
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
    use crate::mounts::Mounts;
    use crate::stuck::{PATIENCE, STUCK, WAITS};

    /// Never comes back for what is, or leads, below a directory of this name.
    fn dead(path: &Path) -> Resolved {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        while real
            .iter()
            .any(|name| name.as_encoded_bytes().starts_with(b"dead"))
        {
            thread::park();
        }
        Resolved::To(real)
    }

    #[test]
    fn a_path_that_never_answers_costs_a_bounded_number_of_deadlines_and_threads() {
        fn hung(_: &Path) -> Resolved {
            loop {
                thread::park();
            }
        }
        let stuck = Arc::default();
        for query in 1..=20_u32 {
            let questions = Questions::new(Duration::from_millis(1), &stuck);
            let resolver = Resolver::with(questions.among(Mounts::default()), |_| None, hung);
            for n in 0..100 {
                let path = format!("/hung/{n}");
                assert_eq!(resolver.resolve(Path::new(&path)), Resolved::Unanswered);
            }
            assert!(resolver.questions.timeouts() <= PATIENCE);
            assert!(stuck.waiting() <= (query * PATIENCE).min(STUCK));
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
        let resolver = |deadline| {
            let questions = Questions::new(deadline, &stuck).among(Mounts::default());
            Resolver::with(questions, |_| None, one_hung)
        };
        let hung = resolver(Duration::from_millis(1));
        assert_eq!(hung.resolve(Path::new("/hung")), Resolved::Unanswered);
        let resolver = resolver(Duration::from_secs(60));
        assert_eq!(
            resolver.resolve(Path::new("/a")),
            Resolved::To("/a/real".into())
        );
        assert_eq!(resolver.resolve(Path::new("relative")), Resolved::No);
    }

    #[test]
    fn a_dead_mount_costs_one_deadline_and_hides_only_what_is_on_it_or_leads_there() {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().canonicalize().expect("its path");
        for name in ["dead/a", "dead/b", "dead/c", "here"] {
            std::fs::create_dir_all(root.join(name)).expect("a directory");
        }
        for (link, target) in [("away", "dead/a"), ("home", "here"), ("far", "away")] {
            std::os::unix::fs::symlink(target, root.join(link)).expect("a link");
        }
        let stuck = Arc::default();
        let resolver = |deadline| {
            let mounts = [PathBuf::from("/"), root.join("dead")]
                .into_iter()
                .collect();
            let questions = Questions::new(deadline, &stuck).among(mounts);
            Resolver::with(questions, |_| None, dead)
        };
        // In one query the links come first, in the other the mount itself. The waits are bounded, and nothing else is timed.
        for names in [
            ["away", "far", "dead/a", "dead/b"],
            ["dead/b", "dead/c", "far", "away"],
        ] {
            let hurried = resolver(Duration::from_millis(1));
            for name in names {
                assert_eq!(hurried.resolve(&root.join(name)), Resolved::Unanswered);
            }
        }
        // A thread that had not got there in time goes no further.
        let is_back = |_| !stuck.holds(&Some("/".into()));
        assert!(
            (0..10_000_000)
                .inspect(|_| thread::yield_now())
                .any(is_back)
        );
        let patient = resolver(Duration::from_secs(60));
        assert_eq!(
            patient.resolve(&root.join("home")),
            Resolved::To(root.join("here"))
        );
        assert_eq!(patient.questions.timeouts(), 0);
    }

    #[test]
    fn a_query_waits_for_a_bounded_number_of_mounts_and_a_store_leaves_a_bounded_number_of_threads()
    {
        let stuck = Arc::default();
        let asked = |n: usize| PathBuf::from(format!("/dead-{n}"));
        for _ in 0..20 {
            let mounts = (0..100).map(asked).chain([PathBuf::from("/")]).collect();
            let questions = Questions::new(Duration::from_millis(1), &stuck).among(mounts);
            let resolver = Resolver::with(questions, |_| None, dead);
            for n in 0..100 {
                for below in ["x", "y"] {
                    let path = asked(n).join(below);
                    assert_eq!(resolver.resolve(&path), Resolved::Unanswered);
                }
            }
            assert!(resolver.questions.timeouts() <= WAITS);
            assert!(stuck.waiting() <= STUCK);
        }
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
        let questions = Questions::new(Duration::from_secs(1), &Arc::default());
        let resolver = Resolver::with(questions, cached, refused);
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
