//! Finds the newest files of a directory that hold a word, looking at no more files than that takes.
//!
//! `cargo run -p session-scan --example newest -- DIRECTORY WORD`; without arguments it makes a small directory of its own.

#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use session_scan::{
    Corpus, Directory, Entry, Look, Match, Newest, Next, Probe, Ranked, SearchBuffer, Searcher,
};

/// A probe that wants files in which the word occurs.
struct Word<'a> {
    corpus: &'a Directory,
    searcher: Searcher,
}

/// A hit; here the order is that of mtime, ties go by name.
struct Found {
    modified: i128,
    offset: u64,
}

impl Ranked for Found {
    type Rank = i128;

    fn rank(&self) -> i128 {
        self.modified
    }

    fn at(&self) -> i128 {
        self.modified
    }
}

impl Probe<File> for Word<'_> {
    type Hit = Found;

    fn probe(&self, entry: &Entry, file: &File) -> Look<Found> {
        let mut buffer = SearchBuffer::new();
        match self.searcher.contains_any(self.corpus, file, &mut buffer) {
            Ok(Some(found)) => Look::Hit(Found {
                modified: entry.modified,
                offset: found.offset,
            }),
            Ok(None) => Look::Miss,
            Err(error) => Look::Unreadable(error.into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let own = tempfile::tempdir()?;
    let directory = arguments
        .next()
        .map_or_else(|| own.path().to_owned(), PathBuf::from);
    let word = arguments.next().unwrap_or_else(|| "needle".into());
    if directory == own.path() {
        for index in 0..20 {
            let text = if index % 4 == 0 { "a needle" } else { "hay" };
            let mut file = File::create(directory.join(format!("file-{index:02}.json")))?;
            file.write_all(text.as_bytes())?;
            // Files written in one tick have one mtime, and then all of them have to be looked at.
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000 + index))?;
        }
        fs::create_dir(directory.join("no-file.json"))?;
    }

    // Any visible name is accepted here; a store would check its ids.
    let corpus = Directory::new(&directory, |_| true);
    let listing = corpus.list()?;
    for rejected in &listing.rejected {
        println!(
            "not a candidate: {}: {}",
            rejected.name.display(),
            rejected.reason
        );
    }

    let searcher = Searcher::new([word.as_encoded_bytes()]);
    let probe = Word {
        corpus: &corpus,
        searcher: searcher.clone(),
    };
    let mut newest = Newest::new(&corpus, listing.entries.clone(), &probe).threads(2);
    for (entry, found) in newest.by_ref().take(3) {
        println!("{} holds the word at byte {}", entry.name, found.offset);
    }
    println!(
        "{} of {} files were opened for that",
        newest.probed(),
        listing.entries.len()
    );
    for report in newest.unreadable() {
        println!("unreadable: {}: {}", report.entry.name, report.reason);
    }

    // Counting every occurrence, with one counter a thread and no locks.
    let result = searcher.search(&corpus, &listing.entries, 2, Counter::default);
    let occurrences: usize = result.visitors.iter().map(|counter| counter.0).sum();
    println!(
        "{occurrences} occurrences in {} files, {} bytes",
        result.files, result.bytes
    );
    if directory == own.path() {
        assert_eq!(occurrences, 5);
    }
    Ok(())
}

/// Counts matches.
#[derive(Default)]
struct Counter(usize);

impl session_scan::Visitor<File> for Counter {
    fn matched(&mut self, _: &Entry, _: &File, _: Match) -> Next {
        self.0 += 1;
        Next::Match
    }
}
