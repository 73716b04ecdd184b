//! Resolves other people's directories under a deadline, so that a dead network mount cannot hang a lookup.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What became of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// Its canonical form.
    To(PathBuf),
    /// It cannot be resolved: gone, forbidden, or not absolute.
    No,
    /// The file system did not answer in time.
    TimedOut,
}

/// How many paths may run into the deadline before the rest of a query is not asked at all.
///
/// One hung mount often holds many sessions; this bounds what they cost together.
const PATIENCE: u32 = 3;

/// Canonicalises paths, each distinct one once, on a thread that may be left behind.
///
/// Lives as long as one query: links may be re-pointed between two. A thread that never comes back is abandoned;
/// it holds no lock and no file of the store.
#[derive(Debug)]
pub(crate) struct Resolver {
    deadline: Duration,
    /// Stands for `std::fs::canonicalize` in tests that need a path which never answers.
    canonicalize: fn(&Path) -> Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<PathBuf, Resolved>,
    worker: Option<Worker>,
    timeouts: u32,
}

#[derive(Debug)]
struct Worker {
    ask: Sender<PathBuf>,
    answer: Receiver<Option<PathBuf>>,
}

impl Resolver {
    pub(crate) fn new(deadline: Duration) -> Self {
        Self::with(deadline, |path| std::fs::canonicalize(path).ok())
    }

    fn with(deadline: Duration, canonicalize: fn(&Path) -> Option<PathBuf>) -> Self {
        Self {
            deadline,
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
        let resolved = if state.timeouts < PATIENCE {
            self.ask(&mut state, path)
        } else {
            Resolved::TimedOut
        };
        state.known.insert(path.to_owned(), resolved.clone());
        resolved
    }

    fn ask(&self, state: &mut State, path: &Path) -> Resolved {
        let Some(worker) = state.worker.take().or_else(|| self.spawn()) else {
            return Resolved::TimedOut;
        };
        if worker.ask.send(path.to_owned()).is_err() {
            return Resolved::No;
        }
        match worker.answer.recv_timeout(self.deadline) {
            Ok(answer) => {
                state.worker = Some(worker);
                answer.map_or(Resolved::No, Resolved::To)
            }
            Err(RecvTimeoutError::Timeout) => {
                state.timeouts += 1;
                Resolved::TimedOut
            }
            Err(RecvTimeoutError::Disconnected) => Resolved::No,
        }
    }

    /// Starts a worker; `None` where the system has no thread to give.
    fn spawn(&self) -> Option<Worker> {
        let (ask, asked) = mpsc::channel::<PathBuf>();
        let (reply, answer) = mpsc::channel();
        let canonicalize = self.canonicalize;
        thread::Builder::new()
            .name("session-resolve".to_owned())
            .spawn(move || {
                while let Ok(path) = asked.recv() {
                    if reply.send(canonicalize(&path)).is_err() {
                        return;
                    }
                }
            })
            .ok()?;
        Some(Worker { ask, answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_never_answers_costs_the_deadline_a_bounded_number_of_times() {
        fn hung(path: &Path) -> Option<PathBuf> {
            if path.starts_with("/hung") {
                loop {
                    thread::park();
                }
            }
            (!path.as_os_str().is_empty()).then(|| path.to_owned())
        }
        let resolver = Resolver::with(Duration::from_millis(1), hung);
        for n in 0..100 {
            assert_eq!(
                resolver.resolve(Path::new(&format!("/hung/{n}"))),
                Resolved::TimedOut
            );
        }
        assert_eq!(resolver.state().timeouts, PATIENCE);
    }

    #[test]
    fn one_hung_path_leaves_the_others_resolvable() {
        fn one_hung(path: &Path) -> Option<PathBuf> {
            while path == Path::new("/hung") {
                thread::park();
            }
            path.parent().map(|_| path.join("real"))
        }
        // The deadline is long where an answer is due and the hung path is asked through a resolver of its own.
        let hung = Resolver::with(Duration::from_millis(1), one_hung);
        assert_eq!(hung.resolve(Path::new("/hung")), Resolved::TimedOut);
        let resolver = Resolver::with(Duration::from_secs(60), one_hung);
        assert_eq!(
            resolver.resolve(Path::new("/a")),
            Resolved::To("/a/real".into())
        );
        assert_eq!(resolver.resolve(Path::new("relative")), Resolved::No);
    }
}
