//! Looking into the files that no catalogue answers for.

use std::cmp::Reverse;

use session_model::{SessionId, SessionRecord};
use session_scan::{Entry, Newest};

use super::Call;
use crate::backend::{Blob, BlobStat};
use crate::catalogue::{Row, Rows, encode};
use crate::corpus::entry;
use crate::probe::HeadProbe;
use crate::skipped::Skipped;
use crate::store::SessionStore;
use crate::{Error, Progress};

/// Looks into files for one call.
pub(super) struct Look<'c, S: SessionRecord> {
    store: &'c SessionStore<S>,
    call: &'c Call<'c>,
    files: u64,
}

/// What was found in files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Rows, one after another, newest first.
    pub(super) bytes: Vec<u8>,
    /// Those that cannot be listed, and why.
    pub(super) skipped: Vec<Skipped>,
    /// The ids of those.
    pub(super) unreadable: Vec<SessionId>,
}

impl Seen {
    /// The rows, newest first.
    pub(super) fn sorted(&self) -> impl Iterator<Item = Row<'_>> {
        let mut rows: Vec<_> = Rows(&self.bytes).filter_map(Result::ok).collect();
        rows.sort_by_key(|row| Reverse(row.key()));
        rows.into_iter()
    }
}

impl<'c, S: SessionRecord> Look<'c, S> {
    pub(super) fn new(store: &'c SessionStore<S>, call: &'c Call<'c>) -> Self {
        Self {
            store,
            call,
            files: 0,
        }
    }

    /// How many files were looked at.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// Looks at sessions by their ids; `None` if one of them is not there as it was listed, so that the catalogue is not
    /// the whole truth.
    pub(super) fn again(&mut self, ids: &[&str]) -> Result<Option<Seen>, Error> {
        let mut entries = Vec::with_capacity(ids.len());
        for id in ids {
            match self.store.shared.backend.stat(&Blob::session(id)) {
                Ok(Some(stat)) => entries.push(entry(id, &stat)),
                Ok(None) | Err(_) => return Ok(None),
            }
        }
        self.at(entries).map(Some)
    }

    /// Looks at files that were listed. One that is gone by now is left out.
    pub(super) fn at(&mut self, mut entries: Vec<Entry>) -> Result<Seen, Error> {
        let journals = self.call.documents.journals()?;
        for entry in &mut entries {
            if let Some(journal) = journals.get(&entry.name) {
                entry.modified = entry.modified.max(journal.modified);
            }
        }
        let mut seen = Seen::default();
        let of = entries.len() as u64;
        let documents = self.call.documents;
        let probe = HeadProbe::<S>::new(&self.store.shared, documents, None);
        let mut walk = Newest::new(&documents, entries, &probe)
            .threads(self.store.shared.threads)
            .reads_in_flight(self.store.shared.reads_in_flight);
        while let Some((entry, candidate)) = walk.next_hit() {
            self.files += 1;
            self.call.query.watch.tell(&Progress {
                files: self.files,
                of,
                bytes_read: documents.bytes_read(),
            })?;
            let id = candidate.recency.id;
            let stat = BlobStat::new(
                entry.device,
                entry.inode,
                entry.size,
                candidate.modified,
                entry.changed,
            );
            if encode(&mut seen.bytes, &id, &candidate.header, &stat).is_none() {
                // A header is never so long, by the limit on it; if it were, it could not be shown either.
                let (path, what) = (self.store.path(&id), "header bytes");
                let limit = u64::from(u32::MAX);
                seen.skipped
                    .push(Skipped::failed(&id, Error::TooLarge { path, what, limit }));
                seen.unreadable.push(id);
            }
        }
        for found in walk.take_unreadable() {
            seen.unreadable
                .extend(SessionId::new(&found.entry.name).ok());
            seen.skipped
                .push(Skipped::unreadable(found, &self.store.shared));
        }
        Ok(seen)
    }
}
