//! What only tests do to a file system in memory: look inside, plant files, break syncs, record, survive a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::file::{Content, MemoryWriter};
use super::log::{Base, Op, Recording};
use super::{MemoryFs, State};
use crate::fs::{CrashLog, WriteFile, parent};

/// Feature `testing`.
impl MemoryFs {
    /// Names every file, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// Tells the whole content of a file.
    #[must_use]
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.state().files.get(path).map(|content| content.bytes())
    }

    /// Puts a file in place as a foreign program would: any bytes, in place, with no sync. Directories on the way appear.
    pub fn plant(&self, path: &str, bytes: &[u8]) {
        let mut state = self.state();
        let mut above = vec![parent(path)];
        while let Some(dir) = above.last().filter(|dir| !dir.is_empty()) {
            above.push(parent(dir));
        }
        for dir in above.into_iter().rev() {
            state.make_dir(dir);
        }
        let content = state.open_truncated(path);
        state.write_at(&content, 0, bytes);
    }

    /// Opens a file for writing from its start, cutting it to nothing first if it exists: what a safe writer never does.
    /// It is here for the mutants of the crash tests.
    ///
    /// # Errors
    ///
    /// `NotFound` if the directory is missing.
    pub fn open_truncated(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.state();
        state.require_dir(parent(path))?;
        let content = state.open_truncated(path);
        Ok(Box::new(MemoryWriter {
            fs: self.clone(),
            content,
            at: 0,
        }))
    }

    /// Sets the clock, forwards or back, in nanoseconds since the Unix epoch; from then on it moves with each change only.
    pub fn set_clock(&self, now: i128) {
        self.state().clock = Some(now);
    }

    /// Makes the times of changes as coarse as this, in nanoseconds: changes within one tick have one time.
    pub fn set_grain(&self, nanoseconds: i128) {
        self.state().grain = nanoseconds;
    }

    /// Makes it look as after another start of the system.
    pub fn reboot(&self) {
        self.state().boot += 1;
    }

    /// Makes it look like a network mount, whose times prove nothing.
    pub fn make_remote(&self) {
        self.state().local = false;
    }

    /// Makes the next `count` file syncs fail as a broken disk does: the error comes once, and what was unsynced then is
    /// lost whatever a later sync of the same file says.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// Starts to record anew, taking everything that is here now for durable.
    pub fn record(&self) {
        let mut state = self.state();
        let files = state
            .files
            .iter()
            .map(|(path, content)| (path.clone(), content.inode))
            .collect();
        let contents = state
            .files
            .values()
            .map(|content| (content.inode, content.bytes()))
            .collect();
        let dirs = state.dirs.keys().cloned().collect();
        state.recording = Some(Recording {
            base: Base {
                files,
                contents,
                dirs,
            },
            ops: Vec::new(),
        });
    }

    /// Puts a note into the record, such as "acknowledged 3": a crash state tells which notes came before it.
    pub fn mark(&self, note: impl Into<String>) {
        self.state().log(|| Op::Mark { note: note.into() });
    }

    /// Copies what was recorded so far; empty if [`record`](Self::record) was never called.
    #[must_use]
    pub fn recorded(&self) -> CrashLog {
        let recording = self.state().recording.clone();
        CrashLog::new(recording.unwrap_or_else(|| Recording {
            base: Base::default(),
            ops: Vec::new(),
        }))
    }

    /// Makes a file system that holds exactly these directories and files.
    pub(in crate::fs) fn survivor(
        dirs: &BTreeSet<String>,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Self {
        let fs = Self::new();
        let mut state = fs.state();
        for dir in dirs {
            state.make_dir(dir);
        }
        for (path, bytes) in files {
            let content = state.create(path, 0o600);
            state.write_at(&content, 0, bytes);
        }
        drop(state);
        fs
    }
}

impl State {
    fn open_truncated(&mut self, path: &str) -> Arc<Content> {
        let Some(content) = self.files.get(path).cloned() else {
            return self.create(path, 0o600);
        };
        self.truncate(&content, 0);
        content
    }
}
