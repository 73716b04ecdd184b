//! The search of one session: a cheap look at its bytes, and the texts that it suspects decoded; of its journal, too.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use session_codec::{Codec, Place, Spelled, Step};
use session_model::{Role, SessionRecord, SessionSummary};
use session_scan::{Entry, SearchBuffer, Sieve, Sifted};

use super::hits::Run;
use super::matcher::{Cursor, Matcher};
use super::queue::Filling;
use super::{Fields, Hit, SearchQuery};
use crate::corpus::{Document, Documents};
use crate::failure::from_codec;
use crate::order::system_time;
use crate::probe::Candidate;
use crate::store::Shared;
use crate::{DefaultParser, Error};
use added::Added;
use place::{role_of, spell};

mod added;
mod long;
mod place;

/// Hits handed over at once.
const CHUNK: usize = 32;

/// What all workers of a search have in common.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) documents: &'a Documents<'a>,
    pub(crate) query: &'a SearchQuery,
    pub(crate) matcher: &'a Matcher,
    pub(crate) run: &'a Run,
}

/// One worker: its buffers, kept from session to session.
#[derive(Debug)]
pub(crate) struct Worker<'a, S> {
    plan: &'a Plan<'a>,
    buffer: SearchBuffer,
    span: Vec<u8>,
    record: PhantomData<fn() -> S>,
}

impl<'a, S: SessionRecord> Worker<'a, S> {
    pub(crate) fn new(plan: &'a Plan<'a>) -> Self {
        Self {
            plan,
            buffer: SearchBuffer::new(),
            span: Vec::new(),
            record: PhantomData,
        }
    }

    /// Searches one session into a lane: the document that is `open`, or else the one that has its name. A session that is
    /// gone has no hits.
    ///
    /// # Errors
    ///
    /// The first fault that was met. What could be told apart was searched all the same.
    pub(crate) fn search(
        &mut self,
        entry: &Entry,
        candidate: &Candidate,
        open: Option<Arc<Document<'_>>>,
        lane: &Filling<'_, Vec<Hit>>,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let id = &candidate.recency.id;
        let document = match open {
            Some(open) => open,
            None => match plan.documents.document(id)? {
                Some(document) => Arc::new(document),
                None => return Ok(()),
            },
        };
        let sifted = Sieve::new(plan.matcher).look(
            &plan.documents,
            &document,
            entry.size,
            &mut self.buffer,
            || plan.run.queue.go_on(),
        );
        let sifted = sifted.map_err(|source| Error::io("read", &plan.shared.path(id), source))?;
        let mut found = self.found(entry, candidate, lane);
        if let Some(overlay) = document.overlay() {
            match found.added(&document, overlay) {
                Ok(added) => found.added = Some(added),
                Err(error) => return Err(found.broken(error)),
            }
        }
        let walked = match sifted {
            Sifted::Held(first) => found.held(self.buffer.held(), first),
            Sifted::Candidate(first) => found.long(&document, first, &mut self.span),
            _ => Ok(()),
        };
        if found.left > 0 {
            found.rest_of_added();
        }
        found.finish(walked)
    }

    fn found<'f>(
        &self,
        entry: &'f Entry,
        candidate: &'f Candidate,
        lane: &'f Filling<'f, Vec<Hit>>,
    ) -> Found<'f, S>
    where
        'a: 'f,
    {
        Found {
            plan: self.plan,
            entry,
            candidate,
            lane,
            session: None,
            chunk: Vec::new(),
            left: self.plan.query.most_of_one(),
            fault: None,
            added: None,
            is_added: false,
            record: PhantomData,
        }
    }
}

/// The hits of one session so far.
struct Found<'a, S> {
    plan: &'a Plan<'a>,
    entry: &'a Entry,
    candidate: &'a Candidate,
    lane: &'a Filling<'a, Vec<Hit>>,
    session: Option<Arc<SessionSummary>>,
    chunk: Vec<Hit>,
    left: usize,
    fault: Option<Error>,
    /// What the session's journal adds to the document, and is not searched yet.
    added: Option<Added<'a>>,
    /// Whether that is what is being searched.
    is_added: bool,
    record: PhantomData<fn() -> S>,
}

