//! The index that shares a JSON map with other programs. Owns when the map is read and written; its text is in
//! `document`, the place where it is kept behind [`IndexStorage`].

mod document;

use std::collections::BTreeMap;
use std::path::Path;

use crate::answer::{Reason, Recorded};
use crate::index::{Change, WorkspaceIndex};
use crate::pending::{Pending, Update};
use crate::storage::{IndexStorage, StorageLock};
use crate::trace;
use crate::{Answer, Error, Pointer};

/// The largest map that is used unless the caller says otherwise: a few hundred thousand workspaces.
const LIMIT: usize = 64 << 20;

/// Keeps the whole index in one JSON file that codetether-agent reads and writes too.
///
/// The file is `.workspace_index.json`, its content `{"entries": {"<canonical directory>": "<id>"}}`. Members and
/// entries that this crate does not understand are kept as they are. There is no place in it for the order of a session,
/// for the newest of all workspaces, for "no session here" and for a path that is not UTF-8: these are not recorded, and
/// a lookup answers with an [unordered](Pointer::unordered) pointer or [`Reason::Unrecordable`].
///
/// The other program takes no lock, so an entry of ours is lost when both write at once. That makes the answer
/// [`Absent`](Reason::Absent) or older, never anything that an unverified hint may not be. So nothing in it is ever proven.
///
/// # Complexity
///
/// A lookup reads the whole map and a change rewrites it. A change that changes nothing writes nothing.
#[derive(Clone, Debug)]
pub struct JsonMapIndex<S> {
    storage: S,
    limit: usize,
}

impl<S: Default + IndexStorage> Default for JsonMapIndex<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S> JsonMapIndex<S> {
    /// The name of the map in its storage.
    pub const FILE: &'static str = ".workspace_index.json";
}

impl<S: IndexStorage> JsonMapIndex<S> {
    /// Makes an index over `storage`, which may be empty, and reads nothing yet.
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            limit: LIMIT,
        }
    }

    /// Sets the largest map, in bytes, that is read and written; the default is 64 MiB.
    ///
    /// A larger one is [`Damaged`](Reason::Damaged) for lookups and [`Error::TooLarge`] for changes.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Returns the storage.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    fn file(&self) -> Result<Option<Vec<u8>>, Error> {
        let most = self.limit.saturating_add(1);
        self.storage
            .read(Self::FILE, most)
            .map_err(|source| Error::io("read", Self::FILE, source))
    }

    fn read(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        let Some(directory) = recordable(workspace) else {
            return Ok(Answer::Unknown(Reason::Unrecordable));
        };
        Ok(match self.file()? {
            None => Answer::Unknown(Reason::Absent),
            Some(json) if json.len() > self.limit => Answer::Unknown(Reason::Damaged),
            Some(json) => match document::find(&json, directory) {
                Ok(Some(id)) => Recorded::Session(Pointer::unordered(id)).unproven(),
                Ok(None) => Answer::Unknown(Reason::Absent),
                Err(document::Damaged) => Answer::Unknown(Reason::Damaged),
            },
        })
    }

    fn write(&self, pending: &Pending) -> Result<(), Error> {
        let updates = updates(pending);
        if updates.is_empty() {
            return Ok(());
        }
        let json = self.file()?;
        self.check_size(json.as_deref())?;
        let changed = document::amend(json.as_deref(), &updates)
            .map_err(|source| Error::io("encode", Self::FILE, source.into()))?;
        let Some(changed) = changed else {
            return Ok(());
        };
        self.check_size(Some(&changed))?;
        self.storage
            .replace(Self::FILE, &changed)
            .map_err(|source| Error::io("replace", Self::FILE, source))
    }

    fn check_size(&self, json: Option<&[u8]>) -> Result<(), Error> {
        if json.is_some_and(|json| json.len() > self.limit) {
            return Err(Error::TooLarge {
                name: Self::FILE.to_owned(),
                limit: self.limit,
            });
        }
        Ok(())
    }
}

/// Returns the key of `workspace` in the map, if it can have one.
fn recordable(workspace: Option<&Path>) -> Option<&str> {
    workspace?.to_str()
}

/// Returns the id that each directory shall have, or `None` for one that shall have none.
fn updates(pending: &Pending) -> BTreeMap<&str, Option<&str>> {
    let mut updates = BTreeMap::new();
    for (workspace, update) in pending.iter() {
        let id = match update {
            Update::Record(Recorded::Session(pointer))
            | Update::Prove(Recorded::Session(pointer)) => Some(pointer.id.as_str()),
            Update::Record(Recorded::Nothing)
            | Update::Prove(Recorded::Nothing)
            | Update::Remove => None,
        };
        if let Some(workspace) = recordable(workspace) {
            updates.insert(workspace, id);
        }
    }
    updates
}

impl<S: IndexStorage> WorkspaceIndex for JsonMapIndex<S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        trace::lookup("json map", || self.read(workspace))
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        trace::begin("json map", || {
            let lock = self.storage.lock().map_err(Error::lock)?;
            Ok(Box::new(JsonMapChange {
                index: self,
                pending: Pending::default(),
                _lock: lock,
            }) as Box<dyn Change>)
        })
    }
}

#[derive(Debug)]
struct JsonMapChange<'a, S> {
    index: &'a JsonMapIndex<S>,
    pending: Pending,
    _lock: StorageLock<'a>,
}

impl<S: IndexStorage> Change for JsonMapChange<'_, S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        match self.pending.get(workspace) {
            Some(update) if recordable(workspace).is_some() => Ok(update.answer()),
            _ => self.index.read(workspace),
        }
    }

    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer) {
        // What will be read back has no order, so a lookup inside the change shows none either.
        let pointer = Pointer::unordered(pointer.id);
        self.pending
            .set(workspace, Update::Record(Recorded::Session(pointer)));
    }

    fn record_none(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::Remove);
    }

    fn remove(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::Remove);
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        trace::commit("json map", || self.index.write(&self.pending))
    }
}
