//! The newest session of a directory, or of all.

use std::path::Path;

use session_index::Answer;
use session_model::{SessionId, SessionRecord};
use session_scan::{Look, Newest};

use super::SessionStore;
use crate::backend::Area;
use crate::builder::Access;
use crate::corpus::Documents;
use crate::probe::{Candidate, HeadProbe};
use crate::skipped::Skipped;
use crate::trace::{event, span};
use crate::workspace::Workspace;
use crate::{Error, Found, LastQuery, Source, Tail, Window};

/// What a search for the newest session came to.
struct Newer<T> {
    loaded: Option<T>,
    skipped: Vec<Skipped>,
    source: Source,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Loads the newest session of a directory, whole; `None` as directory asks for the newest of all.
    ///
    /// The answer is never older than the one that reading every file would give: the index is a hint, verified and
    /// compared with every file that could be newer. "Newest" and "same directory" are defined in `docs/format.md`.
    /// A session that cannot be loaded is passed over; [`find_last`](SessionStore::find_last) says which and why.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read. No sessions is `Ok(None)`.
    pub fn last_for_directory(&self, directory: Option<&Path>) -> Result<Option<S>, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let found = self.newest(&documents, directory, |id| self.load_from(&documents, id))?;
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
        let documents = Documents::new(&*self.shared.backend);
        let found = self.newest(&documents, directory, |id| {
            self.load_tail_from(&documents, id, window)
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
    /// As for [`last_for_directory`](SessionStore::last_for_directory).
    pub fn find_last(&self, query: &LastQuery) -> Result<Found<S>, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let load = |id: &SessionId| self.load_tail_from(&documents, id, query.window);
        let newer = self.newest(&documents, query.workspace.as_deref(), load)?;
        Ok(Found {
            session: newer.loaded,
            skipped: newer.skipped,
            source: newer.source,
            bytes_read: documents.bytes_read(),
        })
    }

    /// Walks matching sessions newest first until one loads.
    ///
    /// The index's hints are looked at first. A hint that still matches bounds the walk: only files that are not
    /// older can beat it, and every one of those is looked at.
    fn newest<T>(
        &self,
        documents: &Documents<'_>,
        directory: Option<&Path>,
        load: impl Fn(&SessionId) -> Result<T, Error>,
    ) -> Result<Newer<T>, Error> {
        span!("find_last");
        let resolver = self.resolver();
        let workspace = directory.map(|asked| Workspace::new(asked, &resolver));
        let probe = HeadProbe::<S>::new(&self.shared, documents, workspace.as_ref());
        let listing = self.shared.backend.list(Area::Sessions)?;
        let mut skipped = Vec::new();
        let mut walk = Newest::new(&documents, documents.entries(&listing.entries)?, &probe)
            .threads(self.shared.threads);
        let mut hinted = Vec::new();
        for id in self.hints(workspace.as_ref()) {
            // One that is gone, moved or unreadable is left to the walk, which comes to it or not.
            if let Ok(Some((entry, Look::Hit(candidate)))) = probe.look(&id) {
                walk = walk.seed(entry, Some(candidate));
                hinted.push(id);
            }
        }
        let mut loaded = None;
        while let Some((_, candidate)) = walk.next_hit() {
            let id = &candidate.recency.id;
            match load(id) {
                Ok(session) => {
                    loaded = Some((candidate, session));
                    break;
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => skipped.push(Skipped::failed(id, error)),
            }
        }
        skipped.extend(
            listing
                .rejected
                .into_iter()
                .map(|rejected| Skipped::rejected(rejected, &self.shared)),
        );
        skipped.extend(
            walk.take_unreadable()
                .into_iter()
                .map(|found| Skipped::unreadable(found, &self.shared)),
        );
        let source = match &loaded {
            Some((candidate, _)) if hinted.contains(&candidate.recency.id) => Source::Index,
            _ => Source::Scan,
        };
        if let (Some((candidate, _)), Source::Scan) = (&loaded, source) {
            self.write_back(candidate);
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
        })
    }

    /// The sessions that the index names for a workspace, under each spelling; texts that are no ids are dropped here.
    fn hints(&self, workspace: Option<&Workspace<'_>>) -> Vec<SessionId> {
        let keys = match workspace {
            Some(workspace) => workspace.keys().map(Some).collect(),
            None => vec![None],
        };
        let mut hints: Vec<SessionId> = keys
            .iter()
            .filter_map(|key| match self.shared.index.lookup(key.as_deref()) {
                Ok(Answer::Hint { pointer, .. }) => SessionId::new(&pointer.id).ok(),
                _ => None,
            })
            .collect();
        hints.sort_unstable();
        hints.dedup();
        hints
    }

    /// Tells the index what a walk found, so that the next lookup is short.
    fn write_back(&self, found: &Candidate) {
        if self.shared.access == Access::ReadWrite {
            self.record_found(found);
        }
    }
}
