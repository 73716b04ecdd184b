//! Searching sessions: in order of their headers, on several threads, newest first.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use session_model::SessionRecord;
use session_scan::{Corpus, Entry, Newest, Probe};

use super::{SessionStore, Shared};
use crate::backend::{Area, BackendListing};
use crate::corpus::{Documents, Journals, journals};
use crate::probe::HeadProbe;
use crate::progress::Course;
use crate::resolve::Resolver;
use crate::search::file::{Plan, Worker};
use crate::search::matcher::Matcher;
use crate::search::opened::{Keeping, Kept, Opened};
use crate::search::queue::{Closing, Filling};
use crate::search::{Run, SearchQuery};
use crate::skipped::Skipped;
use crate::trace::{event, span};
use crate::workspace::Workspace;
use crate::{Error, Hit, Hits};

impl<S: SessionRecord> SessionStore<S> {
    /// Searches the texts of sessions, newest session first.
    ///
    /// Finds exactly what decoding every document and looking at each of its texts would: those in
    /// [`SEARCHED`](SessionRecord::SEARCHED) members for which [`is_text`](SessionRecord::is_text) holds. Of a
    /// [`Session`](crate::Session), that is:
    ///
    /// | searched | not searched |
    /// |---|---|
    /// | `title` | all other members of the document |
    /// | `messages`: `text`, `thinking`, `content` of a tool result, `name` and `arguments` of a tool call, `path` of a file | `role`, and of parts `type`, `id`, `tool_call_id`, `url`, `mime_type`, `signature`, `thought_signature` |
    /// | `tool_uses`: `name`, `input`, `output` | `id` |
    /// | every string in unknown parts and members of messages and tool uses, whatever the role | names of members |
    ///
    /// Files are searched as bytes for every spelling that JSON has for the text; only strings that contain such a
    /// spelling are decoded. A regular expression is searched for in this way by texts that each match begins or ends
    /// with; for one without such texts, such as `\d+`, every text is decoded.
    ///
    /// A session whose header cannot be read is skipped, as by [`list`](SessionStore::list). Of one that is broken
    /// behind its header, what stands before the fault is searched, and all strings but the bad ones where only strings
    /// are bad. It is reported if the search comes upon the fault: a document without a candidate is not judged, and
    /// neither is what follows the last candidate of one. Of a session that is searched, a journal that is of another document
    /// is reported: nothing of it is searched.
    ///
    /// ```
    /// use session_store::{Message, SearchQuery, Session, SessionId, SessionStore};
    ///
    /// # let scratch = tempfile::tempdir()?;
    /// # let dir = scratch.path().join("sessions");
    /// let store = SessionStore::open(&dir)?;
    /// let mut session = Session::new(SessionId::new("first")?, "/home/me/project");
    /// session.push(Message::user("Why does the \"parser\" test fail?"));
    /// session.touch(chrono::Utc::now());
    /// store.save(&session)?;
    ///
    /// let mut hits = store.search(&SearchQuery::text("the \"parser\""))?;
    /// let hit = hits.next().expect("one message has it");
    /// assert_eq!((hit.id().as_str(), hit.element), ("first", Some(0)));
    /// assert_eq!(&hit.snippet.text[hit.snippet.matches[0].clone()], "the \"parser\"");
    /// assert!(hits.next().is_none() && hits.take_skipped().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read, or no thread can be started. No sessions is no hits.
    ///
    /// # Documents that do not load
    ///
    /// What a search does not come upon it does not judge: a document that has a member twice, which no load accepts, is searched
    /// like any other, both of them.
    ///
    /// # Memory
    ///
    /// For each thread a buffer of up to 4 MB, or the longest element of a longer document that has a candidate; a
    /// bounded number of hits; and the headers of sessions. Of a session with appends that are not folded, its journal, too,
    /// which is at most a quarter longer than the document, or 8 MiB, unless the builder was told to fold later.
    pub fn search(&self, query: &SearchQuery) -> Result<Hits, Error> {
        // First: what is folded into its document in between is then listed with the one or the other.
        let journals = journals(&*self.shared.backend)?;
        let listing = self.shared.backend.list(Area::Sessions)?;
        let run = Arc::new(Run::default());
        let limit = query.limit;
        let job = Job {
            shared: Arc::clone(&self.shared),
            matcher: Matcher::new(query),
            query: query.clone(),
            run: Arc::clone(&run),
        };
        let driver = thread::Builder::new()
            .name("session-search".to_owned())
            .spawn(move || job.drive::<S>(listing, journals))
            .map_err(|source| Error::io("search", self.root(), source))?;
        Ok(Hits::new(run, driver, limit))
    }
}

