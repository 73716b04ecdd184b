//! Looking into the files that no catalogue answers for.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use session_model::{SessionId, SessionRecord};
use session_scan::{Entry, Look as Looked, Newest, Probe, Ranked};

use super::Call;
use super::keep::Known;
use crate::backend::{Blob, BlobStat};
use crate::catalogue::{Joined, Row, Rows, encode};
use crate::corpus::{Document, Files, Unfolded, entry};
use crate::order::Nanos;
use crate::probe::HeadProbe;
use crate::skipped::{Skipped, Unusable};
use crate::store::SessionStore;
use crate::{Counts, Error, Query, SkipReason};

/// Looks into files for one call.
pub(super) struct Look<'c, S: SessionRecord> {
    store: &'c SessionStore<S>,
    call: &'c Call<'c>,
    known: &'c Known,
}

/// What was found in files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Rows, one after another, in no order.
    pub(super) bytes: Vec<u8>,
    /// The sessions with a journal.
    pub(super) joined: HashMap<SessionId, Pair>,
    /// Those that cannot be listed, and why; and journals that are none of the listed sessions.
    pub(super) skipped: Vec<Skipped>,
    /// The ids of those.
    pub(super) unreadable: Vec<SessionId>,
}

/// The files of a session with a journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// As they were listed, so not later than they were read.
    pub(super) files: Files,
    /// What the journal is to the document; `None` where it was not read, or says nothing.
    pub(super) unfolded: Option<Unfolded>,
    /// Whether the catalogue's row stands for them, so that neither was read.
    pub(super) is_kept: bool,
}

impl Seen {
    /// Takes what a catalogue says of a session.
    fn take(&mut self, id: SessionId, joined: &Joined, row: &Row<'_>) {
        self.bytes.extend(row.bytes());
        let pair = Pair {
            files: joined.files,
            unfolded: Some(joined.unfolded),
            is_kept: true,
        };
        self.joined.insert(id, pair);
    }

    /// What a catalogue keeps of a session with a journal, if that says anything; and whether it said so before.
    pub(super) fn joined(&self, row: &Row<'_>, counted: Option<u64>) -> Option<(Joined, bool)> {
        let pair = self.joined.get(row.id)?;
        let joined = Joined::new(pair.files, pair.unfolded?, row, counted);
        Some((joined, pair.is_kept))
    }

    /// The sessions beside whose document there is the journal of another one.
    fn displaced(&self) -> impl Iterator<Item = &SessionId> {
        let is_displaced = |pair: &Pair| pair.unfolded == Some(Unfolded::Displaced);
        let joined = self.joined.iter();
        let mut displaced: Vec<_> = joined.filter(|(_, pair)| is_displaced(pair)).collect();
        displaced.sort_unstable_by_key(|(id, _)| *id);
        displaced.into_iter().map(|(id, _)| id)
    }

