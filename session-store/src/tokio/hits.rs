//! The hits of a search, as futures. Owns that none is lost or given twice when a future is dropped.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ::tokio::runtime::Handle;
use ::tokio::sync::Mutex;
use session_model::SessionRecord;

use super::{SessionStore, blocking};
use crate::{Error, Hit, Hits as Blocking, SearchQuery, Skipped, Stopper};

impl<S: SessionRecord> SessionStore<S> {
    /// See [`SessionStore::search`](crate::SessionStore::search).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn search(&self, query: SearchQuery) -> Result<Hits, Error> {
        let path = self.store.root().to_owned();
        let hits = self.run(move |store| store.search(&query)).await?;
        let stopper = hits.stopper();
        let search = Some(hits);
        let ready = VecDeque::new();
        let found = Arc::new(Mutex::new(Found { search, ready }));
        Ok(Hits {
            found,
            stopper,
            path,
        })
    }
}

/// The hits of a search that has begun: [`Hits`](crate::Hits), newest session first.
///
/// Threads search ahead of whoever asks, by a bounded number of hits. Dropping this stops them.
#[must_use = "a search that nobody reads is stopped at once"]
pub struct Hits {
    found: Arc<Mutex<Found>>,
    stopper: Stopper,
    path: PathBuf,
}

/// What a call that nobody waits for any more has found stays here for the next one.
struct Found {
    search: Option<Blocking>,
    ready: VecDeque<Hit>,
}

impl Hits {
    /// Waits for the next hit; `None` when there are no more. A future that is dropped loses none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the runtime is shutting down.
    ///
    /// # Panics
    ///
    /// Passes on a panic of a searching thread.
    pub async fn next(&mut self) -> Result<Option<Hit>, Error> {
        let mut found = Arc::clone(&self.found).lock_owned().await;
        if let Some(hit) = found.ready.pop_front() {
            return Ok(Some(hit));
        }
        // Everything that waits on a thread has the lock, and leaves what it found behind the lock.
        let waited = blocking(self.path.clone(), move || {
            let more = found.search.as_mut().map(Blocking::some);
            found.ready.extend(more.into_iter().flatten());
            Ok(())
        });
        waited.await?;
        Ok(self.found.lock().await.ready.pop_front())
    }

    /// Takes all hits that are left, in a list that is as long as the query's [limit](SearchQuery::limit) lets it be.
    ///
    /// # Errors
    ///
    /// See [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<Hit>, Error> {
        let mut hits = Vec::new();
        while let Some(hit) = self.next().await? {
            hits.push(hit);
        }
        Ok(hits)
    }

    /// See [`Hits::take_skipped`](crate::Hits::take_skipped).
    #[must_use = "the reports are gone from the search"]
    pub fn take_skipped(&mut self) -> Vec<Skipped> {
        self.stopper.run().take_skipped()
    }

    /// Gives a handle that stops the search from anywhere, also while somebody waits for `next`.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl Drop for Hits {
    fn drop(&mut self) {
        self.stopper.stop();
        // The search's threads end within one read, for which no thread that drives futures has to wait.
        if let (Ok(mut found), Ok(runtime)) = (self.found.try_lock(), Handle::try_current()) {
            let search = found.search.take();
            drop(runtime.spawn_blocking(move || drop(search)));
        }
    }
}

impl fmt::Debug for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hits").finish_non_exhaustive()
    }
}
