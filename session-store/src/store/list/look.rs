//! Looking into the files that no catalogue answers for.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;

use session_model::{SessionId, SessionRecord};
use session_scan::{Entry, Newest};

use super::Call;
use crate::backend::{Blob, BlobStat};
use crate::catalogue::{Row, Rows, encode};
use crate::corpus::{Unfolded, entry};
use crate::probe::HeadProbe;
use crate::skipped::Skipped;
use crate::store::SessionStore;
use crate::{Counts, Error, Query};

/// Looks into files for one call.
pub(super) struct Look<'c, S: SessionRecord> {
    store: &'c SessionStore<S>,
    call: &'c Call<'c>,
}

/// What was found in files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Rows, one after another, in no order.
    pub(super) bytes: Vec<u8>,
    /// What was found in the place of journals, by session.
    pub(super) unfolded: HashMap<SessionId, Unfolded>,
    /// Those that cannot be listed, and why.
    pub(super) skipped: Vec<Skipped>,
    /// The ids of those.
    pub(super) unreadable: Vec<SessionId>,
}

impl Seen {
    /// The rows, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        Rows(&self.bytes).filter_map(Result::ok)
    }

    /// The rows, newest first.
    pub(super) fn sorted(&self) -> impl Iterator<Item = Row<'_>> {
        let mut rows: Vec<_> = self.rows().collect();
        // A row is four times as large as what decides its place, and would be moved a dozen times.
        rows.sort_by_cached_key(|row| Reverse(row.key()));
        rows.into_iter()
    }
}

impl<'c, S: SessionRecord> Look<'c, S> {
    pub(super) fn new(store: &'c SessionStore<S>, call: &'c Call<'c>) -> Self {
        Self { store, call }
    }

    /// Looks at sessions by their ids; `None` if one of them is not there as it was listed, so that the catalogue is not
    /// the whole truth. A journal may have lost its document before that was made: then the directory is as it was.
    pub(super) fn again(
        &self,
        ids: &[&str],
        is_as_listed: impl FnOnce() -> bool,
    ) -> Result<Option<Seen>, Error> {
        let mut entries = Vec::with_capacity(ids.len());
        let mut is_one_gone = false;
        for id in ids {
            match self.store.shared.backend.stat(&Blob::session(id)) {
                Ok(Some(stat)) => entries.push(entry(id, &stat)),
                Ok(None) => is_one_gone = true,
                Err(_) => return Ok(None),
            }
        }
        if is_one_gone && !is_as_listed() {
            return Ok(None);
        }
        self.at(entries).map(Some)
    }

    /// Looks at files that were listed. One that is gone by now is left out.
    pub(super) fn at(&self, mut entries: Vec<Entry>) -> Result<Seen, Error> {
        let journals = self.call.documents.journals()?;
        for entry in &mut entries {
            if let Some(journal) = journals.get(&entry.name) {
                entry.modified = entry.modified.max(journal.modified);
            }
        }
        let mut seen = Seen::default();
        let (documents, course) = (self.call.documents, &self.call.course);
        course.expect(entries.len());
        let pause = || {
            let told = course.step(1, documents.bytes_read());
            told.map_or(ControlFlow::Break(()), ControlFlow::Continue)
        };
        let probe = HeadProbe::<S>::new(&self.store.shared, documents, None)
            .showing()
            .counting(shows_all(self.call.query, entries.len()));
        let mut walk = Newest::new(&documents, entries, &probe)
            .threads(self.store.shared.threads)
            .reads_in_flight(self.store.shared.reads_in_flight)
            .in_any_order()
            .pause(&pause);
        while let Some((entry, candidate)) = walk.next_hit() {
            let id = candidate.recency.id;
            let stat = BlobStat::new(
                entry.device,
                entry.inode,
                entry.size,
                // Not the listed one: that is of whatever journal there is, which may be another document's.
                candidate.modified,
                entry.changed,
            );
            if let Some(unfolded) = candidate.unfolded {
                seen.unfolded.insert(id.clone(), unfolded);
            }
            let (header, messages) = (&candidate.header, candidate.messages);
            if encode(&mut seen.bytes, &id, header, &stat, messages).is_none() {
                // A header is never so long, by the limit on it; if it were, it could not be shown either.
                let (path, what) = (self.store.path(&id), "header bytes");
                let limit = u64::from(u32::MAX);
                seen.skipped
                    .push(Skipped::failed(&id, Error::TooLarge { path, what, limit }));
                seen.unreadable.push(id);
            }
        }
        if course.is_over() {
            return Err(Error::Cancelled);
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

/// Whether a page has all of so many sessions, with their numbers of messages.
fn shows_all(query: &Query, files: usize) -> bool {
    let is_filtered = query.workspace.is_some()
        || query.title.is_some()
        || query.agent.is_some()
        || query.since.is_some()
        || query.until.is_some();
    query.counts == Counts::Exact
        && query.limit.is_none_or(|limit| limit >= files)
        && query.after.is_none()
        && !is_filtered
}
