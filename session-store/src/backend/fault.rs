//! A backend that fails on demand: the n-th call, of a kind or of any, once or from then on.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    Access, AppendFile, Area, Backend, BackendListing, BackendNames, Blob, BlobStat, Lock,
    LockName, OpenBlob, PublishStep, Stamp, Surroundings, WriteStep,
};
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::FaultSpan;

/// A call of [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BackendCall {
    /// [`Backend::list`].
    List,
    /// [`Backend::stat_area`] and [`Backend::stamp`].
    StatArea,
    /// [`Backend::stat`].
    Stat,
    /// [`Backend::open`].
    Open,
    /// [`Backend::replace`], before anything is written, and [`Backend::overwrite`].
    Replace,
    /// The moment in [`Backend::replace`] and [`Backend::transfer`] at which a change would become visible.
    Publish,
    /// [`Backend::persist`].
    Persist,
    /// [`Backend::append`].
    Append,
    /// [`Backend::transfer`], before anything is moved.
    Transfer,
    /// [`Backend::remove`].
    Remove,
    /// [`Backend::lock`].
    Lock,
    /// [`Backend::sweep`].
    Sweep,
}

/// A backend whose calls fail on demand. A clone is the same backend with the same faults.
#[derive(Clone, Debug)]
pub struct FaultBackend<B> {
    inner: B,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    armed: Option<Armed>,
    matching: u64,
    counts: BTreeMap<BackendCall, u64>,
    injected: u64,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    call: Option<BackendCall>,
    nth: u64,
    span: FaultSpan,
    errno: i32,
}

impl<B: Backend> FaultBackend<B> {
    /// Wraps a backend; nothing fails before a fault is armed.
    #[must_use]
    pub fn new(inner: B) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    /// Gives the backend below, which never fails on demand.
    #[must_use]
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// Makes the `nth` call of a kind (any kind for `None`) fail with an error number, counted from 1 and from now.
    pub fn arm(&self, call: Option<BackendCall>, nth: u64, span: FaultSpan, errno: i32) {
        *self.plan() = Plan {
            armed: Some(Armed {
                call,
                nth,
                span,
                errno,
            }),
            ..Plan::default()
        };
    }

    /// Lets everything work again. The counts stay.
    pub fn disarm(&self) {
        self.plan().armed = None;
    }

    /// Counts the calls of a kind since the last fault was armed.
    #[must_use]
    pub fn calls(&self, call: BackendCall) -> u64 {
        self.plan().counts.get(&call).copied().unwrap_or(0)
    }

    /// Counts all calls since the last fault was armed.
    #[must_use]
    pub fn total_calls(&self) -> u64 {
        self.plan().counts.values().sum()
    }

    /// Tells how many calls failed since the last fault was armed.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.plan().injected
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, call: BackendCall, op: &'static str, path: PathBuf) -> Result<(), Error> {
        let mut plan = self.plan();
        *plan.counts.entry(call).or_default() += 1;
        let Some(armed) = plan
            .armed
            .filter(|armed| armed.call.is_none_or(|armed| armed == call))
        else {
            return Ok(());
        };
        plan.matching += 1;
        let hit = match armed.span {
            FaultSpan::Once => plan.matching == armed.nth,
            FaultSpan::FromThenOn => plan.matching >= armed.nth,
        };
        if !hit {
            return Ok(());
        }
        plan.injected += 1;
        Err(Error::Io {
            op,
            path,
            source: io::Error::from_raw_os_error(armed.errno),
        })
    }

    fn area(&self, area: Area) -> PathBuf {
        self.inner.describe(&Blob::new(area, ""))
    }
}

