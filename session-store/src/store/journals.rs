//! What a store remembers of sessions between appends that are not made through a writer. Knows no files.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_model::SessionId;

use super::journaling::Journaling;
use crate::backend::BlobStat;

/// How many sessions a store remembers between appends that are not made through a writer.
const REMEMBERED: usize = 8;

/// What a store remembers of the journals it has written to.
#[derive(Debug, Default)]
pub(crate) struct Journals {
    known: Mutex<Vec<(SessionId, Journaling)>>,
    /// Sessions whose journal failed to sync: that file is never relied upon again.
    poisoned: Mutex<HashSet<SessionId>>,
    settled: Mutex<Vec<(SessionId, Settled)>>,
}

/// What this store has made durable.
#[derive(Debug)]
struct Settled {
    /// What the file system said of the document then.
    document: BlobStat,
    /// The device and number of the file of the journal beside it. Beside another document it is another one, whatever its number.
    journal: Option<(u64, u64)>,
}

/// Puts an entry behind all others, in the place of one of the same session; the oldest goes where there are too many.
fn remember<T>(known: &mut Vec<(SessionId, T)>, id: &SessionId, value: T) {
    known.retain(|(known, _)| known != id);
    if known.len() == REMEMBERED {
        known.remove(0);
    }
    known.push((id.clone(), value));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Entries go in and out whole, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journals {
    pub(super) fn take(&self, id: &SessionId) -> Option<Journaling> {
        let mut known = locked(&self.known);
        let at = known.iter().position(|(known, _)| known == id)?;
        Some(known.remove(at).1)
    }

    pub(super) fn put(&self, id: &SessionId, state: Journaling) {
        remember(&mut locked(&self.known), id, state);
    }

    /// Notes that a document was synced, and then its name.
    pub(super) fn settle(&self, id: &SessionId, document: BlobStat) {
        let journal = None;
        remember(
            &mut locked(&self.settled),
            id,
            Settled { document, journal },
        );
    }

    /// Whether a document is the very file that this store made durable, and unchanged since: then there is nothing to sync.
    pub(super) fn is_settled(&self, id: &SessionId, document: BlobStat) -> bool {
        let settled = locked(&self.settled);
        let mut settled = settled.iter();
        settled.any(|(known, settled)| known == id && settled.document == document)
    }

    /// Notes that the name of the journal beside a settled document was synced.
    pub(super) fn name(&self, id: &SessionId, journal: BlobStat) {
        let mut settled = locked(&self.settled);
        if let Some((_, settled)) = settled.iter_mut().find(|(known, _)| known == id) {
            settled.journal = Some((journal.device, journal.inode));
        }
    }

    /// Whether the name of this very journal was synced by this store.
    pub(super) fn is_named(&self, id: &SessionId, journal: BlobStat) -> bool {
        let file = Some((journal.device, journal.inode));
        let settled = locked(&self.settled);
        let mut settled = settled.iter();
        settled.any(|(known, settled)| known == id && settled.journal == file)
    }

    pub(super) fn poison(&self, id: &SessionId) {
        locked(&self.poisoned).insert(id.clone());
    }

    pub(super) fn is_sound(&self, id: &SessionId) -> bool {
        !locked(&self.poisoned).contains(id)
    }

    pub(super) fn cure(&self, id: &SessionId) {
        locked(&self.poisoned).remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_beside_another_document_is_another_one_whatever_its_number() {
        let (journals, id) = (Journals::default(), SessionId::new("s").unwrap());
        let file = |inode, changed| BlobStat::new(1, inode, 10, 0, changed);
        journals.settle(&id, file(1, 0));
        journals.name(&id, file(2, 0));
        assert!(journals.is_named(&id, file(2, 7)), "it was added to");
        assert!(!journals.is_named(&id, file(3, 0)));
        journals.settle(&id, file(1, 1));
        assert!(!journals.is_named(&id, file(2, 9)));
    }
}