/// Leaves each name once: a directory that changes while it is read may name a file as it was, and then as it is.
fn name_once(entries: &mut Vec<Entry>) {
    let mut names = HashSet::new();
    let are_last = entries.iter().rev().map(|entry| names.insert(&*entry.name));
    let mut are_last: Vec<bool> = are_last.collect();
    entries.retain(|_| are_last.pop() == Some(true));
}

/// What the thread that drives a search owns.
struct Job {
    shared: Arc<Shared>,
    matcher: Matcher,
    query: SearchQuery,
    run: Arc<Run>,
}

impl Job {
    fn drive<S: SessionRecord>(&self, listing: BackendListing, journals: Journals) {
        span!("search");
        let (shared, run) = (&*self.shared, &*self.run);
        let _closing = Closing(&run.queue);
        for rejected in listing.rejected {
            run.skip(Skipped::rejected(rejected, shared));
        }
        let documents = Documents::knowing(&*shared.backend, journals);
        let resolver = Resolver::new(shared.resolve_deadline, &shared.stuck);
        let workspace = self.query.workspace.as_deref();
        let workspace =
            workspace.and_then(|asked| Workspace::scoped(asked, self.query.scope, &resolver));
        let probe = HeadProbe::<S>::new(shared, &documents, workspace.as_ref()).showing();
        let (corpus, probe) = (Kept(&documents), Keeping::new(probe));
        let files = listing.entries.len();
        let course = Course::new(&self.query.watch);
        // Files of other workspaces, too, are told of, and looked at no longer than the search is wanted.
        let pause = || {
            self.tell(&course, 1, &documents);
            run.queue.go_on()
        };
        let mut entries = documents.entries(listing.entries);
        name_once(&mut entries);
        course.expect(entries.len());
        let source = Mutex::new(Source {
            // One header at a time, unless they turn out to wait: the workers are busy with bodies meanwhile, and the
            // document is still open when one of them comes to it.
            walk: Newest::new(&corpus, entries, &probe)
                .reads_in_flight(shared.reads_in_flight)
                .pause(&pause),
            job: self,
        });
        let plan = Plan {
            shared,
            documents: &documents,
            query: &self.query,
            matcher: &self.matcher,
            run,
        };
        let work = || {
            let mut worker = Worker::<S>::new(&plan);
            loop {
                let next = source.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((entry, found, lane)) = next else {
                    break;
                };
                let (candidate, open) = found.into_parts();
                if candidate.is_displaced() {
                    run.skip(Skipped::displaced(&candidate.recency.id));
                }
                if let Err(error) = worker.search(&entry, &candidate, open, &lane) {
                    run.skip(Skipped::failed(&candidate.recency.id, error));
                }
                run.sessions.fetch_add(1, Ordering::Relaxed);
                self.tell(&course, 0, &documents);
            }
        };
        thread::scope(|scope| {
            for _ in 1..shared.threads.min(files) {
                // A refused thread is no failure: the others do its part.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        self.tell(&course, 0, &documents);
        event!(
            sessions = run.sessions.load(Ordering::Relaxed),
            bytes = documents.bytes_read(),
            "search"
        );
    }
}

impl Job {
    /// Says how far the search has come, and stops it where the caller wants that.
    fn tell(&self, course: &Course<'_>, files: u64, documents: &Documents<'_>) {
        let bytes_read = documents.bytes_read();
        self.run.bytes_read.store(bytes_read, Ordering::Relaxed);
        if course.step(files, bytes_read).is_err() {
            self.run.queue.stop();
        }
    }
}

/// The sessions to search, in order, each with its place in the answer.
struct Source<'a, C: Corpus, P: Probe<C::File>> {
    walk: Newest<'a, C, P>,
    job: &'a Job,
}

impl<'a, 'k, C, P> Source<'a, C, P>
where
    C: Corpus,
    P: Probe<C::File, Hit = Opened<'k>>,
{
    fn next(&mut self) -> Option<(Entry, Opened<'k>, Filling<'a, Vec<Hit>>)> {
        let run = &*self.job.run;
        if run.queue.is_stopped() {
            return None;
        }
        let next = self.walk.next_hit();
        for unreadable in self.walk.take_unreadable() {
            run.skip(Skipped::unreadable(unreadable, &self.job.shared));
        }
        let (entry, found) = next?;
        Some((entry, found, run.queue.open()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_that_is_named_twice_the_later_name_is_left() {
        let entry = |(name, modified)| Entry::new(name, 1, modified);
        let mut entries = [("a", 5), ("b", 1), ("a", 3), ("c", 2), ("a", 4)]
            .map(entry)
            .to_vec();
        name_once(&mut entries);
        let left = entries.iter().map(|entry| (&*entry.name, entry.modified));
        assert_eq!(left.collect::<Vec<_>>(), [("b", 1), ("c", 2), ("a", 4)]);
    }
}
