//! What callers ask of a search and what they get back. Plain values.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use session_codec::Case;
use session_model::{Role, SessionId, SessionSummary};

use crate::progress::Watch;
use crate::{Progress, Scope};

pub(crate) mod file;
mod hits;
pub(crate) mod matcher;
pub(crate) mod opened;
pub(crate) mod queue;
mod snippet;

pub(crate) use hits::Run;
pub use hits::{Hits, Stopper};
#[cfg(feature = "regex")]
pub use matcher::InvalidPattern;
pub use snippet::Snippet;

/// Bytes of text shown before and after a match, unless told otherwise.
const CONTEXT: usize = 60;

/// Which strings of a session a search looks into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fields {
    /// Those that are text to a reader, as [`SessionRecord::is_text`](crate::SessionRecord::is_text) says: of a
    /// [`Session`](crate::Session) no ids, types, signatures or addresses of images.
    #[default]
    Text,
    /// Every string in a [searched](crate::SessionRecord::SEARCHED) member that is not a member's name.
    All,
}

/// What [`search`](crate::SessionStore::search) looks for, and where.
///
/// ```
/// use session_store::{Case, SearchQuery};
///
/// let query = SearchQuery::text("out of memory").case(Case::AsciiInsensitive).per_session(1).limit(20);
/// # let _ = query;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SearchQuery {
    pub(crate) what: What,
    pub(crate) case: Case,
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) scope: Scope,
    pub(crate) watch: Watch,
    pub(crate) limit: Option<usize>,
    pub(crate) per_session: Option<usize>,
    pub(crate) fields: Fields,
    pub(crate) context: usize,
}

/// The pattern of a search.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Text(String),
    #[cfg(feature = "regex")]
    Regex(regex::Regex),
}

impl SearchQuery {
    /// Looks for a text. An empty one is found nowhere.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(What::Text(text.into()))
    }

    /// Looks for a regular expression, in the syntax of the crate `regex`, in each text on its own: `^` and `$` are the
    /// ends of a text. Matches of no length do not count.
    ///
    /// # Errors
    ///
    /// [`InvalidPattern`] for a pattern that is none, or one that would take too much memory.
    #[cfg(feature = "regex")]
    pub fn regex(pattern: &str) -> Result<Self, InvalidPattern> {
        let regex = regex::Regex::new(pattern).map_err(|error| InvalidPattern::new(&error))?;
        Ok(Self::new(What::Regex(regex)))
    }

    fn new(what: What) -> Self {
        Self {
            what,
            case: Case::Sensitive,
            workspace: None,
            scope: Scope::Exact,
            watch: Watch::default(),
            limit: None,
            per_session: None,
            fields: Fields::Text,
            context: CONTEXT,
        }
    }

    /// Chooses which letters of a text are the same. A regular expression says so itself: `(?i)`.
    pub fn case(mut self, case: Case) -> Self {
        self.case = case;
        self
    }

    /// Searches sessions of one directory only.
    pub fn workspace(mut self, directory: impl AsRef<Path>) -> Self {
        self.workspace = Some(directory.as_ref().to_owned());
        self
    }

    /// Chooses what counts as that directory; without one there is nothing to choose.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Calls a function, from the threads that search, one at a time, whenever a header was looked at or a session searched, and at
    /// the end.
    /// [`ControlFlow::Break`] stops the search as a [`Stopper`] does: hits that were not taken yet are gone.
    pub fn on_progress(
        mut self,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.watch = Watch::new(observe);
        self
    }

    /// Gives at most this many hits.
    pub fn limit(mut self, hits: usize) -> Self {
        self.limit = Some(hits);
        self
    }

    /// Gives at most this many hits of each session, the first ones in it.
    pub fn per_session(mut self, hits: usize) -> Self {
        self.per_session = Some(hits);
        self
    }

    /// Chooses which strings are looked into.
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = fields;
        self
    }

    /// Shows this many bytes of text before and after a match, less where a character would be cut; 60 unless told.
    pub fn context(mut self, bytes: usize) -> Self {
        self.context = bytes;
        self
    }

    /// The most hits that are wanted of one session.
    pub(crate) fn most_of_one(&self) -> usize {
        let limit = self.limit.unwrap_or(usize::MAX);
        self.per_session.unwrap_or(usize::MAX).min(limit)
    }
}

/// One text that matches.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The session, without a count of messages.
    pub session: Arc<SessionSummary>,
    /// The member of the document that the text is in, such as `messages`.
    pub member: String,
    /// Which element of that member, counted from 0, if it is an array.
    pub element: Option<u64>,
    /// Who says it: the element's own member `role`.
    pub role: Option<Role>,
    /// The way from the element, or from a member that is no array, to the text: `content[0].text`. Empty if it is the
    /// text itself.
    pub path: String,
    /// How many times the text matches, not counting overlaps.
    pub matches: u64,
    /// The first match and what stands around it.
    pub snippet: Snippet,
}

impl Hit {
    /// The id of the session.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.session.id
    }

    /// Where the first match is in the decoded text, in bytes, as far as the snippet shows it.
    #[must_use]
    pub fn first(&self) -> Range<u64> {
        self.snippet.first()
    }
}

impl fmt::Debug for Hit {
    /// Tells where it is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit")
            .field("session", &self.session.id)
            .field("member", &self.member)
            .field("element", &self.element)
            .field("path", &self.path)
            .field("matches", &self.matches)
            .finish_non_exhaustive()
    }
}
