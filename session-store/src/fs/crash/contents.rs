//! What a power cut may leave of each file's content. Knows no names.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::names::combinations;
use crate::fs::memory::log::{Base, Op};
use crate::fs::parent;

/// The most combinations of unsynced contents that are all tried.
const ALL: usize = 64;
/// How many are chosen where there are more.
const CHOSEN: usize = 32;

/// Every file's durable and present content, by number.
pub(super) struct Contents {
    files: BTreeMap<u64, File>,
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    present: Vec<u8>,
    cut: bool,
    lost: bool,
}

impl Contents {
    /// Replays the steps.
    pub(super) fn after(base: &Base, ops: &[Op]) -> Self {
        let mut files: BTreeMap<u64, File> = BTreeMap::new();
        for (inode, bytes) in &base.contents {
            files.insert(
                *inode,
                File {
                    durable: bytes.clone(),
                    present: bytes.clone(),
                    ..File::default()
                },
            );
        }
        for op in ops {
            match op {
                Op::Create { inode, .. } => {
                    files.insert(*inode, File::default());
                }
                Op::Truncate { inode, size } => {
                    let file = files.entry(*inode).or_default();
                    file.present.resize(*size, 0);
                    file.cut |= *size == 0;
                }
                Op::Write { inode, at, bytes } => {
                    let file = files.entry(*inode).or_default();
                    let end = at + bytes.len();
                    if file.present.len() < end {
                        file.present.resize(end, 0);
                    }
                    file.present[*at..end].copy_from_slice(bytes);
                }
                Op::SyncFile { inode } => {
                    let file = files.entry(*inode).or_default();
                    if !file.lost {
                        file.durable = file.present.clone();
                        file.cut = false;
                    }
                }
                Op::SyncLost { inode } => files.entry(*inode).or_default().lost = true,
                Op::MakeDir { .. }
                | Op::Rename { .. }
                | Op::Remove { .. }
                | Op::SyncDir { .. }
                | Op::SyncRootEntry
                | Op::Mark { .. } => {}
            }
        }
        Self { files }
    }

    /// Gives every combination of contents for the files of a tree, by number.
    ///
    /// A file that has names in directories `set_aside` only is left as it was: nobody will ask what is in it.
    pub(super) fn variants(
        &self,
        names: &BTreeMap<String, u64>,
        set_aside: &BTreeSet<String>,
        choices: &mut fastrand::Rng,
    ) -> Vec<BTreeMap<u64, Leaving>> {
        let mut asked_for: BTreeMap<u64, bool> = BTreeMap::new();
        for (path, &inode) in names {
            *asked_for.entry(inode).or_default() |= !set_aside.contains(parent(path));
        }
        let options: Vec<(u64, Vec<Leaving>)> = asked_for
            .into_iter()
            .filter_map(|(inode, is_asked_for)| {
                let file = self.files.get(&inode)?;
                let all = if is_asked_for {
                    file.leavings()
                } else {
                    vec![file.present.clone()]
                };
                Some((inode, all.into_iter().map(Leaving::new).collect()))
            })
            .collect();
        let counts: Vec<usize> = options.iter().map(|(_, variants)| variants.len()).collect();
        combinations(&counts, ALL, CHOSEN, choices)
            .into_iter()
            .map(|picks| {
                let pick = |((inode, all), pick): (&(u64, Vec<Leaving>), usize)| {
                    (*inode, all[pick].clone())
                };
                options.iter().zip(picks).map(pick).collect()
            })
            .collect()
    }
}

/// What is left of one file, and its hash, so that equal trees are told without looking at every byte again.
#[derive(Clone)]
pub(super) struct Leaving {
    pub(super) bytes: Arc<Vec<u8>>,
    hash: u64,
}

impl Leaving {
    fn new(bytes: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self {
            bytes: Arc::new(bytes),
            hash: hasher.finish(),
        }
    }
}

impl Hash for Leaving {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl File {
    /// What may be left of this one, each once.
    fn leavings(&self) -> Vec<Vec<u8>> {
        if self.durable == self.present {
            return vec![self.present.clone()];
        }
        let same = self
            .durable
            .iter()
            .zip(&self.present)
            .take_while(|(old, new)| old == new)
            .count();
        let half = self.present[..same + (self.present.len() - same) / 2].to_vec();
        let mut zeros = half.clone();
        zeros.resize(self.present.len(), 0);
        let mut all = vec![self.durable.clone(), half, zeros, self.present.clone()];
        if self.cut {
            all.push(Vec::new());
        }
        all.sort();
        all.dedup();
        all
    }
}
