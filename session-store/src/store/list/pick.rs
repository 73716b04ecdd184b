//! Choosing the rows of a page out of all rows in order.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

use session_model::{SessionId, SessionRecord, SessionSummary};

use super::Call;
use super::count::Counting;
use super::look::Seen;
use crate::catalogue::Row;
use crate::corpus::Unfolded;
use crate::order::{Nanos, Recency};
use crate::query::in_lower_case;
use crate::skipped::Skipped;
use crate::store::SessionStore;
use crate::workspace::Belongs;
use crate::{Counts, Cursor, Error, Listing, Query, SkipReason};

/// Rows for which room is made at once; a catalogue may be wrong about how many it has.
const MOST_AT_ONCE: usize = 1 << 16;

/// What was found out before the rows of a page are taken.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// What was counted, by session.
    pub(super) counts: HashMap<String, Count>,
    /// What is known of each directory that a row named.
    pub(super) belongs: HashMap<Vec<u8>, Belongs>,
}

/// Whether more rows can make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    More,
    Done,
}

/// Numbers of messages that were counted for this page, by session.
pub(super) type Counted = HashMap<String, u64>;

/// What came of counting one session's messages: their number, and whether it is that of the row's own file.
pub(super) type Count = Result<(Option<u64>, bool), Error>;

/// Takes rows, newest first, and keeps those that a query asks for.
pub(super) struct Pick<'c, S: SessionRecord> {
    store: &'c SessionStore<S>,
    call: &'c Call<'c>,
    /// What was found in files, which is where all sessions with a journal are found.
    seen: &'c Seen,
    rows: Vec<SessionSummary>,
    /// How many rows were listed, or would have been.
    shown: usize,
    /// Whether rows are only told apart, and not listed.
    is_trial: bool,
    /// What was counted before.
    ahead: HashMap<String, Count>,
    skipped: Vec<Skipped>,
    /// The place of the last row that was taken, and its id if it is not that of the last one listed.
    last: Option<(Nanos, Nanos, Option<SessionId>)>,
    /// Whether there is a row beyond the page.
    has_more: bool,
    counted: Counted,
    /// What counts those, once there is one.
    counting: Option<Counting>,
    /// What is known of each directory that a row named.
    belongs: HashMap<Vec<u8>, Belongs>,
}

impl<'c, S: SessionRecord> Pick<'c, S> {
    pub(super) fn new(store: &'c SessionStore<S>, call: &'c Call<'c>, seen: &'c Seen) -> Self {
        Self {
            store,
            call,
            seen,
            rows: Vec::new(),
            shown: 0,
            is_trial: false,
            ahead: HashMap::new(),
            skipped: Vec::new(),
            last: None,
            has_more: false,
            counted: Counted::new(),
            counting: None,
            belongs: HashMap::new(),
        }
    }

    /// Only finds out which rows would be listed.
    pub(super) fn trial(store: &'c SessionStore<S>, call: &'c Call<'c>, seen: &'c Seen) -> Self {
        Self {
            is_trial: true,
            ..Self::new(store, call, seen)
        }
    }

    /// How many rows were listed, or would have been.
    pub(super) fn shown(&self) -> usize {
        self.shown
    }

    /// Takes what was counted before, and what the trial for that learnt of directories.
    pub(super) fn ahead(&mut self, ahead: Ahead) {
        (self.ahead, self.belongs) = (ahead.counts, ahead.belongs);
    }

    /// Gives what a trial learnt of directories, so that none is asked about twice.
    pub(super) fn into_belongs(self) -> HashMap<Vec<u8>, Belongs> {
        self.belongs
    }

    /// Makes room for so many rows, which is how many there will be where nothing is left out.
    pub(super) fn expect(&mut self, rows: u64) {
        if self.call.workspace.is_none() {
            let limit = self.call.query.limit.unwrap_or(MOST_AT_ONCE);
            let rows = usize::try_from(rows).unwrap_or(MOST_AT_ONCE);
            self.rows.reserve(rows.min(limit).min(MOST_AT_ONCE));
        }
    }

