//! What a store and a query spend on file systems that do not answer.
//!
//! Owns who may be asked, and which mount a question that was left behind is waiting for. Must not know what is asked.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::mounts::{Mount, Mounts};

/// How often a query may run into the deadline on one mount before it asks that mount nothing more.
///
/// One that is only slow is asked again once it has answered, late, what was asked before.
pub(crate) const PATIENCE: u32 = 3;
/// On how many mounts a query may run into the deadline before it asks nothing more at all.
const LATE: u32 = 4;
/// How often a query may run into the deadline in all.
pub(crate) const WAITS: u32 = LATE * PATIENCE;
/// How many questions of a store may be left behind: each on a mount of its own, or all where mounts are not told apart.
pub(crate) const STUCK: u32 = 8;
/// How many links of one path are followed, as the kernel does.
const LINKS: u32 = 40;

/// The questions of a store that were left behind and have not come back, by the mount they wait for.
#[derive(Debug, Default)]
pub(crate) struct Stuck(Mutex<HashMap<Mount, u32>>);

impl Stuck {
    fn counts(&self) -> MutexGuard<'_, HashMap<Mount, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing more may be asked at all. Questions that several threads asked one mount at a time count as one.
    fn is_full(&self) -> bool {
        let counts = self.counts();
        let told_apart = counts.keys().filter(|mount| mount.is_some()).count();
        let others = counts.get(&None).copied().unwrap_or_default();
        told_apart >= STUCK as usize || others >= STUCK
    }

    /// Whether a question still waits for a mount.
    pub(crate) fn holds(&self, mount: &Mount) -> bool {
        mount.is_some() && self.counts().contains_key(mount)
    }

    fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }

    fn add(&self, mount: &Mount) {
        *self.counts().entry(mount.clone()).or_default() += 1;
    }

    fn sub(&self, mount: &Mount) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(mount) {
            *count -= 1;
            if *count == 0 {
                counts.remove(mount);
            }
        }
    }
}

/// What one query may ask file systems, and how long it waits.
#[derive(Debug)]
pub(crate) struct Questions {
    pub(crate) deadline: Duration,
    stuck: Arc<Stuck>,
    /// Read once something has not answered.
    mounts: OnceLock<Mounts>,
    /// How often each mount has run into the deadline.
    late: Mutex<HashMap<Mount, u32>>,
}

impl Questions {
    pub(crate) fn new(deadline: Duration, stuck: &Arc<Stuck>) -> Self {
        Self {
            deadline,
            stuck: Arc::clone(stuck),
            mounts: OnceLock::new(),
            late: Mutex::default(),
        }
    }

    /// The same with a table of mounts that is none of the kernel's.
    #[cfg(test)]
    pub(crate) fn among(mut self, mounts: Mounts) -> Self {
        self.mounts = OnceLock::from(mounts);
        self
    }

    fn late(&self) -> MutexGuard<'_, HashMap<Mount, u32>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mount(&self, path: &Path) -> Mount {
        self.mounts.get_or_init(Mounts::read).of(path)
    }

    /// Whether a path may be asked about, as far as it can be told without looking where it leads.
    pub(crate) fn may_begin(&self, path: &Path) -> bool {
        let late = self.late();
        // Where links lead is found by threads, which may themselves be too late to say that a mount is not to be asked.
        let is_open = late.len() < LATE as usize && late.values().sum::<u32>() < WAITS;
        drop(late);
        is_open && !self.stuck.is_full() && self.may_ask(path)
    }

    /// Whether a path may be asked about that leads through no link.
    fn may_ask(&self, path: &Path) -> bool {
        if self.late().is_empty() && self.stuck.is_empty() {
            return true;
        }
        let mount = self.mount(path);
        let waited = self.late().get(&mount).copied().unwrap_or_default();
        waited < PATIENCE && !self.stuck.holds(&mount)
    }

    /// How often this query has run into the deadline, on all mounts.
    #[cfg(test)]
    pub(crate) fn timeouts(&self) -> u32 {
        self.late().values().sum()
    }
}

/// Where a question has got to: shared by who waits for the answer and the thread that looks for it.
#[derive(Debug)]
pub(crate) struct Trail {
    questions: Arc<Questions>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    at: PathBuf,
    /// The mount that it was left behind on.
    left: Option<Mount>,
    is_done: bool,
}

impl Trail {
    /// Begins a question about a path.
    pub(crate) fn new(questions: &Arc<Questions>, path: &Path) -> Arc<Self> {
        Arc::new(Self {
            questions: Arc::clone(questions),
            state: Mutex::new(State {
                at: path.to_owned(),
                left: None,
                is_done: false,
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is looked at next; `None` if that is on a mount that does not answer, or nobody waits any more.
    pub(crate) fn go(&self, path: &Path) -> Option<()> {
        let mut state = self.state();
        // Whoever left knows where this was, and it goes nowhere else.
        if state.left.is_some() {
            return None;
        }
        path.clone_into(&mut state.at);
        drop(state);
        self.questions.may_ask(path).then_some(())
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_left(&self) -> bool {
        self.state().left.is_some()
    }

    /// Goes wherever a path leads, one link after another, so that it is known what is waited for; `None` if that is a mount
    /// that does not answer. What cannot be followed is taken as it is written.
    pub(crate) fn follow(&self, path: &Path) -> Option<()> {
        let mut rest: VecDeque<OsString> = names(path).collect();
        let (mut real, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                real.pop();
                continue;
            }
            real.push(name);
            self.go(&real)?;
            match std::fs::read_link(&real) {
                Ok(target) if links < LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        real = PathBuf::from("/");
                    } else {
                        real.pop();
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        rest.push_front(name);
                    }
                }
                // It is no link.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {}
                Ok(_) | Err(_) => break,
            }
        }
        real.extend(rest);
        self.go(&real)
    }

    /// Leaves the question behind, on whichever mount it is.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        let mount = self.questions.mount(&state.at);
        *self.questions.late().entry(mount.clone()).or_default() += 1;
        if !state.is_done {
            self.questions.stuck.add(&mount);
            state.left = Some(mount);
        }
    }

    /// Says that the thread has come back, whether anybody waits or not.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_done = true;
        if let Some(mount) = state.left.take() {
            self.questions.stuck.sub(&mount);
        }
    }
}

/// The names in a path, without those that lead nowhere.
fn names(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
impl Stuck {
    /// How many questions wait, on all mounts.
    pub(crate) fn waiting(&self) -> u32 {
        self.counts().values().sum()
    }
}
