//! Documents that stay open from the look at their header to the search of their body.
//!
//! Owns how many. Must not know what is looked for in either.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use session_model::SessionRecord;
use session_scan::{Corpus, Entry, Listing, Look, OpenError, Probe, Ranked};

use crate::corpus::{Document, Documents};
use crate::order::{Nanos, Recency};
use crate::probe::{Candidate, HeadProbe};

/// Documents that are open at most while nobody searches them; those behind these are opened again. Usually it is one: more are
/// only found before they are needed where times of files and sessions disagree, or where headers are read ahead. Few, so that
/// a search goes through thousands of files where a process may open 32.
const KEPT: usize = 8;

/// The documents of a backend, opened so that a probe can keep them.
#[derive(Debug)]
pub(crate) struct Kept<'d, 'b>(pub(crate) &'d Documents<'b>);

impl<'d> Corpus for Kept<'d, '_> {
    type File = Arc<Document<'d>>;

    fn list(&self) -> io::Result<Listing> {
        Corpus::list(&self.0)
    }

    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError> {
        Corpus::open(&self.0, entry).map(Arc::new)
    }

    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        Corpus::read_at(&self.0, &**file, buf, offset)
    }
}

/// Looks at headers and keeps documents open.
#[derive(Debug)]
pub(crate) struct Keeping<'p, S> {
    probe: HeadProbe<'p, S>,
    kept: Arc<AtomicUsize>,
}

impl<'p, S: SessionRecord> Keeping<'p, S> {
    pub(crate) fn new(probe: HeadProbe<'p, S>) -> Self {
        let kept = Arc::default();
        Self { probe, kept }
    }
}

impl<'d, S: SessionRecord> Probe<Arc<Document<'d>>> for Keeping<'_, S> {
    type Hit = Opened<'d>;

    fn probe(&self, entry: &Entry, document: &Arc<Document<'d>>) -> Look<Opened<'d>> {
        match self.probe.probe(entry, document) {
            Look::Hit(candidate) => Look::Hit(Opened {
                candidate,
                document: Place::take(&self.kept).map(|place| (Arc::clone(document), place)),
            }),
            Look::Unreadable(reason) => Look::Unreadable(reason),
            _ => Look::Miss,
        }
    }
}

/// One of the places for open documents, free again when this is dropped.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(kept: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(kept));
        (kept.fetch_add(1, Ordering::Relaxed) < KEPT).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A session whose header was read, and its document if that is still open.
#[derive(Debug)]
pub(crate) struct Opened<'d> {
    candidate: Candidate,
    document: Option<(Arc<Document<'d>>, Place)>,
}

impl<'d> Opened<'d> {
    /// Gives both; whoever searches a document needs no place for it.
    pub(crate) fn into_parts(self) -> (Candidate, Option<Arc<Document<'d>>>) {
        let document = self.document.map(|(document, _)| document);
        (self.candidate, document)
    }
}

impl Ranked for Opened<'_> {
    type Rank = Recency;

    fn rank(&self) -> Recency {
        self.candidate.rank()
    }

    fn at(&self) -> Nanos {
        self.candidate.at()
    }
}