    /// Takes the next row in order.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<Step, Error> {
        let query = self.call.query;
        if query.since.is_some_and(|since| row.at < since) {
            return Ok(Step::Done);
        }
        if !shows(query, row) {
            return Ok(Step::More);
        }
        match self.belongs(row) {
            Belongs::Yes => {}
            Belongs::No => return Ok(Step::More),
            Belongs::Unknown => {
                let directory = row.directory().unwrap_or("".as_ref()).to_owned();
                let reason = SkipReason::Unresolved { directory };
                self.skipped.push(Skipped::session(row.id, reason));
                return Ok(Step::More);
            }
        }
        let is_after = |Cursor(last): &Cursor| row.key() < (last.at, last.updated, &*last.id);
        if self.has_more || !query.after.as_ref().is_none_or(is_after) {
            return Ok(Step::More);
        }
        if query.limit.is_some_and(|limit| self.shown >= limit) {
            self.has_more = true;
            // A workspace's rows are all looked at, as `skipped` is to be the same on every page.
            return Ok(match self.call.workspace {
                Some(_) => Step::More,
                None => Step::Done,
            });
        }
        self.show(row)?;
        Ok(Step::More)
    }

    fn show(&mut self, row: &Row<'_>) -> Result<(), Error> {
        if self.is_trial {
            self.shown += 1;
            return Ok(());
        }
        let id = match SessionId::new(row.id) {
            Ok(id) => id,
            Err(error) => {
                self.skipped.push(Skipped::failed(row.id, error.into()));
                return Ok(());
            }
        };
        let messages = match (self.call.query.counts, row.messages) {
            (Counts::Skip, _) => Ok(None),
            (Counts::Exact, Some(messages)) => Ok(Some(messages)),
            (Counts::Exact, None) => self.count(&id, row)?,
        };
        let unlisted = match messages {
            Ok(messages) => {
                let unfolded = self.seen.joined.get(&id).and_then(|pair| pair.unfolded);
                let mut summary = row.summary(id, messages);
                if let Some(Unfolded::Bytes(bytes)) = unfolded {
                    summary.unfolded = bytes;
                }
                self.rows.push(summary);
                self.shown += 1;
                None
            }
            // One that cannot be read hides no other.
            Err(error) => {
                if !error.is_not_found() {
                    self.skipped.push(Skipped::failed(&id, error));
                }
                Some(id)
            }
        };
        self.last = Some((row.at, row.updated, unlisted));
        Ok(())
    }

    /// Asks each directory once, however many sessions it has.
    fn belongs(&mut self, row: &Row<'_>) -> Belongs {
        let Some(workspace) = self.call.workspace else {
            return Belongs::Yes;
        };
        let directory = row.directory();
        let bytes = directory.map_or(&[][..], |path| path.as_os_str().as_bytes());
        if let Some(known) = self.belongs.get(bytes).filter(|_| directory.is_some()) {
            return *known;
        }
        let belongs = workspace.belongs(directory);
        if directory.is_some() {
            self.belongs.insert(bytes.to_owned(), belongs);
        }
        belongs
    }

    /// Counts a row's messages, unless that was done before, and keeps their number if it is that of the row's own file.
    fn count(
        &mut self,
        id: &SessionId,
        row: &Row<'_>,
    ) -> Result<Result<Option<u64>, Error>, Error> {
        let counted = if let Some(counted) = self.ahead.remove(row.id) {
            counted
        } else {
            let codec = &self.store.shared.codec;
            let counting = self.counting.get_or_insert_with(|| Counting::alone(codec));
            let counted = self
                .store
                .count_messages(self.call, self.seen, (id, row), counting);
            let bytes_read = self.call.documents.bytes_read();
            self.call.course.step(1, bytes_read)?;
            counted
        };
        Ok(counted.map(|(messages, is_of_row)| {
            if let Some(messages) = messages.filter(|_| is_of_row) {
                self.counted.insert(row.id.to_owned(), messages);
            }
            messages
        }))
    }

    /// Gives the page, and what was counted for it.
    pub(super) fn finish(self) -> (Listing, Counted) {
        let next = match self.call.query.limit {
            // Nothing was taken, so that the next page begins where this one did.
            Some(0) => self.call.query.after.clone(),
            _ => self
                .last
                .filter(|_| self.has_more)
                .and_then(|(at, updated, id)| {
                    let id = id.or_else(|| Some(self.rows.last()?.id.clone()))?;
                    Some(Cursor(Recency { at, updated, id }))
                }),
        };
        let listing = Listing {
            rows: self.rows,
            skipped: self.skipped,
            next,
        };
        (listing, self.counted)
    }
}

/// Whether a query asks for a row, as far as the row itself says.
pub(super) fn shows(query: &Query, row: &Row<'_>) -> bool {
    let agent = |asked: &String| row.agent == Some(asked);
    let title = |asked: &String| {
        row.title
            .is_some_and(|title| in_lower_case(title).contains(asked))
    };
    query.until.is_none_or(|until| row.at < until)
        && query.agent.as_ref().is_none_or(agent)
        && query.title.as_ref().is_none_or(title)
}
