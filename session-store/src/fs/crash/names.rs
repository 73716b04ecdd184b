//! Which names a power cut may leave. Knows no contents.

use std::collections::{BTreeMap, BTreeSet};

use crate::fs::memory::log::{Base, Op};
use crate::fs::parent;

/// The most combinations of the latest unsynced names that are all tried.
const ALL: usize = 64;
/// How many seeded choices are made among the earlier unsynced names, besides all and none.
const EARLIER: usize = 2;

/// The names at one point, durable and not.
pub(super) struct Names<'a> {
    base: &'a Base,
    changes: Vec<Change<'a>>,
}

/// One change of names, and how much of it may be missing: `0` is nothing of it, the last stage all of it.
struct Change<'a> {
    op: &'a Op,
    /// The least stage that every crash leaves.
    least: usize,
    /// The last stage: 2 for a rename between directories (both names in between), else 1.
    last: usize,
}

/// Directories and files that are left.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tree {
    pub(super) dirs: BTreeSet<String>,
    pub(super) files: BTreeMap<String, u64>,
}

impl<'a> Names<'a> {
    /// Replays the steps.
    pub(super) fn after(base: &'a Base, ops: &'a [Op], set_aside: &BTreeSet<String>) -> Self {
        let mut changes: Vec<Change<'a>> = Vec::new();
        for op in ops {
            match op {
                Op::SyncDir { path } => changes.iter_mut().for_each(|change| change.synced(path)),
                Op::SyncRootEntry => {
                    for change in &mut changes {
                        if matches!(change.op, Op::MakeDir { path } if path.is_empty()) {
                            change.least = change.last;
                        }
                    }
                }
                Op::Rename { from, to, .. } => {
                    let last = if parent(from) == parent(to) { 1 } else { 2 };
                    changes.push(Change { op, least: 0, last });
                }
                Op::MakeDir { .. } | Op::Create { .. } | Op::Remove { .. } => {
                    changes.push(Change {
                        op,
                        least: 0,
                        last: 1,
                    });
                }
                Op::Truncate { .. }
                | Op::Write { .. }
                | Op::SyncFile { .. }
                | Op::SyncLost { .. }
                | Op::Mark { .. } => {}
            }
        }
        for change in &mut changes {
            change.set_aside(set_aside);
        }
        Self { base, changes }
    }

    /// Builds every tree that may be left.
    pub(super) fn trees(&self, choices: &mut fastrand::Rng) -> Vec<Tree> {
        let open: Vec<usize> = (0..self.changes.len())
            .filter(|&at| self.changes[at].options() > 1)
            .collect();
        // As many of the latest as can be combined in full.
        let mut split = open.len();
        let mut product = 1;
        while split > 0 && product * self.changes[open[split - 1]].options() <= ALL {
            split -= 1;
            product *= self.changes[open[split]].options();
        }
        let (earlier, latest) = open.split_at(split);
        let counts: Vec<usize> = latest
            .iter()
            .map(|&at| self.changes[at].options())
            .collect();
        let mut trees = Vec::new();
        let rounds = if earlier.is_empty() { 1 } else { 2 + EARLIER };
        for round in 0..rounds {
            let mut stages: Vec<usize> = self.changes.iter().map(|change| change.last).collect();
            for &at in earlier {
                let change = &self.changes[at];
                stages[at] = match round {
                    0 => change.last,
                    1 => change.least,
                    _ => choices.usize(change.least..=change.last),
                };
            }
            for picks in combinations(&counts, ALL, ALL, choices) {
                for (&at, pick) in latest.iter().zip(picks) {
                    stages[at] = self.changes[at].least + pick;
                }
                trees.push(self.tree(&stages));
            }
        }
        trees.sort();
        trees.dedup();
        trees
    }

    /// Applies each change up to its stage, then drops what is in directories that are not there.
    fn tree(&self, stages: &[usize]) -> Tree {
        let mut tree = Tree {
            dirs: self.base.dirs.clone(),
            files: self.base.files.clone(),
        };
        for (change, &stage) in self.changes.iter().zip(stages) {
            if stage > 0 {
                change.apply(stage == change.last, &mut tree);
            }
        }
        let Tree {
            mut dirs,
            mut files,
        } = tree;
        let all = dirs.clone();
        dirs.retain(|dir| reachable(&all, dir));
        files.retain(|path, _| dirs.contains(parent(path)));
        Tree { dirs, files }
    }
}

impl Change<'_> {
    fn options(&self) -> usize {
        self.last - self.least + 1
    }

    /// Notes that a directory was synced.
    fn synced(&mut self, dir: &str) {
        match self.op {
            Op::Rename { from, to, .. } => {
                if parent(from) == dir {
                    self.least = self.last;
                } else if parent(to) == dir {
                    self.least = self.least.max(1);
                }
            }
            Op::MakeDir { path } if path.is_empty() => {}
            Op::MakeDir { path } | Op::Create { path, .. } | Op::Remove { path }
                if parent(path) == dir =>
            {
                self.least = self.last;
            }
            _ => {}
        }
    }

    /// Gives up the stages that differ only in names that nobody asks for.
    fn set_aside(&mut self, dirs: &BTreeSet<String>) {
        match self.op {
            Op::Rename { from, to, .. } if dirs.contains(parent(from)) => {
                // With or without the old name is the same to everybody.
                let names_differ = !dirs.contains(parent(to));
                (self.least, self.last) = (usize::from(self.least > 0 || !names_differ), 1);
            }
            Op::Create { path, .. } | Op::Remove { path } | Op::MakeDir { path }
                if dirs.contains(parent(path)) || dirs.contains(path) =>
            {
                self.least = self.last;
            }
            _ => {}
        }
    }

    /// Applies the change, or all of it but the removal of the old name.
    fn apply(&self, whole: bool, tree: &mut Tree) {
        match self.op {
            Op::MakeDir { path } => {
                tree.dirs.insert(path.clone());
            }
            Op::Create { path, inode } => {
                tree.files.insert(path.clone(), *inode);
            }
            Op::Remove { path } => {
                tree.files.remove(path);
            }
            Op::Rename { from, to, inode } => {
                if whole {
                    tree.files.remove(from);
                }
                tree.files.insert(to.clone(), *inode);
            }
            _ => {}
        }
    }
}

/// Whether every directory from the root down to `dir` is there.
fn reachable(dirs: &BTreeSet<String>, dir: &str) -> bool {
    let mut here = dir;
    loop {
        if !dirs.contains(here) {
            return false;
        }
        if here.is_empty() {
            return true;
        }
        here = parent(here);
    }
}

/// Picks one of `counts[i]` for every i, in all ways if they are at most `all`, else in `chosen` seeded ways that include
/// the two extremes.
pub(super) fn combinations(
    counts: &[usize],
    all: usize,
    chosen: usize,
    choices: &mut fastrand::Rng,
) -> Vec<Vec<usize>> {
    let total = counts
        .iter()
        .try_fold(1_usize, |total, &count| total.checked_mul(count));
    match total.filter(|&total| total <= all) {
        Some(total) => (0..total)
            .map(|number| {
                let mut rest = number;
                let digit = |&count: &usize| {
                    let digit = rest % count;
                    rest /= count;
                    digit
                };
                counts.iter().map(digit).collect()
            })
            .collect(),
        None => (0..chosen)
            .map(|round| {
                let pick = |&count: &usize| match round {
                    0 => 0,
                    1 => count - 1,
                    _ => choices.usize(..count),
                };
                counts.iter().map(pick).collect()
            })
            .collect(),
    }
}
