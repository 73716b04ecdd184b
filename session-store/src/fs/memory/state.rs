//! Names, contents and the record of a file system in memory, and the changes that keep them in step.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::DEVICE;
use super::file::Content;
use super::log::{Op, Recording};
use crate::fs::{BlobStat, EntryKind, FileStat, Owner, parent};

/// Names, contents and the record.
#[derive(Debug)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, Arc<Content>>,
    pub(super) dirs: BTreeMap<String, DirNode>,
    pub(super) locks: BTreeSet<String>,
    pub(super) next_inode: u64,
    pub(super) last_tick: i128,
    pub(super) recording: Option<Recording>,
    pub(super) failing_syncs: u32,
    /// The clock that a test set; every change moves it on by a microsecond.
    pub(super) clock: Option<i128>,
    /// How coarse the times of changes are, in nanoseconds; 0 for times that are never told twice.
    pub(super) grain: i128,
    pub(super) boot: u128,
    /// Whether it passes for a file system that only one kernel changes.
    pub(super) local: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            dirs: BTreeMap::new(),
            locks: BTreeSet::new(),
            next_inode: 0,
            last_tick: 0,
            recording: None,
            failing_syncs: 0,
            clock: None,
            grain: 0,
            // What survives a power cut starts under another system than it was written by.
            boot: u128::from(fastrand::u64(1..)),
            local: true,
        }
    }
}

/// A directory: its number, and when its names last changed.
#[derive(Debug)]
pub(super) struct DirNode {
    inode: u64,
    pub(super) modified: i128,
    pub(super) changed: i128,
}

impl State {
    pub(super) fn log(&mut self, op: impl FnOnce() -> Op) {
        if let Some(recording) = &mut self.recording {
            recording.ops.push(op());
        }
    }

    /// Tells the time.
    pub(super) fn now(&self) -> i128 {
        self.clock.unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos());
            i128::try_from(now).unwrap_or(i128::MAX)
        })
    }

    /// Tells the time of a change: one that is never told twice, so that every change shows in a stat, unless the clock was
    /// made coarse. A clock that a test set may go back.
    pub(super) fn tick(&mut self) -> i128 {
        let now = self.now();
        self.last_tick = match &mut self.clock {
            Some(clock) => {
                *clock += 1_000;
                now
            }
            None if self.grain > 0 => now,
            None => now.max(self.last_tick + 1),
        };
        if self.grain > 0 {
            self.last_tick -= self.last_tick.rem_euclid(self.grain);
        }
        self.last_tick
    }

    pub(super) fn inode(&mut self) -> u64 {
        self.next_inode += 1;
        self.next_inode
    }

    /// Walks down to a directory: all on the way must be there, and be directories.
    pub(super) fn require_dir(&self, dir: &str) -> io::Result<()> {
        if self.files.contains_key(dir) {
            return Err(ErrorKind::NotADirectory.into());
        }
        if self.dirs.contains_key(dir) {
            return Ok(());
        }
        if !dir.is_empty() {
            self.require_dir(parent(dir))?;
        }
        Err(ErrorKind::NotFound.into())
    }

    /// Walks down to the directory that holds `path`; `false` if it is not there.
    pub(super) fn has_parent(&self, path: &str) -> io::Result<bool> {
        match self.require_dir(parent(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            answer => answer.map(|()| true),
        }
    }

    /// Notes that the names in the directory of `path` changed.
    pub(super) fn touch_parent(&mut self, path: &str) {
        let changed = self.tick();
        if let Some(dir) = self.dirs.get_mut(parent(path)) {
            (dir.modified, dir.changed) = (changed, changed);
        }
    }

    pub(super) fn make_dir(&mut self, dir: &str) -> bool {
        if self.dirs.contains_key(dir) {
            return false;
        }
        let (inode, changed) = (self.inode(), self.tick());
        if !dir.is_empty() {
            self.touch_parent(dir);
        }
        let node = DirNode {
            inode,
            modified: changed,
            changed,
        };
        self.dirs.insert(dir.to_owned(), node);
        self.log(|| Op::MakeDir {
            path: dir.to_owned(),
        });
        true
    }

    pub(super) fn create(&mut self, path: &str, mode: u32) -> Arc<Content> {
        let (inode, tick) = (self.inode(), self.tick());
        let content = Arc::new(Content::new(inode, mode, tick));
        self.files.insert(path.to_owned(), Arc::clone(&content));
        self.touch_parent(path);
        self.log(|| Op::Create {
            path: path.to_owned(),
            inode,
        });
        content
    }

    pub(super) fn write_at(&mut self, content: &Content, at: usize, bytes: &[u8]) {
        let tick = self.tick();
        content.write_at(at, bytes, tick);
        self.log(|| Op::Write {
            inode: content.inode,
            at,
            bytes: bytes.to_vec(),
        });
    }

    /// Cuts a file to a length.
    pub(super) fn truncate(&mut self, content: &Content, size: usize) {
        let tick = self.tick();
        content.truncate(size, tick);
        self.log(|| Op::Truncate {
            inode: content.inode,
            size,
        });
    }

    pub(super) fn sync(&mut self, content: &Content) -> io::Result<()> {
        let inode = content.inode;
        if self.failing_syncs > 0 {
            self.failing_syncs -= 1;
            self.log(|| Op::SyncLost { inode });
            // The number of EIO on every Unix.
            return Err(io::Error::from_raw_os_error(5));
        }
        self.log(|| Op::SyncFile { inode });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.require_dir(parent(from))?;
        self.require_dir(parent(to))?;
        if self.dirs.contains_key(to) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let content = self.files.remove(from).ok_or(ErrorKind::NotFound)?;
        let (inode, tick) = (content.inode, self.tick());
        content.touch(tick);
        self.files.insert(to.to_owned(), content);
        self.touch_parent(from);
        self.touch_parent(to);
        self.log(|| Op::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
            inode,
        });
        Ok(())
    }

    pub(super) fn stat(&self, path: &str) -> Option<FileStat> {
        if let Some(content) = self.files.get(path) {
            return Some(FileStat::new(
                EntryKind::File,
                content.mode,
                Owner::Ours,
                content.stat(),
            ));
        }
        let dir = self.dirs.get(path)?;
        let blob = BlobStat::new(DEVICE, dir.inode, 0, dir.modified, dir.changed);
        Some(FileStat::new(
            EntryKind::DIRECTORY,
            0o700,
            Owner::Ours,
            blob,
        ))
    }
}