impl<S: SessionRecord> Found<'_, S> {
    /// Hands over what is left, and says what went wrong first.
    fn finish(mut self, walked: Result<(), Error>) -> Result<(), Error> {
        // Nobody is there to take them if this breaks.
        let _ = self.flush();
        self.fault.map_or(walked, Err)
    }

    fn codec(&self) -> &Codec<DefaultParser> {
        &self.plan.shared.codec
    }

    /// Searches a document that is in memory, which has no candidate before `first`.
    fn held(&mut self, json: &[u8], first: u64) -> Result<(), Error> {
        let plan = self.plan;
        let mut cursor = plan.matcher.cursor(json, first);
        let walked = plan.shared.codec.elements_in(json, S::SEARCHED, |place| {
            let range = local(&place.range, 0);
            match cursor.next_from(range.start) {
                Some(at) if at < range.end => {}
                Some(_) => return ControlFlow::Continue(()),
                None => return ControlFlow::Break(()),
            }
            self.own(&place, range, &mut cursor)
        });
        walked.map_err(|error| self.broken(error))
    }

    /// Searches the texts of one value, which is this range of what the cursor looks into: so no byte is passed over
    /// twice, and the candidate that led here is not looked for again.
    fn value(
        &mut self,
        place: &Place<'_>,
        range: Range<usize>,
        cursor: &mut Cursor<'_>,
    ) -> ControlFlow<()> {
        self.plan.run.queue.go_on()?;
        let base = range.start;
        let Some(json) = cursor.json().get(range) else {
            return ControlFlow::Break(());
        };
        let role = OnceCell::new();
        let mut wanted = ControlFlow::Continue(());
        let codec = &self.plan.shared.codec;
        let walked = codec.strings(json, |path, string| {
            let from = base + string.offset();
            match cursor.next_from(from) {
                Some(at) if at <= from + string.raw().len() => {
                    wanted = self.string(place, json, path, string, &role);
                    wanted
                }
                Some(at) if at < base + json.len() => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        if let Err(error) = walked {
            self.fail_at(place.range.start, &error);
        }
        wanted
    }

    fn string(
        &mut self,
        place: &Place<'_>,
        json: &[u8],
        path: &[Step<'_>],
        string: Spelled<'_>,
        role: &OnceCell<Option<Role>>,
    ) -> ControlFlow<()> {
        let plan = self.plan;
        if !self.is_text(place.member, path) {
            return ControlFlow::Continue(());
        }
        let text = match string.decode() {
            Ok(text) => text,
            Err(error) => {
                self.fail_at(place.range.start, &error);
                return ControlFlow::Continue(());
            }
        };
        let Some((matches, snippet)) = plan.matcher.matches(&text, plan.query.context) else {
            return ControlFlow::Continue(());
        };
        if self.left == 0 {
            return ControlFlow::Break(());
        }
        let element = place.element;
        let role = role.get_or_init(|| element.and_then(|_| role_of(self.codec(), json)));
        let hit = Hit {
            role: role.clone(),
            session: self.summary(),
            member: place.member.to_owned(),
            element,
            path: spell(path),
            matches,
            snippet,
        };
        self.chunk.push(hit);
        self.left -= 1;
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        if self.left == 0 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn is_text(&self, member: &str, path: &[Step<'_>]) -> bool {
        if self.plan.query.fields == Fields::All {
            return true;
        }
        let names = path.iter().filter_map(|step| match step {
            Step::Member(name) => Some(&**name),
            Step::Element(_) => None,
        });
        let names: Vec<&str> = std::iter::once(member).chain(names).collect();
        S::is_text(&names)
    }

    fn summary(&mut self) -> Arc<SessionSummary> {
        let (entry, candidate) = (self.entry, self.candidate);
        let make = || {
            Arc::new(SessionSummary::new(
                candidate.recency.id.clone(),
                candidate.header.clone(),
                entry.size,
                system_time(entry.modified),
            ))
        };
        Arc::clone(self.session.get_or_insert_with(make))
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.chunk.is_empty() {
            return ControlFlow::Continue(());
        }
        self.lane.push(std::mem::take(&mut self.chunk))
    }

    fn broken(&self, error: session_codec::Error) -> Error {
        from_codec(
            "read",
            &self.plan.shared.path(&self.candidate.recency.id),
            error,
        )
    }

    /// Remembers a fault inside a value that starts at `base`.
    fn fail_at(&mut self, base: u64, error: &session_codec::Error) {
        // What a journal adds has no place in the document.
        let offset = error.offset().filter(|_| !self.is_added);
        let offset = offset.map(|offset| base + offset);
        let reason = if error.is_limit() {
            "nested too deeply"
        } else {
            "not a valid string"
        };
        self.fail(Error::Corrupt {
            path: self.plan.shared.path(&self.candidate.recency.id),
            offset,
            reason: reason.to_owned(),
        });
    }

    fn fail(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }
}

/// A range of the document in a stretch of it.
fn local(range: &Range<u64>, base: u64) -> Range<usize> {
    let at = |offset: u64| usize::try_from(offset - base).unwrap_or(usize::MAX);
    at(range.start)..at(range.end)
}