impl<B: Backend> Backend for FaultBackend<B> {
    fn list(&self, area: Area) -> Result<BackendListing, Error> {
        self.check(BackendCall::List, "list", self.area(area))?;
        self.inner.list(area)
    }
    fn names(&self, area: Area) -> Result<BackendNames, Error> {
        self.check(BackendCall::List, "list", self.area(area))?;
        self.inner.names(area)
    }
    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
        self.check(BackendCall::StatArea, "stat", self.area(area))?;
        self.inner.stat_area(area)
    }
    fn stamp(&self) -> Result<Option<Stamp>, Error> {
        self.check(BackendCall::StatArea, "stat", self.area(Area::Sessions))?;
        self.inner.stamp()
    }
    fn disturb(&self) -> Result<(), Error> {
        self.check(BackendCall::StatArea, "touch", self.area(Area::Sessions))?;
        self.inner.disturb()
    }
    fn settles(&self, lock: &Lock, stamp: &Stamp) -> bool {
        self.inner.settles(lock, stamp)
    }
    fn overwrite(&self, lock: &Lock, blob: &Blob<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.check(BackendCall::Replace, "write", self.describe(blob))?;
        self.inner.overwrite(lock, blob, bytes)
    }
    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
        self.check(BackendCall::Stat, "stat", self.describe(blob))?;
        self.inner.stat(blob)
    }
    fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.check(BackendCall::Open, "open", self.describe(blob))?;
        self.inner.open(blob)
    }
    fn open_listed(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.check(BackendCall::Open, "open", self.describe(blob))?;
        self.inner.open_listed(blob)
    }
    fn replace(
        &self,
        lock: &Lock,
        blob: &Blob<'_>,
        durability: Durability,
        write: &mut WriteStep<'_>,
        publish: &mut PublishStep<'_>,
    ) -> Result<BlobStat, Error> {
        self.check(BackendCall::Replace, "create", self.describe(blob))?;
        self.inner
            .replace(lock, blob, durability, write, &mut |step| {
                publish(&mut || {
                    self.check(BackendCall::Publish, "rename", self.describe(blob))?;
                    step()
                })
            })
    }
    fn persist(&self, lock: &Lock, blob: &Blob<'_>) -> Result<(), Error> {
        self.check(BackendCall::Persist, "sync", self.describe(blob))?;
        self.inner.persist(lock, blob)
    }
    fn append(&self, lock: &Lock, blob: &Blob<'_>) -> Result<Option<Box<dyn AppendFile>>, Error> {
        self.check(BackendCall::Append, "open", self.describe(blob))?;
        self.inner.append(lock, blob)
    }
    fn transfer(
        &self,
        lock: &Lock,
        from: &Blob<'_>,
        to: &Blob<'_>,
        durability: Durability,
        publish: &mut PublishStep<'_>,
    ) -> Result<bool, Error> {
        self.check(BackendCall::Transfer, "stat", self.describe(from))?;
        self.inner
            .transfer(lock, from, to, durability, &mut |step| {
                publish(&mut || {
                    self.check(BackendCall::Publish, "rename", self.describe(to))?;
                    step()
                })
            })
    }
    fn remove(&self, lock: &Lock, blob: &Blob<'_>, durability: Durability) -> Result<bool, Error> {
        self.check(BackendCall::Remove, "remove", self.describe(blob))?;
        self.inner.remove(lock, blob, durability)
    }
    fn lock(&self, name: LockName<'_>, wait: Duration) -> Result<Lock, Error> {
        self.check(BackendCall::Lock, "lock", self.area(Area::Sessions))?;
        self.inner.lock(name, wait)
    }
    fn turns(&self, name: LockName<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
        self.check(BackendCall::Open, "open", self.area(Area::Sessions))?;
        self.inner.turns(name)
    }
    fn sweep(&self) -> Result<u64, Error> {
        self.check(BackendCall::Sweep, "list", self.area(Area::Sessions))?;
        self.inner.sweep()
    }
    fn access(&self, blob: &Blob<'_>) -> Result<Option<Access>, Error> {
        self.inner.access(blob)
    }
    fn surroundings(&self) -> Result<Surroundings, Error> {
        self.inner.surroundings()
    }

    fn describe(&self, blob: &Blob<'_>) -> PathBuf {
        self.inner.describe(blob)
    }
}
