//! The index in memory. Knows no storage, no format and no clock but for the bounded wait.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::answer::Recorded;
use crate::gate::{Gate, Pass, WAIT};
use crate::index::{Change, WorkspaceIndex};
use crate::pending::{Pending, Update, key};
use crate::trace;
use crate::{Answer, Error, Pointer};

/// Keeps the index in memory, for as long as the value lives.
///
/// For tests, and for stores that are in memory themselves. A commit is atomic over all its workspaces.
#[derive(Debug)]
pub struct MemoryIndex {
    entries: RwLock<HashMap<Option<OsString>, Recorded>>,
    gate: Gate,
    wait: Duration,
}

impl Default for MemoryIndex {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryIndex {
    /// Makes an empty index.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: RwLock::default(),
            gate: Gate::default(),
            wait: WAIT,
        }
    }

    /// Sets how long [`begin`](WorkspaceIndex::begin) waits for another change; the default is 10 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    fn read(&self, workspace: Option<&Path>) -> Answer {
        // Commits cannot panic half way, so a poisoned map is a whole one.
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(&key(workspace))
            .cloned()
            .map(Recorded::unproven)
            .unwrap_or_default()
    }
}

impl WorkspaceIndex for MemoryIndex {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        trace::lookup("memory", || Ok(self.read(workspace)))
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        trace::begin("memory", || {
            let pass = self.gate.enter(self.wait).ok_or(Error::Locked)?;
            Ok(Box::new(MemoryChange {
                index: self,
                pending: Pending::default(),
                _pass: pass,
            }) as Box<dyn Change>)
        })
    }
}

#[derive(Debug)]
struct MemoryChange<'a> {
    index: &'a MemoryIndex,
    pending: Pending,
    _pass: Pass<'a>,
}

impl Change for MemoryChange<'_> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        Ok(self
            .pending
            .get(workspace)
            .map_or_else(|| self.index.read(workspace), Update::answer))
    }

    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer) {
        self.pending
            .set(workspace, Update::Record(Recorded::Session(pointer)));
    }

    fn record_none(&mut self, workspace: Option<&Path>) {
        self.pending
            .set(workspace, Update::Record(Recorded::Nothing));
    }

    fn remove(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::Remove);
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self {
            index,
            pending,
            _pass,
        } = *self;
        trace::commit("memory", || {
            let mut entries = index
                .entries
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for (workspace, update) in pending.into_inner() {
                match update {
                    Update::Record(recorded) => drop(entries.insert(workspace, recorded)),
                    Update::Remove => drop(entries.remove(&workspace)),
                }
            }
            Ok(())
        })
    }
}