    /// The rows, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        Rows(&self.bytes).filter_map(Result::ok)
    }

    /// The ids of the rows.
    pub(super) fn ids(&self) -> HashSet<&str> {
        self.rows().map(|row| row.id).collect()
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
    pub(super) fn new(store: &'c SessionStore<S>, call: &'c Call<'c>, known: &'c Known) -> Self {
        Self { store, call, known }
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

    /// Files of which no more than the name was listed. Where there is no journal, a file is asked for its stat when it is
    /// open; what came of a session with a journal is known by the stat of both before either was read.
    pub(super) fn unasked(&self, names: Vec<String>) -> Vec<Entry> {
        let asked = |name: String| {
            let has_journal = self.call.journals.binary_search(&name).is_ok();
            let stat = has_journal.then(|| self.store.shared.backend.stat(&Blob::session(&name)));
            match stat {
                Some(Ok(Some(stat))) => entry(&name, &stat),
                // Whoever opens it finds out.
                Some(Ok(None) | Err(_)) | None => Entry::new(name, 0, 0),
            }
        };
        names.into_iter().map(asked).collect()
    }

    /// Takes those sessions with a journal from the catalogue whose files are what they were, and leaves the others.
    fn join(&self, entries: &mut Vec<Entry>, seen: &mut Seen) -> Result<(), Error> {
        let journals = self.call.documents.journals()?;
        if journals.is_empty() {
            return Ok(());
        }
        let known = self.known.joined();
        entries.retain_mut(|entry| {
            let (Some(journal), Ok(id)) = (journals.get(&entry.name), SessionId::new(&entry.name))
            else {
                return true;
            };
            let files = Files {
                document: BlobStat::new(
                    entry.device,
                    entry.inode,
                    entry.size,
                    entry.modified,
                    entry.changed,
                ),
                journal: *journal,
            };
            if let Some((joined, row)) = known
                .get(&*entry.name)
                .filter(|known| known.0.files == files)
            {
                seen.take(id, joined, row);
                return false;
            }
            entry.modified = entry.modified.max(journal.modified);
            let pair = Pair {
                files,
                unfolded: None,
                is_kept: false,
            };
            seen.joined.insert(id, pair);
            true
        });
        Ok(())
    }

    /// Looks at files that were listed. One that is gone by now is left out.
    pub(super) fn at(&self, mut entries: Vec<Entry>) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        self.join(&mut entries, &mut seen)?;
        let (documents, course) = (self.call.documents, &self.call.course);
        course.expect(entries.len());
        let pause = || {
            let told = course.step(1, documents.bytes_read());
            told.map_or(ControlFlow::Break(()), ControlFlow::Continue)
        };
        let head = HeadProbe::<S>::new(&self.store.shared, documents, None)
            .showing()
            .counting(shows_all(self.call.query, entries.len()));
        let probe = RowProbe {
            store: self.store,
            head,
            seen: Mutex::new(&mut seen),
        };
        let mut walk = Newest::new(&documents, entries, &probe)
            .threads(self.store.shared.threads)
            .reads_in_flight(self.store.shared.reads_in_flight)
            .in_any_order()
            .pause(&pause);
        let none = walk.next_hit();
        debug_assert!(none.is_none(), "rows are no hits");
        if course.is_over() {
            return Err(Error::Cancelled);
        }
        let unreadable = walk.take_unreadable();
        for found in unreadable {
            seen.unreadable
                .extend(SessionId::new(&found.entry.name).ok());
            seen.skipped
                .push(Skipped::unreadable(found, &self.store.shared));
        }
        // Whichever rows a page has, as for all that is passed over.
        let displaced: Vec<_> = seen.displaced().map(|id| Skipped::displaced(id)).collect();
        seen.skipped.extend(displaced);
        Ok(seen)
    }
}

/// Looks at files, and makes a row of each.
///
/// None of them is a hit: a row is kept where it will lie, and no row has to wait for another.
struct RowProbe<'p, 's, S: SessionRecord> {
    store: &'p SessionStore<S>,
    head: HeadProbe<'p, S>,
    seen: Mutex<&'s mut Seen>,
}

/// What a [`RowProbe`] never finds.
enum NoHit {}

impl Ranked for NoHit {
    type Rank = ();

    fn rank(&self) {
        match *self {}
    }

    fn at(&self) -> Nanos {
        match *self {}
    }
}

impl<S: SessionRecord> Probe<Document<'_>> for RowProbe<'_, '_, S> {
    type Hit = NoHit;

    fn probe(&self, entry: &Entry, document: &Document<'_>) -> Looked<NoHit> {
        let id = &*entry.name;
        let kept = self.head.show(id, document, |stat, shown, messages| {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(pair) = seen.joined.get_mut(id) {
                pair.unfolded = document.unfolded();
            }
            encode(&mut seen.bytes, id, shown, stat, messages)
        });
        match kept {
            Ok(Some(())) => Looked::Miss,
            // A header is never so long, by the limit on it; if it were, it could not be shown either.
            Ok(None) => {
                let (path, what) = (self.store.shared.path(id), "header bytes");
                let limit = u64::from(u32::MAX);
                Unusable::look(SkipReason::Failed(Error::TooLarge { path, what, limit }))
            }
            Err(error) => Unusable::look(SkipReason::Failed(error)),
        }
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
