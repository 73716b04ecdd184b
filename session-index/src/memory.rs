//! The index in memory. Knows no storage, no format and no clock but for the bounded wait.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::answer::{Entry, Proof};
use crate::gate::{Gate, Pass, WAIT};
use crate::index::{Change, WorkspaceIndex};
use crate::pending::{Pending, Skip, Update, key};
use crate::proof::{self, Basis, Ground};
use crate::rule::Rules;
use crate::stamp::{Stamp, Unwatched, Watch};
use crate::state_file::{Scope, State};
use crate::trace;
use crate::turn::Turn;
use crate::{Answer, Consultation, Error, Pointer};

/// Keeps the index in memory, for as long as the value lives.
///
/// For tests, and for stores that are in memory themselves. A commit is atomic over all its workspaces. Its lock is inside
/// the process: whoever changes the watched directory through another index is a stranger to this one.
#[derive(Debug)]
pub struct MemoryIndex {
    contents: RwLock<Contents>,
    watch: Box<dyn Watch>,
    gate: Gate,
    turns: AtomicU64,
    wait: Duration,
}

#[derive(Debug, Default)]
struct Contents {
    entries: HashMap<Option<OsString>, Entry>,
    state: Option<State>,
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
        Self::watching(Unwatched)
    }

    /// Makes an empty index that proves its answers by the stamps of a directory.
    pub fn watching(watch: impl Watch + 'static) -> Self {
        Self {
            contents: RwLock::default(),
            watch: Box::new(watch),
            gate: Gate::default(),
            turns: AtomicU64::new(0),
            wait: WAIT,
        }
    }

    /// Sets how long [`begin`](WorkspaceIndex::begin) waits for another change; the default is 10 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        // Commits cannot panic half way, so a poisoned map is a whole one.
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamp(&self) -> Option<Stamp> {
        self.watch.stamp().ok().flatten()
    }
}

impl Contents {
    fn answer(&self, workspace: Option<&Path>, stamp: Option<&Stamp>) -> Answer {
        let Some(entry) = self.entries.get(&key(workspace)) else {
            return Answer::default();
        };
        let proof = match entry.epoch {
            Some(_) => proof::judge(entry.epoch, self.state.as_ref(), stamp, Rules::default()),
            None => Proof::Unproven,
        };
        entry.recorded.clone().answer(proof)
    }
}

impl WorkspaceIndex for MemoryIndex {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        trace::lookup("memory", || {
            // Under the guard, so that no commit falls between what is read and the stamp it is judged by.
            let contents = self.read();
            Ok(contents.answer(workspace, self.stamp().as_ref()))
        })
    }

    fn consult(&self, workspaces: &[Option<&Path>]) -> Result<Consultation, Error> {
        trace::consult("memory", || {
            let contents = self.read();
            let stamp = self.stamp();
            let answer = |workspace| contents.answer(workspace, stamp.as_ref());
            let scope = contents
                .state
                .filter(|state| proof::covers(state, stamp.as_ref(), Rules::default()))
                .map_or(Scope::Some, |state| state.scope);
            let answers = workspaces.iter().copied().map(answer).collect();
            Ok(Consultation::new(answers, stamp, scope))
        })
    }

    fn turn(&self) -> Option<Turn> {
        Some(Turn::new(0, self.turns.load(Ordering::SeqCst), 0))
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        trace::begin("memory", || {
            let pass = self.gate.enter(self.wait).ok_or(Error::Locked)?;
            self.turns.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(MemoryChange {
                index: self,
                basis: Basis::Nothing,
                doubts: false,
                pending: Pending::default(),
                _pass: pass,
            }) as Box<dyn Change>)
        })
    }
}

#[derive(Debug)]
struct MemoryChange<'a> {
    index: &'a MemoryIndex,
    basis: Basis,
    doubts: bool,
    pending: Pending,
    _pass: Pass<'a>,
}

impl Change for MemoryChange<'_> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        if let Some(update) = self.pending.get(workspace) {
            return Ok(update.answer());
        }
        let stamp = match self.basis {
            Basis::Step { before, .. } => before,
            Basis::Nothing | Basis::Walk { .. } => self.index.stamp(),
        };
        Ok(self.index.read().answer(workspace, stamp.as_ref()))
    }

    fn step(&mut self, step: &mut dyn FnMut()) {
        let before = self.index.stamp();
        step();
        let after = self.index.stamp();
        self.basis = Basis::Step { before, after };
    }

    fn walked(&mut self, since: &Stamp, scope: Scope) {
        self.basis = Basis::Walk {
            since: *since,
            scope,
        };
    }

    fn doubt(&mut self) {
        self.doubts = true;
    }

    fn prove(&mut self, workspace: Option<&Path>, newest: Option<Pointer>) {
        self.pending.set(workspace, Update::prove(newest));
    }

    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer) {
        self.pending.set(workspace, Update::record(Some(pointer)));
    }

    fn record_none(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::record(None));
    }

    fn remove(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::Remove);
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self {
            index,
            basis,
            doubts,
            pending,
            _pass,
        } = *self;
        trace::commit("memory", || {
            let state = index.read().state;
            let ground = if doubts {
                Ground::Hints
            } else {
                proof::ground(&basis, state.as_ref(), &*index.watch, Rules::default())
                    .map_err(|source| Error::io("stamp", "index", source))?
            };
            let mut contents = index
                .contents
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for (workspace, update) in pending.into_inner() {
                let known = || contents.entries.contains_key(&workspace);
                match update.entry(&ground, known) {
                    Ok(Some(entry)) => drop(contents.entries.insert(workspace, entry)),
                    Ok(None) => drop(contents.entries.remove(&workspace)),
                    Err(Skip) => {}
                }
            }
            if doubts {
                contents.state = None;
            } else if let Ground::Epoch(_, Some(next)) = ground {
                contents.state = Some(next);
            }
            Ok(())
        })
    }
}
