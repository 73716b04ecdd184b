//! Listing sessions: headers, filtered, in order, a page at a time.

use session_model::{SessionId, SessionRecord, SessionSummary};
use session_scan::Newest;

use super::SessionStore;
use crate::backend::Area;
use crate::corpus::Documents;
use crate::order::system_time;
use crate::probe::{Candidate, HeadProbe};
use crate::skipped::Skipped;
use crate::trace::{event, span};
use crate::workspace::Workspace;
use crate::{Counts, Cursor, Error, Listing, Query};

impl<S: SessionRecord> SessionStore<S> {
    /// Lists sessions, newest first.
    ///
    /// Every file is looked at, so `skipped` names all that cannot be listed on every page. Bodies are read only for the
    /// rows returned, and only where messages are counted; a fault in a body is reported by the page that finds it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read. No sessions is an empty listing.
    pub fn list(&self, query: &Query) -> Result<Listing, Error> {
        span!("list");
        let documents = Documents::new(&*self.shared.backend);
        let resolver = self.resolver();
        let workspace = query
            .workspace
            .as_deref()
            .map(|asked| Workspace::new(asked, &resolver));
        let probe = HeadProbe::<S>::new(&self.shared, &documents, workspace.as_ref());
        let found = self.shared.backend.list(Area::Sessions)?;
        let corpus = &documents;
        let mut walk = Newest::new(&corpus, documents.entries(&found.entries)?, &probe)
            .threads(self.shared.threads);
        let (mut candidates, mut displaced) = (Vec::new(), Vec::new());
        while let Some((_, candidate)) = walk.next_hit() {
            if candidate.displaced {
                displaced.push(Skipped::displaced(&candidate.recency.id));
            }
            candidates.push(candidate);
        }
        // A directory that changes while it is read may name a file twice.
        candidates.dedup_by(|a, b| a.recency.id == b.recency.id);
        let unreadable = walk
            .take_unreadable()
            .into_iter()
            .map(|found| Skipped::unreadable(found, &self.shared));
        let mut skipped: Vec<Skipped> = unreadable.chain(displaced).collect();
        skipped.extend(
            found
                .rejected
                .into_iter()
                .map(|found| Skipped::rejected(found, &self.shared)),
        );

        let mut rows = Vec::new();
        let mut next = None;
        let limit = query.limit.unwrap_or(usize::MAX);
        let mut page = candidates
            .into_iter()
            .filter(|candidate| is_after(candidate, query.after.as_ref()))
            .peekable();
        while rows.len() < limit
            && let Some(candidate) = page.next()
        {
            next = page.peek().map(|_| Cursor(candidate.recency.clone()));
            match self.summary(&documents, &candidate, query.counts) {
                Ok(row) => rows.push(row),
                Err(error) if error.is_not_found() => {}
                Err(error) => skipped.push(Skipped::failed(&candidate.recency.id, error)),
            }
        }
        if limit == 0 {
            next.clone_from(&query.after);
        }
        event!(
            rows = rows.len(),
            skipped = skipped.len(),
            bytes = documents.bytes_read(),
            "list"
        );
        Ok(Listing {
            rows,
            skipped,
            next,
        })
    }

    fn summary(
        &self,
        documents: &Documents<'_>,
        candidate: &Candidate,
        counts: Counts,
    ) -> Result<SessionSummary, Error> {
        let id = candidate.recency.id.clone();
        let messages = match counts {
            Counts::Exact => self.count_first_array(documents, &id)?,
            Counts::Skip => None,
        };
        let modified = system_time(candidate.modified);
        let mut summary =
            SessionSummary::new(id, candidate.header.clone(), candidate.bytes, modified);
        summary.messages = messages;
        summary.unfolded = candidate.unfolded;
        Ok(summary)
    }

    /// Counts the elements of the record's first capped array, which is where its messages are.
    fn count_first_array(
        &self,
        documents: &Documents<'_>,
        id: &SessionId,
    ) -> Result<Option<u64>, Error> {
        let path = self.path(id);
        let Some(array) = S::CAPPED.first() else {
            return Ok(None);
        };
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let counts = self.counted(&document, &[array], &path)?;
        Ok(counts.into_iter().find_map(|(_, count)| count))
    }
}

fn is_after(candidate: &Candidate, cursor: Option<&Cursor>) -> bool {
    cursor.is_none_or(|Cursor(last)| candidate.recency < *last)
}
