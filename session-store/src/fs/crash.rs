//! The crash model: from what was recorded of a file system in memory, every tree that a power cut could leave.
//!
//! Owns what is assumed of a medium. Must not know which trees are right: that is the checker's part.
//!
//! # What is assumed
//!
//! - A file's content is durable once its sync answered. Until then a power cut may leave the last synced content, half of
//!   what came since, that half with zeros up to the new length, all of it, or nothing if the file was cut in between.
//! - A name made, changed or removed is durable once its directory was synced, and before that on its own, in any
//!   combination with other names, in no order.
//! - A rename within a directory is one step. One between directories may leave both names, but never neither: all
//!   journaling file systems write both halves in one transaction. Syncing the directory it came from makes both durable.
//! - Syncing a file says nothing about its name; a name in a directory that itself did not survive is lost.
//! - A sync that failed lost the content of that file for good, whatever later syncs say.
//!
//! # How much is tried
//!
//! For every prefix of the record: all combinations of the latest unsynced names (up to 64), with the earlier ones all
//! durable, none, or a seeded choice; times all combinations of unsynced contents (up to 64, then a seeded choice).
//! Trees that are equal, with the same notes before them, are given to the checker once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::MemoryFs;
use super::memory::log::{Op, Recording};

mod contents;
mod names;

use contents::Contents;
use names::Names;

/// How many violations are kept as text.
const EXAMPLES: usize = 5;
/// The seed of the choices where not everything can be tried: a run can be repeated.
const SEED: u64 = 0x5e55_1035;

/// What was recorded of a file system, ready to be cut anywhere.
#[derive(Clone, Debug)]
pub struct CrashLog {
    recording: Recording,
    set_aside: BTreeSet<String>,
}

/// A tree that a power cut could leave.
#[derive(Debug)]
#[non_exhaustive]
pub struct CrashState {
    step: usize,
    notes: Vec<String>,
    dirs: BTreeSet<String>,
    files: BTreeMap<String, Vec<u8>>,
}

/// What came out of trying all states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrashReport {
    /// Points at which the power was cut.
    pub cuts: usize,
    /// States tried, equal ones included.
    pub states: u64,
    /// States that differ, each of which the checker has seen.
    pub distinct: u64,
    /// States that the checker found wrong.
    pub violations: u64,
    /// The first few of them, in words.
    pub examples: Vec<String>,
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cuts,
            states,
            distinct,
            violations,
            ..
        } = self;
        write!(
            f,
            "{cuts} cuts, {states} states, {distinct} distinct, {violations} violations"
        )
    }
}

impl CrashState {
    /// Tells after how many recorded steps the power was cut.
    #[must_use]
    pub fn step(&self) -> usize {
        self.step
    }

    /// Tells the notes that were made before the cut, oldest first.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names the files that are left, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Tells what is left of a file.
    #[must_use]
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Makes a file system of what is left, as the next process finds it. It can be recorded and crashed again.
    #[must_use]
    pub fn file_system(&self) -> MemoryFs {
        MemoryFs::survivor(&self.dirs, &self.files)
    }
}

impl CrashLog {
    pub(super) fn new(recording: Recording) -> Self {
        Self {
            recording,
            set_aside: BTreeSet::new(),
        }
    }

    /// Takes the names and contents in a directory, such as that of lock files or temporaries, to be of no interest: they
    /// are left as they are at the cut instead of in every way, which makes for far fewer states. Files that were renamed
    /// out of it are varied as all others, and so is whether the rename was durable.
    #[must_use]
    pub fn setting_aside(mut self, dir: impl Into<String>) -> Self {
        self.set_aside.insert(dir.into());
        self
    }

    /// Counts the recorded steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recording.ops.len()
    }

    /// Counts the bytes that were recorded going into one file.
    #[must_use]
    pub fn written_to(&self, inode: u64) -> u64 {
        let ops = self.recording.ops.iter();
        ops.map(|op| match op {
            Op::Write {
                inode: to, bytes, ..
            } if *to == inode => bytes.len() as u64,
            _ => 0,
        })
        .sum()
    }

    /// Tells whether nothing was recorded, in which case no test has tested anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recording.ops.is_empty()
    }

    /// Cuts the power after every step and gives every tree that may be left to `check`, which says what is wrong with it.
    pub fn explore(&self, mut check: impl FnMut(&CrashState) -> Result<(), String>) -> CrashReport {
        let mut report = CrashReport::default();
        let mut seen = HashSet::new();
        let mut choices = fastrand::Rng::with_seed(SEED);
        for step in 0..=self.recording.ops.len() {
            report.cuts += 1;
            let done = &self.recording.ops[..step];
            let notes: Vec<String> = done.iter().filter_map(note).collect();
            let contents = Contents::after(&self.recording.base, done);
            let names = Names::after(&self.recording.base, done, &self.set_aside);
            for tree in names.trees(&mut choices) {
                for left in contents.variants(&tree.files, &self.set_aside, &mut choices) {
                    report.states += 1;
                    let files: Vec<_> = tree
                        .files
                        .iter()
                        .filter_map(|(path, inode)| Some((path, left.get(inode)?)))
                        .collect();
                    let mut hasher = DefaultHasher::new();
                    (notes.len(), &tree.dirs, &files).hash(&mut hasher);
                    if !seen.insert(hasher.finish()) {
                        continue;
                    }
                    let files = files
                        .into_iter()
                        .map(|(path, left)| (path.clone(), left.bytes.to_vec()))
                        .collect();
                    let state = CrashState {
                        step,
                        notes: notes.clone(),
                        dirs: tree.dirs.clone(),
                        files,
                    };
                    report.distinct += 1;
                    if let Err(wrong) = check(&state) {
                        report.violations += 1;
                        if report.examples.len() < EXAMPLES {
                            let last = done.last().map(Op::name).unwrap_or_default();
                            report
                                .examples
                                .push(format!("cut after step {step} ({last}): {wrong}"));
                        }
                    }
                }
            }
        }
        report
    }
}

fn note(op: &Op) -> Option<String> {
    match op {
        Op::Mark { note } => Some(note.clone()),
        _ => None,
    }
}
