//! The index of one pointer a workspace. Owns which pointer is read and written when; the layout of a pointer is in
//! `pointer_file`, the place where it is kept behind [`IndexStorage`].

use std::path::Path;

use crate::answer::{Reason, Recorded};
use crate::index::{Change, WorkspaceIndex};
use crate::key::Key;
use crate::pending::{Pending, Update};
use crate::pointer_file::{LIMIT, decode, encode};
use crate::storage::{IndexStorage, StorageLock};
use crate::trace;
use crate::{Answer, Error, Pointer};

/// Keeps one small pointer for each workspace, and one for all of them.
///
/// A pointer is a text of a few lines under a name made of a hash of the path (`all.pointer` for all workspaces), with
/// the whole path inside and a checksum at the end. Whatever does not verify is unknown, with the reason in the answer.
/// A path over 16 KiB or an id over 1 KiB is not recorded.
///
/// # Layout
///
/// A pointer is named by the XXH3-128 of the path's bytes, as 32 lower-case hexadecimal digits and `.pointer`. It is a few
/// lines of ASCII, each ended by one line feed:
///
/// ```text
/// session-index pointer 1
/// workspace /home/me/caf%C3%A9
/// session 2f1c0d9e-53b6-4b0e-a8a5-0c6b5d0a7f10
/// at 1773171774066971411
/// updated 1773171774066971411
/// crc32 8d3f19c2
/// ```
///
/// 1. `session-index pointer` and the version of the layout.
/// 2. `workspace` and the path, or the single word `all` in the pointer of all workspaces.
/// 3. `session` and the id, followed by the lines `at` and `updated` with the session's place in the order, in decimal
///    nanoseconds since the Unix epoch; or, instead of the three, the single word `none`: there is no session.
/// 4. `crc32` and the checksum (IEEE) of all bytes before this line, as eight lower-case hexadecimal digits.
///
/// In a path and an id every byte that is not a visible ASCII character, and `%` itself, is written as `%` and two
/// upper-case hexadecimal digits. There is one spelling for each content, and only that is honoured. A pointer of another
/// version or workspace, or longer than 64 KiB, means *unknown*, like a missing one, never *none*.
///
/// # Complexity
///
/// A lookup reads one pointer and a change writes one for each workspace it names, however many the index holds.
#[derive(Clone, Debug, Default)]
pub struct SidecarIndex<S> {
    storage: S,
}

impl<S: IndexStorage> SidecarIndex<S> {
    /// Makes an index over `storage`, which may be empty, and reads nothing yet.
    pub fn new(storage: S) -> Self {
        Self { storage }
    }

    /// Returns the storage.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    fn read(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        let Some(key) = Key::of(workspace) else {
            return Ok(Answer::Unknown(Reason::Unrecordable));
        };
        let name = key.name();
        // One byte more than is accepted, so that an oversized pointer is not taken for its first part.
        let bytes = self
            .storage
            .read(&name, LIMIT + 1)
            .map_err(|source| Error::io("read", &name, source))?;
        let Some(bytes) = bytes else {
            return Ok(Answer::Unknown(Reason::Absent));
        };
        Ok(decode(&key, &bytes).map_or_else(Answer::Unknown, Recorded::unproven))
    }

    fn write(&self, workspace: Option<&Path>, update: &Update) -> Result<(), Error> {
        // What has no key was never recorded, so there is nothing to forget.
        let Some(key) = Key::of(workspace) else {
            return Ok(());
        };
        let name = key.name();
        let bytes = match update {
            Update::Record(recorded) => encode(&key, recorded),
            Update::Remove => None,
        };
        match bytes {
            Some(bytes) => self
                .storage
                .replace(&name, &bytes)
                .map_err(|source| Error::io("replace", &name, source)),
            None => self
                .storage
                .remove(&name)
                .map(drop)
                .map_err(|source| Error::io("remove", &name, source)),
        }
    }
}

impl<S: IndexStorage> WorkspaceIndex for SidecarIndex<S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        trace::lookup("sidecar", || self.read(workspace))
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        trace::begin("sidecar", || {
            let lock = self.storage.lock().map_err(Error::lock)?;
            Ok(Box::new(SidecarChange {
                index: self,
                pending: Pending::default(),
                _lock: lock,
            }) as Box<dyn Change>)
        })
    }
}

#[derive(Debug)]
struct SidecarChange<'a, S> {
    index: &'a SidecarIndex<S>,
    pending: Pending,
    _lock: StorageLock<'a>,
}

impl<S: IndexStorage> Change for SidecarChange<'_, S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        match self.pending.get(workspace) {
            Some(update) => Ok(update.answer()),
            None => self.index.read(workspace),
        }
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
        trace::commit("sidecar", || {
            let mut first = Ok(());
            for (workspace, update) in self.pending.iter() {
                first = first.and(self.index.write(workspace, update));
            }
            first
        })
    }
}
