//! Every corpus and every probe runs its suite, and each suite catches broken ones.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use session_scan::testing::{
    Counting, Fixture, MemoryCorpus, MemoryFile, corpus_conformance, probe_conformance,
};
use session_scan::{Corpus, Entry, Listing, Look, OpenError, Probe, Ranked};

use crate::store::{Hit, Rank, Records, Says, Store, corpus, look};

fn memory(fixtures: &[Fixture]) -> MemoryCorpus {
    fixtures
        .iter()
        .fold(MemoryCorpus::new(), |corpus, fixture| {
            corpus.file(&fixture.name, &fixture.bytes, fixture.modified)
        })
}

#[test]
fn the_memory_corpus_conforms() {
    corpus_conformance(|fixtures| (memory(fixtures), ()));
    corpus_conformance(|fixtures| (memory(fixtures).longest_read(1_000), ()));
}

#[test]
fn the_counting_corpus_conforms() {
    corpus_conformance(|fixtures| (Counting::new(memory(fixtures)), ()));
}

#[cfg(unix)]
#[test]
fn the_directory_conforms() {
    use std::fs::File;
    use std::io::Write;
    use std::time::{Duration, UNIX_EPOCH};

    corpus_conformance(|fixtures| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for fixture in fixtures {
            let path = directory.path().join(format!("{}.json", fixture.name));
            let mut file = File::create(path).expect("creates");
            file.write_all(&fixture.bytes).expect("writes");
            let modified = u64::try_from(fixture.modified).expect("after 1970");
            file.set_modified(UNIX_EPOCH + Duration::from_nanos(modified))
                .expect("sets mtime");
        }
        (
            session_scan::Directory::new(directory.path(), |_| true),
            directory,
        )
    });
}

#[derive(Clone, Copy)]
enum Fault {
    None,
    ForgetsOne,
    ListsTwice,
    WrongSize,
    RoundsTimes,
    AbsentIsRefused,
    ReadsFromStart,
    NeverEnds,
}

/// A corpus with one fault.
struct Broken(MemoryCorpus, Fault);

impl Corpus for Broken {
    type File = MemoryFile;

    fn list(&self) -> io::Result<Listing> {
        let mut listing = self.0.list()?;
        let entries = &mut listing.entries;
        match self.1 {
            Fault::ForgetsOne => drop(entries.pop()),
            Fault::ListsTwice => entries.extend_from_within(..),
            Fault::WrongSize => {
                for entry in entries {
                    entry.size += 1;
                }
            }
            Fault::RoundsTimes => {
                for entry in entries {
                    entry.modified -= entry.modified % 1_000_000;
                }
            }
            _ => {}
        }
        Ok(listing)
    }

    fn open(&self, entry: &Entry) -> Result<MemoryFile, OpenError> {
        self.0.open(entry).map_err(|error| match self.1 {
            Fault::AbsentIsRefused => {
                OpenError::Rejected(session_scan::Reason::Io(io::ErrorKind::NotFound.into()))
            }
            _ => error,
        })
    }

    fn read_at(&self, file: &MemoryFile, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.1 {
            Fault::ReadsFromStart if offset < file.bytes().len() as u64 => {
                self.0.read_at(file, buf, 0)
            }
            Fault::NeverEnds if offset >= file.bytes().len() as u64 => Ok(buf.len().min(1)),
            _ => self.0.read_at(file, buf, offset),
        }
    }
}

fn passes(check: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(check)).is_ok()
}

#[test]
fn the_corpus_suite_catches_broken_ones() {
    let run =
        |fault| passes(|| corpus_conformance(|fixtures| (Broken(memory(fixtures), fault), ())));
    assert!(run(Fault::None));
    for fault in [
        Fault::ForgetsOne,
        Fault::ListsTwice,
        Fault::WrongSize,
        Fault::RoundsTimes,
        Fault::AbsentIsRefused,
        Fault::ReadsFromStart,
        Fault::NeverEnds,
    ] {
        assert!(!run(fault), "fault {}", fault as u8);
    }
}

fn store() -> Store {
    vec![
        (50, Says::Hit(20)),
        (40, Says::Miss),
        (30, Says::Hit(99)),
        (30, Says::Garbage),
        (20, Says::Hit(20)),
        (10, Says::Hit(9)),
    ]
}

fn oracle(entry: &Entry, bytes: &[u8]) -> Option<Rank> {
    match look(entry, bytes) {
        Look::Hit(hit) => Some(hit.rank()),
        _ => None,
    }
}

#[test]
fn the_probe_of_these_tests_conforms() {
    probe_conformance(&corpus(&store()), &Records, oracle);
}

/// Probes with one fault each: an `at` above mtime, an `at` that is not first in the rank, a miss instead of a hit.
struct BrokenProbe(u8);

struct BrokenHit {
    at: i128,
    rank: Rank,
}

impl Ranked for BrokenHit {
    type Rank = Rank;

    fn rank(&self) -> Rank {
        self.rank.clone()
    }

    fn at(&self) -> i128 {
        self.at
    }
}

impl Probe<MemoryFile> for BrokenProbe {
    type Hit = BrokenHit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<BrokenHit> {
        match look(entry, file.bytes()) {
            Look::Hit(Hit(rank)) => match self.0 {
                0 => Look::Hit(BrokenHit { at: rank.0, rank }),
                1 => Look::Hit(BrokenHit { at: rank.1, rank }),
                2 => Look::Hit(BrokenHit { at: -rank.0, rank }),
                _ => Look::Miss,
            },
            _ => Look::Miss,
        }
    }
}

#[test]
fn the_probe_suite_catches_broken_ones() {
    let corpus = corpus(&store());
    let run = |fault| passes(|| probe_conformance(&corpus, &BrokenProbe(fault), oracle));
    assert!(run(0));
    for fault in 1..4 {
        assert!(!run(fault), "fault {fault}");
    }
}
