//! The look at one session file: its header, its place in the order, and whether it is of the asked workspace.

use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use session_codec::{CountBuffer, HeaderSpec, ReadAt as _, TailCap, key_spellings};
use session_model::{SessionHeader, SessionId, SessionRecord};
use session_scan::{Entry, Look, Probe, Ranked, SearchBuffer, Searcher};

use crate::append::UPDATED_AT;
use crate::backend::BlobStat;
use crate::catalogue::Shown;
use crate::corpus::{Document, Documents, Unfolded, entry};
use crate::failure::{from_codec, from_header};
use crate::order::{Nanos, Recency};
use crate::skipped::Unusable;
use crate::store::{Met, Shared};
use crate::workspace::{Belongs, Workspace};
use crate::{Error, SkipReason};

mod glance;
mod head;

use glance::Elsewhere;
use head::{HEAD, Headed};

/// A quick look nests no deeper than this, so a store with a lower limit cannot use it.
const DEPTH: u32 = 66;
/// Where the member that holds the directory stands in [`shown`].
const PLACE: usize = 4;

/// A session whose header was read.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) recency: Recency,
    pub(crate) header: SessionHeader,
    /// What stands in the place of its journal.
    pub(crate) unfolded: Option<Unfolded>,
}

impl Candidate {
    /// Whether the journal of another document is beside it.
    pub(crate) fn is_displaced(&self) -> bool {
        self.unfolded == Some(Unfolded::Displaced)
    }
}

/// A session that was looked at outside a walk, as it was then, and its document.
pub(crate) type Looked<'d> = (Entry, Look<Candidate>, Document<'d>);

impl Ranked for Candidate {
    type Rank = Recency;

    fn rank(&self) -> Recency {
        self.recency.clone()
    }

    fn at(&self) -> Nanos {
        self.recency.at
    }
}

/// The members that decide a session's name, order and workspace.
pub(crate) fn deciding<S: SessionRecord>() -> [&'static str; 3] {
    [
        "id",
        UPDATED_AT,
        S::DIRECTORY.first().copied().unwrap_or("metadata"),
    ]
}

/// The members that a listing shows.
pub(crate) fn shown<S: SessionRecord>() -> [&'static str; 6] {
    let [id, updated_at, directory] = deciding::<S>();
    [id, "title", "created_at", updated_at, directory, "agent"]
}

/// Reads headers of `S` and compares their directories.
#[derive(Debug)]
pub(crate) struct HeadProbe<'p, S> {
    shared: &'p Shared,
    documents: &'p Documents<'p>,
    workspace: Option<&'p Workspace<'p>>,
    reach: Reach,
    met: Option<&'p Met>,
    counts: bool,
    shows: bool,
    /// What no look counts with at the moment; there are as many as looks at once.
    buffers: Mutex<Vec<CountBuffer>>,
    elsewhere: Elsewhere,
    record: PhantomData<fn() -> S>,
}

/// How far a probe goes for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Until the answer is exact, whatever it takes.
    Exact,
    /// A bounded look at head and tail, and no question to the file system about directories: for use under a lock.
    Bounded,
}

impl<'p, S: SessionRecord> HeadProbe<'p, S> {
    pub(crate) fn new(
        shared: &'p Shared,
        documents: &'p Documents<'p>,
        workspace: Option<&'p Workspace<'p>>,
    ) -> Self {
        Self {
            shared,
            documents,
            workspace,
            reach: Reach::Exact,
            met: None,
            counts: false,
            shows: false,
            buffers: Mutex::default(),
            elsewhere: Elsewhere::default(),
            record: PhantomData,
        }
    }

    /// Gives up exactness for a bound on what a look costs: members in the middle of a long document are not found,
    /// and directories are compared as they are written and as they were resolved before; one of which that does not
    /// tell whether it is the one that is looked for is unusable, not elsewhere.
    pub(crate) fn bounded(self) -> Self {
        Self {
            reach: Reach::Bounded,
            ..self
        }
    }

    /// Takes note of the newest session of every directory that it comes across, whichever is asked for.
    pub(crate) fn noting(self, met: &'p Met) -> Self {
        Self {
            met: Some(met),
            ..self
        }
    }

    /// Looks up the number of messages where a footer says it, while the document is open.
    pub(crate) fn counting(self, counts: bool) -> Self {
        Self { counts, ..self }
    }

