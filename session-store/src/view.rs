//! What one handle has seen of each session, so that a stale or windowed copy never replaces newer history.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_codec::Revision;
use session_model::SessionId;

use crate::backend::BlobStat;

/// A document this handle has read or written from the first byte to the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) revision: Revision,
    /// The file's identity when it was seen; `None` when it changed under the reader.
    pub(crate) stat: Option<BlobStat>,
}

/// How much of a session a handle has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View {
    /// All of it, at one revision.
    Whole(Seen),
    /// All of it, and later a window that dropped something: a record in the caller's hands may be either.
    WholeThenWindow(Seen),
    /// Only a window that dropped something.
    Window,
}

/// The views of one handle, by session.
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<HashMap<SessionId, View>>);

impl Views {
    /// The map stays usable after a panic elsewhere: each entry is replaced as a whole, never half-written.
    fn map(&self) -> MutexGuard<'_, HashMap<SessionId, View>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &SessionId) -> Option<View> {
        self.map().get(id).copied()
    }

    /// Remembers a full load, a save or an overwrite.
    pub(crate) fn saw_whole(&self, id: &SessionId, seen: Seen) {
        self.map().insert(id.clone(), View::Whole(seen));
    }

    /// Remembers a window that dropped something.
    pub(crate) fn saw_window(&self, id: &SessionId) {
        let mut map = self.map();
        let view = map.entry(id.clone()).or_insert(View::Window);
        if let View::Whole(seen) = *view {
            *view = View::WholeThenWindow(seen);
        }
    }

    /// Follows an append by this handle: whoever had seen all of `from` has now seen all of `to`.
    ///
    /// A handle that had not seen the whole document has not seen it after an append either; otherwise a window,
    /// appended to and then saved by mistake, would pass as the full history.
    pub(crate) fn appended(&self, id: &SessionId, from: Revision, to: Seen) {
        if let Some(View::Whole(seen) | View::WholeThenWindow(seen)) = self.map().get_mut(id)
            && seen.revision == from
        {
            *seen = to;
        }
    }

    /// Forgets a session that this handle removed: saving it again creates it.
    pub(crate) fn forget(&self, id: &SessionId) {
        self.map().remove(id);
    }
}
