//! What every corpus and every probe promises, as suites that any implementation can run.
//!
//! Owns the checks. Must not know an implementation.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread;

use crate::{Corpus, Entry, Look, Newest, OpenError, Probe, Ranked};

/// A file that a corpus under test has to hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fixture {
    /// The name without `.json`.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// The mtime, in nanoseconds since the Unix epoch.
    pub modified: i128,
}

impl Fixture {
    fn new(name: &str, bytes: impl Into<Vec<u8>>, modified: i128) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            modified,
        }
    }
}

/// Checks what [`Corpus`] promises.
///
/// `make` builds a corpus that holds exactly the given files, and may give something beside it that has to live as long,
/// such as a temporary directory.
///
/// # Panics
///
/// Panics at the first promise that is broken.
pub fn corpus_conformance<C: Corpus, G>(make: impl Fn(&[Fixture]) -> (C, G)) {
    let second = 1_000_000_000;
    let large: Vec<u8> = (0..70_000_u32).flat_map(u32::to_le_bytes).collect();
    let fixtures = [
        Fixture::new("empty", "", 1_700_000_000 * second),
        Fixture::new("one", "x", 1_700_000_001 * second + 123_456_789),
        Fixture::new("same-time", "{}", 1_700_000_001 * second + 123_456_789),
        Fixture::new("old", "old", second),
        Fixture::new("future", "future", 4_000_000_000 * second + 5),
        Fixture::new("0-Zz_9", large, 1_600_000_000 * second),
    ];
    for count in [0, 1, fixtures.len()] {
        let (corpus, _guard) = make(&fixtures[..count]);
        check_listing(&corpus, &fixtures[..count]);
        check_content(&corpus, &fixtures[..count]);
        check_absent(&corpus);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| check_content(&corpus, &fixtures[..count]));
            }
        });
    }
}

fn check_listing<C: Corpus>(corpus: &C, fixtures: &[Fixture]) {
    let expected: BTreeMap<&str, (u64, i128)> = fixtures
        .iter()
        .map(|fixture| {
            (
                &*fixture.name,
                (fixture.bytes.len() as u64, fixture.modified),
            )
        })
        .collect();
    for _ in 0..2 {
        let listing = corpus.list().expect("a listing of good files succeeds");
        assert!(
            listing.rejected.is_empty(),
            "good files are not rejected: {listing:?}"
        );
        assert_eq!(
            listing.entries.len(),
            expected.len(),
            "each file is listed once"
        );
        let found: BTreeMap<&str, (u64, i128)> = listing
            .entries
            .iter()
            .map(|entry| (&*entry.name, (entry.size, entry.modified)))
            .collect();
        assert_eq!(found, expected, "name, size and mtime are exact");
    }
}

fn check_content<C: Corpus>(corpus: &C, fixtures: &[Fixture]) {
    let entries = corpus
        .list()
        .expect("a listing of good files succeeds")
        .entries;
    for entry in &entries {
        let fixture = fixtures
            .iter()
            .find(|fixture| fixture.name == entry.name)
            .expect("only the files given are listed");
        let file = corpus.open(entry).expect("a listed file opens");
        for step in [1 << 20, 4096, 1] {
            let start = if step == 1 {
                fixture.bytes.len().saturating_sub(9)
            } else {
                0
            };
            assert_eq!(
                read_from(corpus, &file, entry.size, start, step),
                fixture.bytes[start..],
                "{step}"
            );
        }
        let end = fixture.bytes.len() as u64;
        for offset in [end, end + 1, 1 << 40] {
            let read = corpus
                .read_at(&file, &mut [0; 8], offset)
                .expect("reads behind the end");
            assert_eq!(read, 0, "there is nothing behind the end");
        }
        let read = corpus
            .read_at(&file, &mut [], 0)
            .expect("an empty read succeeds");
        assert_eq!(read, 0, "an empty buffer takes nothing");
        // Some media can't count so far; an error is as good as nothing.
        assert_eq!(corpus.read_at(&file, &mut [0; 8], u64::MAX).unwrap_or(0), 0);
    }
}

/// Reads a file that does not change from `start` to its end, by `step` bytes.
fn read_from<C: Corpus>(
    corpus: &C,
    file: &C::File,
    size: u64,
    start: usize,
    step: usize,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; step];
    loop {
        let offset = (start + bytes.len()) as u64;
        assert!(
            offset <= size,
            "a file ends where its listed size says: {offset} > {size}"
        );
        match corpus
            .read_at(file, &mut buffer, offset)
            .expect("a good file reads")
        {
            0 => return bytes,
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

fn check_absent<C: Corpus>(corpus: &C) {
    let opened = corpus.open(&Entry::new("never-there", 0, 0));
    assert!(
        matches!(opened, Err(OpenError::Vanished)),
        "an absent file has vanished"
    );
}

/// Checks what [`Probe`] and [`Ranked`] promise, on the files of a corpus.
///
/// `expected` is the naive oracle: it gets an entry and the whole content and gives the rank of a hit, or `None` where
/// the probe must not hit.
///
/// # Panics
///
/// Panics at the first promise that is broken, and if a file of the corpus can't be listed, opened or read.
pub fn probe_conformance<C, P>(
    corpus: &C,
    probe: &P,
    expected: impl Fn(&Entry, &[u8]) -> Option<<P::Hit as Ranked>::Rank>,
) where
    C: Corpus,
    P: Probe<C::File>,
    <P::Hit as Ranked>::Rank: Debug,
{
    let entries = corpus.list().expect("the corpus can be listed").entries;
    let mut hits = Vec::new();
    for entry in &entries {
        let file = corpus.open(entry).expect("a listed file opens");
        let rank = expected(entry, &read_from(corpus, &file, entry.size, 0, 1 << 16));
        for _ in 0..2 {
            let found = match probe.probe(entry, &file) {
                Look::Hit(hit) => {
                    assert!(
                        hit.at() <= entry.modified,
                        "at is not above mtime: {entry:?}"
                    );
                    let found = hit.rank();
                    hits.push((hit.at(), found, entry.name.clone()));
                    Some(hit.rank())
                }
                Look::Miss | Look::Unreadable(_) => None,
            };
            assert_eq!(found, rank, "the probe agrees with the oracle: {entry:?}");
        }
    }
    for (at, rank, _) in &hits {
        for (other_at, other_rank, _) in &hits {
            assert!(
                at <= other_at || rank > other_rank,
                "at comes first: {rank:?} {other_rank:?}"
            );
        }
    }
    hits.sort_by(|a, b| (&b.1, &b.2).cmp(&(&a.1, &a.2)));
    hits.dedup_by(|a, b| a.2 == b.2);
    for threads in 1..4 {
        let newest = Newest::new(corpus, entries.clone(), probe).threads(threads);
        let order: Vec<String> = newest.map(|(entry, _)| entry.name).collect();
        let expected: Vec<&str> = hits.iter().map(|hit| &*hit.2).collect();
        assert_eq!(order, expected, "{threads} threads give the exact order");
    }
}