    /// Finds title and agent wherever they stand, as it does the members that decide: rows are chosen by them. The time of
    /// creation is only shown, and not worth reading a document whole that has none.
    pub(crate) fn showing(self) -> Self {
        Self {
            shows: true,
            ..self
        }
    }

    /// Whether a quick look may stand for an exact one.
    fn may_glance(&self) -> bool {
        self.shared.limits.depth_levels() >= DEPTH
    }

    /// Looks at a session outside a walk, such as the one that an index names; `None` where it is gone. The document that
    /// was looked into stays open, for whoever wants more of it.
    pub(crate) fn look<'d>(
        &self,
        documents: &'d Documents<'_>,
        id: &SessionId,
    ) -> Result<Option<Looked<'d>>, Error> {
        let Some(document) = documents.document(id)? else {
            return Ok(None);
        };
        let stat = document
            .stat()
            .map_err(|source| Error::io("stat", &self.shared.path(id), source))?;
        let stat = document.placed(stat);
        let look = self.judge(id, &stat, &document);
        Ok(Some((entry(id, &stat), look, document)))
    }

    /// Reads the header of one session, document and journal as one.
    pub(crate) fn header(&self, id: &str, document: &Document<'_>) -> Result<SessionHeader, Error> {
        let path = self.shared.path(id);
        let size = document.size();
        let size = size.map_err(|source| Error::io("stat", &path, source))?;
        self.header_of(id, &Headed::read(document, size, &mut [0; HEAD]))
    }

    fn header_of(&self, id: &str, open: &Headed<'_>) -> Result<SessionHeader, Error> {
        match self.shown_at_once(id, open) {
            Some(shown) => Ok(shown.into_header(id)),
            None => self.exact_header(id, open),
        }
    }

    /// What a quick look at the head shows of a header, which is enough for nearly every file of ours.
    fn shown_at_once<'d>(&self, id: &str, open: &Headed<'d>) -> Option<Shown<'d>> {
        let is_alone = open.document.overlay().is_none();
        (is_alone && self.may_glance())
            .then(|| open.shown::<S>(id))
            .flatten()
    }

    /// Reads a header of which a quick look does not show enough.
    fn exact_header(&self, id: &str, open: &Headed<'_>) -> Result<SessionHeader, Error> {
        let document = open.document;
        let Some(overlay) = document.overlay() else {
            return self.own_header(id, open);
        };
        let path = self.shared.path(id);
        // The journal knows what the document's members were, and what became of them.
        let failed = |error| from_codec("read", &path, error);
        let json = if let Some(kept) = overlay.kept(S::CAPPED) {
            kept.to_vec()
        } else {
            let none = TailCap::all(S::CAPPED, 0);
            let kept = self.shared.codec.prune(document, &none);
            kept.map_err(failed)?.json
        };
        let mut now = Vec::new();
        let members = overlay.members(|_| true);
        let amended = self
            .shared
            .plain_codec
            .amend(json.as_slice(), &members, &mut now);
        amended.map_err(failed)?;
        let header =
            SessionHeader::parse(&now, S::DIRECTORY).map_err(|error| from_header(&path, &error))?;
        match header.id.as_deref() {
            Some(named) if named == id => Ok(header),
            _ => Err(Error::misnamed(&path)),
        }
    }

    /// Reads the header of one open document that has no journal, in steps that each cost more than the one before.
    ///
    /// A bounded look at head and tail shows the wanted members of nearly every file. Where one of them is not there, a substring
    /// search for that key settles cheaply that the file does not have it at all; only a file that may have it is walked from end
    /// to end.
    fn own_header(&self, id: &str, open: &Headed<'_>) -> Result<SessionHeader, Error> {
        let path = self.shared.path(id);
        let read = |needed: &[&str]| {
            self.shared
                .header_codec
                .header(open, &HeaderSpec::new(&shown::<S>(), needed, S::CAPPED))
                .map_err(|error| from_codec("read", &path, error))
        };
        let mut text = read(&[])?;
        let also: &[&str] = if self.shows { &["title", "agent"] } else { &[] };
        let unsettled: Vec<&str> = deciding::<S>()
            .into_iter()
            .chain(also.iter().copied())
            .filter(|name| text.missing.iter().any(|missing| missing == name))
            .collect();
        if !unsettled.is_empty() && self.reach == Reach::Exact {
            let keys = Searcher::new(unsettled.iter().copied().flat_map(key_spellings));
            let key = keys.contains_any(&self.documents, open.document, &mut SearchBuffer::new());
            let key = key.map_err(|source| Error::io("read", &path, source))?;
            if key.is_some() {
                text = read(&unsettled)?;
            }
        }
        let header = SessionHeader::parse(&text.json, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?;
        match header.id.as_deref() {
            Some(named) if named == id => Ok(header),
            _ => Err(Error::misnamed(&path)),
        }
    }

    /// Reads the header of an open document, and says whether it is one that is looked for.
    fn judge(&self, id: &str, stat: &BlobStat, document: &Document<'_>) -> Look<Candidate> {
        let mut head = [0; HEAD];
        let open = Headed::read(document, stat.size, &mut head);
        let header = match self.header_of(id, &open) {
            Ok(header) => header,
            Err(error) => return Unusable::look(SkipReason::Failed(error)),
        };
        let id = match SessionId::new(id) {
            Ok(id) => id,
            Err(error) => return Unusable::look(SkipReason::Failed(error.into())),
        };
        let recency = Recency::new(id, header.updated_at, stat.modified);
        if let (Some(met), Some(directory)) = (self.met, &header.directory) {
            met.note(directory, &recency);
        }
        let belongs = self.workspace.map_or(Belongs::Yes, |workspace| {
            let stored = header.directory.as_deref();
            match self.reach {
                Reach::Exact => workspace.belongs(stored),
                Reach::Bounded => workspace.is_known_to_hold(stored),
            }
        });
        match belongs {
            Belongs::No => return Look::Miss,
            Belongs::Unknown => {
                let directory = header.directory.unwrap_or_default();
                return Unusable::look(SkipReason::Unresolved { directory });
            }
            Belongs::Yes => {}
        }
        Look::Hit(Candidate {
            recency,
            header,
            unfolded: document.unfolded(),
        })
    }

    /// Shows a listed session to `take`: the stat of its document before that was read, changed when its journal was if that is
    /// later; what its header says; and the number of messages, where it was [asked for](HeadProbe::counting) and a footer says
    /// it, or a journal does.
    pub(crate) fn show<T>(
        &self,
        id: &str,
        document: &Document<'_>,
        take: impl FnOnce(&BlobStat, &Shown<'_>, Option<u64>) -> T,
    ) -> Result<T, Error> {
        let stat = document.placed(document.confirm(|| self.shared.path(id))?);
        let mut head = [0; HEAD];
        let open = Headed::read(document, stat.size, &mut head);
        let header;
        let shown = if let Some(shown) = self.shown_at_once(id, &open) {
            shown
        } else {
            header = self.exact_header(id, &open)?;
            Shown::from(&header)
        };
        let messages = match (S::CAPPED.first(), document.overlay()) {
            (Some(array), Some(overlay)) => overlay.total(array),
            (Some(array), None) if self.counts => self.marked(array, &open),
            _ => None,
        };
        Ok(take(&stat, &shown, messages))
    }

    /// The number of elements of an array, if a footer says it. What cannot be read here is met again where it is missed.
    fn marked(&self, array: &str, open: &Headed<'_>) -> Option<u64> {
        let buffers = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = buffers().pop().unwrap_or_default();
        let codec = &self.shared.codec;
        let count = match codec.count_marked(open, &[array], &mut buffer) {
            Ok(Some(&[count])) => count,
            _ => None,
        };
        buffers().push(buffer);
        count
    }
}

impl<S: SessionRecord> Probe<Document<'_>> for HeadProbe<'_, S> {
    type Hit = Candidate;

    fn probe(&self, entry: &Entry, document: &Document<'_>) -> Look<Candidate> {
        if self.is_elsewhere(entry, document) {
            return Look::Miss;
        }
        let stat = match document.confirm(|| self.shared.path(&entry.name)) {
            Ok(stat) => document.placed(stat),
            Err(error) => return Unusable::look(SkipReason::Failed(error)),
        };
        // What was listed may have been replaced before it was opened; then its place is not that of what is read. What is
        // written into it later is newer than its stamp here, and found out by the next look.
        self.judge(&entry.name, &stat, document)
    }
}
