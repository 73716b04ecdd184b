//! The newest session of a directory, or of all.

use std::ops::ControlFlow;
use std::path::Path;

use session_index::Rule;
use session_model::{SessionId, SessionRecord};
use session_scan::{Look, Newest};

use super::SessionStore;
use super::recall::{Met, Proven, Told, Walked};
use crate::backend::{Area, RejectReason};
use crate::corpus::{Document, Documents};
use crate::order::Recency;
use crate::probe::{Candidate, HeadProbe};
use crate::progress::{Course, Watch};
use crate::resolve::Resolver;
use crate::skipped::Skipped;
use crate::trace::{event, span};
use crate::workspace::Workspace;
use crate::{Error, Found, LastQuery, Scope, Source, Tail, Window};

/// What a search for the newest session came to.
struct Newer<T> {
    loaded: Option<T>,
    skipped: Vec<Skipped>,
    source: Source,
    /// How many files were listed; none where the index's word was enough.
    listed: u64,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Loads the newest session of a directory, whole; `None` as directory asks for the newest of all.
    ///
    /// The answer is never older than the one that reading every file would give: either the index proves that nothing
    /// has become newer since it was written, or its word is a hint, compared with every file that could be newer. "Newest" and "same directory" are defined in `docs/format.md`.
    /// A session that cannot be loaded is passed over; [`find_last`](SessionStore::find_last) says which and why.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read. No sessions is `Ok(None)`.
    pub fn last_for_directory(&self, directory: Option<&Path>) -> Result<Option<S>, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let (asked, unwatched) = ((directory, Scope::Exact), Watch::default());
        let found = self.newest(&documents, asked, &unwatched, |id, open| {
            self.load_from(&documents, id, open)
        })?;
        Ok(found.loaded)
    }

    /// Loads the end of the newest session of a directory; `None` as directory asks for the newest of all.
    ///
    /// # Errors
    ///
    /// As for [`last_for_directory`](SessionStore::last_for_directory).
    pub fn last_for_directory_tail(
        &self,
        directory: Option<&Path>,
        window: Window,
    ) -> Result<Option<Tail<S>>, Error> {
        let documents = self.windows(window);
        let (asked, unwatched) = ((directory, Scope::Exact), Watch::default());
        let found = self.newest(&documents, asked, &unwatched, |id, open| {
            self.load_tail_from(&documents, id, window, open)
        })?;
        Ok(found.loaded)
    }

    /// Loads the newest session of all.
    ///
    /// # Errors
    ///
    /// As for [`last_for_directory`](SessionStore::last_for_directory).
    pub fn last(&self) -> Result<Option<S>, Error> {
        self.last_for_directory(None)
    }

    /// Finds the newest session that matches, and says what it cost and what was passed over.
    ///
    /// # Errors
    ///
    /// As for [`last_for_directory`](SessionStore::last_for_directory); [`Error::Cancelled`] when the query's own function ends
    /// the call.
    pub fn find_last(&self, query: &LastQuery) -> Result<Found<S>, Error> {
        let documents = self.windows(query.window);
        let load = |id: &SessionId, open| self.load_tail_from(&documents, id, query.window, open);
        let asked = (query.workspace.as_deref(), query.scope);
        let newer = self.newest(&documents, asked, &query.watch, load)?;
        Ok(Found {
            session: newer.loaded,
            skipped: newer.skipped,
            source: newer.source,
            files_listed: newer.listed,
            bytes_read: documents.bytes_read(),
        })
    }

    /// Answers from the index where that proves its answer, else walks matching sessions newest first until one loads.
    ///
    /// `load` is given the session's document where that is open already.
    fn newest<'d, T>(
        &self,
        documents: &'d Documents<'_>,
        (directory, scope): (Option<&Path>, Scope),
        watch: &Watch,
        load: impl Fn(&SessionId, Option<Document<'d>>) -> Result<T, Error>,
    ) -> Result<Newer<T>, Error> {
        span!("find_last");
        let resolver = self.resolver();
        let workspace = directory.and_then(|asked| Workspace::scoped(asked, scope, &resolver));
        let told = self.consult(workspace.as_ref());
        let probe = HeadProbe::<S>::new(&self.shared, documents, workspace.as_ref());
        let mut skipped = Vec::new();
        let loaded = match self.proven(&told, documents, workspace.as_ref(), &probe) {
            Some(Proven::Newest(candidate, document)) => {
                skipped.extend(displaced(&candidate));
                load(&candidate.recency.id, document).ok().map(Some)
            }
            Some(Proven::Nothing) => Some(None),
            None => None,
        };
        if let Some(loaded) = loaded {
            event!(
                found = loaded.is_some(),
                bytes = documents.bytes_read(),
                "find_last proven"
            );
            return Ok(Newer {
                loaded,
                skipped,
                source: Source::Index,
                listed: 0,
            });
        }
        let (load, course) = (|id: &SessionId| load(id, None), Course::new(watch));
        let asked = (workspace.as_ref(), &course);
        self.walk(documents, asked, &told, &resolver, load)
    }

    /// Lists the directory and looks at what could be newest.
    ///
    /// The index's hints are looked at first. A hint that still matches bounds the walk: only files that are not
    /// older can beat it, and every one of those is looked at.
    fn walk<T>(
        &self,
        documents: &Documents<'_>,
        (workspace, course): (Option<&Workspace<'_>>, &Course<'_>),
        told: &Told,
        resolver: &Resolver,
        load: impl Fn(&SessionId) -> Result<T, Error>,
    ) -> Result<Newer<T>, Error> {
        let met = Met::default();
        let probe = HeadProbe::<S>::new(&self.shared, documents, workspace).noting(&met);
        // First: what is folded into its document in between is then listed with the one or the other.
        documents.journals()?;
        let listing = self.shared.backend.list(Area::Sessions)?;
        let listed = listing.entries.len();
        course.expect(listed);
        let pause = || {
            let told = course.step(1, documents.bytes_read());
            told.map_or(ControlFlow::Break(()), ControlFlow::Continue)
        };
        let mut walk = Newest::new(&documents, documents.entries(listing.entries), &probe)
            .threads(self.shared.threads)
            .reads_in_flight(self.shared.reads_in_flight)
            .pause(&pause);
        let mut hinted = Vec::new();
        let mut unsettled = workspace.is_some_and(Workspace::is_unanswered);
        for id in told.hints() {
            // One that is gone, moved or unreadable is left to the walk, which comes to it or not.
            if let Ok(Some((entry, Look::Hit(candidate), _))) = probe.look(documents, &id) {
                walk = walk.seed(entry, Some(candidate));
                hinted.push(id);
            }
            course.step(1, documents.bytes_read())?;
        }
        let (mut loaded, mut newest) = (None::<(Candidate, T)>, None::<Recency>);
        let mut skipped = Vec::new();
        while let Some((_, candidate)) = walk.next_hit() {
            // Whether it can be loaded is between its file and the caller's window; that it is the newest is not.
            newest.get_or_insert_with(|| candidate.recency.clone());
            let id = &candidate.recency.id;
            match load(id) {
                Ok(session) => {
                    skipped.extend(displaced(&candidate));
                    loaded = Some((candidate, session));
                    break;
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => skipped.push(Skipped::failed(id, error)),
            }
        }
        if course.is_over() {
            return Err(Error::Cancelled);
        }
        let unlisted = |reason: &RejectReason| matches!(reason, RejectReason::Io(_));
        unsettled |= (listing.rejected.iter()).any(|rejected| unlisted(&rejected.reason));
        skipped.extend(
            listing
                .rejected
                .into_iter()
                .map(|rejected| Skipped::rejected(rejected, &self.shared)),
        );
        let unreadable = walk.take_unreadable();
        unsettled |= !unreadable.is_empty();
        skipped.extend(
            unreadable
                .into_iter()
                .map(|found| Skipped::unreadable(found, &self.shared)),
        );
        let source = match &loaded {
            Some((candidate, _)) if hinted.contains(&candidate.recency.id) => Source::Index,
            _ => Source::Scan,
        };
        // What could not be looked at may be the newest by tomorrow, without any change to the directory.
        if !unsettled || !self.shared.rules.hold(Rule::Unreadable) {
            let all = (walk.unprobed() == 0).then_some(&met);
            let newest = newest.as_ref();
            let walked = Walked {
                newest,
                all,
                listed: listed as u64,
            };
            self.remember(told, &walked, resolver);
        }
        event!(
            found = loaded.is_some(),
            ?source,
            skipped = skipped.len(),
            bytes = documents.bytes_read(),
            "find_last"
        );
        Ok(Newer {
            loaded: loaded.map(|(_, session)| session),
            skipped,
            source,
            listed: listed as u64,
        })
    }
}

/// Reports a journal that is none of the session that was found.
fn displaced(found: &Candidate) -> Option<Skipped> {
    let is_displaced = found.is_displaced();
    is_displaced.then(|| Skipped::displaced(&found.recency.id))
}
