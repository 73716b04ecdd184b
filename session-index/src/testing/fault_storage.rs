//! A storage that fails on demand. Knows which call it is and nothing of what the call carries.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::stamp::{Stamp, Watch};
use crate::storage::{IndexStorage, StorageLock};

/// A kind of call to a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`IndexStorage::read`].
    Read,
    /// [`IndexStorage::replace`] and [`IndexStorage::overwrite`].
    Replace,
    /// [`IndexStorage::remove`].
    Remove,
    /// [`IndexStorage::lock`].
    Lock,
}

impl Operation {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [Self::Read, Self::Replace, Self::Remove, Self::Lock];
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// At one call.
    Once,
    /// At one call and all after it.
    FromThenOn,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    operation: Operation,
    call: u64,
    kind: io::ErrorKind,
    repeat: Repeat,
}

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<Operation, u64>,
    faults: Vec<Fault>,
    injected: u64,
}

/// Passes calls on to another storage, counts them, and fails those it was told to. A call that fails does nothing.
#[derive(Debug, Default)]
pub struct FaultStorage<S> {
    inner: S,
    state: Mutex<State>,
}

impl<S: IndexStorage> FaultStorage<S> {
    /// Wraps `inner` without any fault.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            state: Mutex::default(),
        }
    }

    /// Makes the `nth` call from now (the next one is the first) of a kind fail with an error of `kind`.
    pub fn fail(&self, operation: Operation, nth: u64, kind: io::ErrorKind, repeat: Repeat) {
        let mut state = self.state();
        let call = state
            .calls
            .get(&operation)
            .copied()
            .unwrap_or(0)
            .saturating_add(nth);
        state.faults.push(Fault {
            operation,
            call,
            kind,
            repeat,
        });
    }

    /// Forgets every fault; the storage is healthy again.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Returns how many calls of a kind there were, failed ones included.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.state().calls.get(&operation).copied().unwrap_or(0)
    }

    /// Returns how many calls were made to fail. A test that injected nothing has shown nothing.
    pub fn injected(&self) -> u64 {
        self.state().injected
    }

    /// Returns the storage that is wrapped.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        let calls = state.calls.entry(operation).or_default();
        *calls += 1;
        let call = *calls;
        let strikes = |fault: &&Fault| {
            fault.operation == operation
                && match fault.repeat {
                    Repeat::Once => call == fault.call,
                    Repeat::FromThenOn => call >= fault.call,
                }
        };
        let Some(kind) = state.faults.iter().find(strikes).map(|fault| fault.kind) else {
            return Ok(());
        };
        state.injected += 1;
        Err(kind.into())
    }
}

impl<S: IndexStorage> Watch for FaultStorage<S> {
    fn stamp(&self) -> io::Result<Option<Stamp>> {
        self.inner.stamp()
    }

    fn settles(&self, stamp: &Stamp) -> bool {
        self.inner.settles(stamp)
    }
}

impl<S: IndexStorage> IndexStorage for FaultStorage<S> {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        self.enter(Operation::Read)?;
        self.inner.read(name, limit)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.enter(Operation::Replace)?;
        self.inner.replace(name, bytes)
    }

    fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.enter(Operation::Replace)?;
        self.inner.overwrite(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        self.enter(Operation::Remove)?;
        self.inner.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.enter(Operation::Read)?;
        self.inner.names()
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        self.enter(Operation::Lock)?;
        self.inner.lock()
    }
}
