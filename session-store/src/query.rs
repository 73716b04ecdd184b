//! What callers ask of the store's collections and what they get back. Plain values.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use session_model::{SessionId, SessionSummary};

use crate::order::{Nanos, Recency, nanos};
use crate::progress::Watch;
use crate::{Progress, Scope, Skipped, Tail, Window};

/// Which session [`find_last`](crate::SessionStore::find_last) looks for and how much of it is loaded.
///
/// The default is the newest of all, whole.
#[derive(Clone, Debug)]
#[must_use]
pub struct LastQuery {
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) scope: Scope,
    pub(crate) window: Window,
    pub(crate) watch: Watch,
}

impl Default for LastQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl LastQuery {
    /// Asks for the newest session of all, with every message.
    pub fn new() -> Self {
        Self {
            workspace: None,
            scope: Scope::Exact,
            window: Window::all(),
            watch: Watch::default(),
        }
    }

    /// Asks for sessions of one directory only.
    pub fn workspace(mut self, directory: impl AsRef<Path>) -> Self {
        self.workspace = Some(directory.as_ref().to_owned());
        self
    }

    /// Chooses what counts as that directory; without one there is nothing to choose.
    ///
    /// The index answers for [`Scope::Exact`] and [`Scope::All`]. For the others sessions are looked at, newest first,
    /// until the first that matches is certain.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Loads only this window of the session.
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Calls a function whenever a file was looked at, on whichever thread did that, one at a time; [`ControlFlow::Break`] ends the
    /// call with [`Error::Cancelled`](crate::Error::Cancelled).
    ///
    /// [`Progress::of`] counts every session there is: how many have to be looked at is known when the answer is. Nothing is called
    /// where the index proves the answer.
    pub fn on_progress(
        mut self,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.watch = Watch::new(observe);
        self
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The index named the session: proven to be the newest still, or because looking for a newer one found none.
    Index,
    /// The sessions themselves were looked at.
    Scan,
}

/// The answer to a [`LastQuery`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Found<S> {
    /// The newest session that matches and can be loaded.
    pub session: Option<Tail<S>>,
    /// What was looked at and could not be used, and the journal beside the session that was found, if it is another document's;
    /// empty unless something is wrong.
    ///
    /// With the index's proof nothing but the session itself is looked at. Sessions that could not be read stand against a
    /// proof, so they are reported each time.
    pub skipped: Vec<Skipped>,
    /// Where the answer came from.
    pub source: Source,
    /// How many sessions were listed; 0 where there are none, and where the index proved its answer and nothing was listed.
    pub files_listed: u64,
    /// Bytes of session files that were read, headers and window together.
    pub bytes_read: u64,
}

/// Whether a listing counts messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counts {
    /// Each row has its exact number of messages, which takes a pass over each listed document.
    #[default]
    Exact,
    /// Rows have no counts, and only heads (and tails, in the older layout) are read.
    Skip,
}

/// What a listing believes of the files that it has seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// A directory in which no name has changed holds what it held: nothing is asked about its files.
    ///
    /// A program that rewrites a file in place, or sets its time, without any file appearing, being replaced or going,
    /// is not noticed. No writer that can survive a crash does that.
    #[default]
    Directory,
    /// Every file's size, times and identity are asked for. Changes in place are noticed by the file's change time.
    EachFile,
}

/// Which sessions [`list`](crate::SessionStore::list) returns.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Query {
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) scope: Scope,
    pub(crate) title: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) since: Option<Nanos>,
    pub(crate) until: Option<Nanos>,
    pub(crate) limit: Option<usize>,
    pub(crate) after: Option<Cursor>,
    pub(crate) counts: Counts,
    pub(crate) freshness: Freshness,
    pub(crate) watch: Watch,
}

impl Query {
    /// Asks for every session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for sessions of one directory only.
    pub fn workspace(mut self, directory: impl AsRef<Path>) -> Self {
        self.workspace = Some(directory.as_ref().to_owned());
        self
    }

    /// Chooses what counts as that directory; without one there is nothing to choose.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Asks for sessions whose title contains a text, in whatever case; one without a title has none that does.
    pub fn title(mut self, contains: impl Into<String>) -> Self {
        self.title = Some(in_lower_case(&contains.into()));
        self
    }

    /// Asks for sessions of one agent, spelt as they spell it.
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// Asks for sessions whose place in the order is at this time or later.
    ///
    /// That is the earlier of `updated_at` and the file's own time, by which rows are ordered.
    pub fn since(mut self, time: DateTime<Utc>) -> Self {
        self.since = Some(nanos(time));
        self
    }

    /// Asks for sessions whose place in the order is before this time; see [`since`](Self::since).
    pub fn until(mut self, time: DateTime<Utc>) -> Self {
        self.until = Some(nanos(time));
        self
    }

    /// Returns at most `rows` rows.
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Continues after the last row of an earlier listing.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Chooses whether messages are counted.
    pub fn counts(mut self, counts: Counts) -> Self {
        self.counts = counts;
        self
    }

    /// Chooses what is believed of files that were seen before.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Calls a function whenever a file was looked at or counted, and each MiB while a long one is, on whichever thread did that,
    /// one at a time; [`ControlFlow::Break`] ends the call with [`Error::Cancelled`](crate::Error::Cancelled).
    ///
    /// Nothing is called where nothing has to be looked at.
    pub fn on_progress(
        mut self,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.watch = Watch::new(observe);
        self
    }
}

/// The answer to a [`Query`]: rows newest first.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    /// One row a session, newest first.
    pub rows: Vec<SessionSummary>,
    /// What is in the directory and could not be listed, and journals that are of other documents than those that are there, complete,
    /// in no order.
    pub skipped: Vec<Skipped>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

/// A place in a listing: the order triple of the last row.
///
/// Paging by it shows no row twice as long as none falls in the order meanwhile: a session that is saved moves to the front and may
/// be absent from later pages. One that was shown and then falls behind the cursor, because it is saved with an older `updated_at` or
/// restored from a backup, is shown once more.
/// Its text form can be kept and parsed again:
///
/// ```
/// use session_store::Cursor;
///
/// let text = "1767225600000000000:1767225600000000000:4f2a";
/// let cursor: Cursor = text.parse()?;
/// assert_eq!(cursor.to_string(), text);
/// # Ok::<(), session_store::InvalidCursor>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) Recency);

/// A text that is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse cursor: expected <nanoseconds>:<nanoseconds>:<session id>")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.at, self.0.updated, self.0.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().ok_or(InvalidCursor);
        let at = next()?.parse().map_err(|_| InvalidCursor)?;
        let updated = next()?.parse().map_err(|_| InvalidCursor)?;
        let id = SessionId::new(next()?).map_err(|_| InvalidCursor)?;
        Ok(Self(Recency { at, updated, id }))
    }
}

/// A text in lower case, one character for itself: the lower case of a part is a part of the lower case of the whole, which it is
/// not where a sigma is written as its neighbours ask for.
pub(crate) fn in_lower_case(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower
        .map(|letter| if letter == 'ς' { 'σ' } else { letter })
        .collect()
}
