//! Small stores for the tests: what a file says, a probe that reads it, and the naive oracle.

use std::cmp::Reverse;

use session_scan::testing::{CountingFile, MemoryCorpus, MemoryFile};
use session_scan::{Entry, Look, Newest, Probe, Ranked};

/// The order of the tests is the one of sessions: (min(updated, mtime), updated, name).
pub(crate) type Rank = (i128, i128, String);

/// What one file of a store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It is wanted and was updated then.
    Hit(i128),
    Miss,
    /// It can't be understood.
    Garbage,
    /// It is gone when it is opened.
    Gone,
    /// It can't be opened.
    Denied,
}

/// Files as (mtime, what they say); the name is the position.
pub(crate) type Store = Vec<(i128, Says)>;

pub(crate) fn name(index: usize) -> String {
    format!("s{index:05}")
}

pub(crate) fn corpus(store: &Store) -> MemoryCorpus {
    let mut corpus = MemoryCorpus::new();
    for (index, (modified, says)) in store.iter().enumerate() {
        let name = name(index);
        corpus = match says {
            Says::Hit(updated) => corpus.file(&name, format!("hit {updated}"), *modified),
            Says::Miss => corpus.file(&name, "miss", *modified),
            Says::Garbage => corpus.file(&name, "\0", *modified),
            Says::Gone => corpus.vanished(&name, *modified),
            Says::Denied => corpus.denied(&name, *modified),
        };
    }
    corpus
}

/// The oracle: looks at everything, sorts, and gives names.
pub(crate) fn naive(store: &Store) -> Vec<String> {
    hits(store).into_iter().map(|rank| rank.2).collect()
}

pub(crate) fn hits(store: &Store) -> Vec<Rank> {
    let mut hits: Vec<Rank> = Vec::new();
    for (index, (modified, says)) in store.iter().enumerate() {
        if let Says::Hit(updated) = says {
            hits.push(((*modified).min(*updated), *updated, name(index)));
        }
    }
    hits.sort_by_key(|rank| Reverse(rank.clone()));
    hits
}

/// The files that must be reported once a hit with this first component is out, newest first.
pub(crate) fn naive_unreadable(store: &Store, at: Option<i128>) -> Vec<String> {
    let mut bad: Vec<(Reverse<i128>, String)> = Vec::new();
    for (index, (modified, says)) in store.iter().enumerate() {
        let due = at.is_none_or(|at| *modified >= at);
        if due && matches!(says, Says::Garbage | Says::Denied) {
            bad.push((Reverse(*modified), name(index)));
        }
    }
    bad.sort();
    bad.into_iter().map(|(_, name)| name).collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit(pub(crate) Rank);

impl Ranked for Hit {
    type Rank = Rank;

    fn rank(&self) -> Rank {
        self.0.clone()
    }

    fn at(&self) -> i128 {
        self.0.0
    }
}

/// Understands the files of a [`Store`].
#[derive(Debug)]
pub(crate) struct Records;

pub(crate) fn look(entry: &Entry, bytes: &[u8]) -> Look<Hit> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    if let Some(updated) = text.strip_prefix("hit ") {
        let updated: i128 = updated.parse().expect("a number");
        Look::Hit(Hit((
            updated.min(entry.modified),
            updated,
            entry.name.clone(),
        )))
    } else if text == "miss" {
        Look::Miss
    } else {
        Look::Unreadable("no record".into())
    }
}

impl Probe<MemoryFile> for Records {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<Hit> {
        look(entry, file.bytes())
    }
}

impl Probe<CountingFile<MemoryFile>> for Records {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &CountingFile<MemoryFile>) -> Look<Hit> {
        look(entry, file.inner().bytes())
    }
}

pub(crate) fn entries(corpus: &impl session_scan::Corpus) -> Vec<Entry> {
    corpus.list().expect("lists").entries
}

/// The names in the order in which the crate yields them.
pub(crate) fn walked(store: &Store, threads: usize) -> Vec<String> {
    let corpus = corpus(store);
    let newest = Newest::new(&corpus, entries(&corpus), &Records).threads(threads);
    newest.map(|(entry, _)| entry.name).collect()
}
