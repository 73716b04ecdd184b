//! Many files on several threads: everything found, everything unreadable reported, stops obeyed.

use std::collections::BTreeSet;

use session_scan::testing::{Counting, MemoryCorpus, MemoryFile};
use session_scan::{Corpus, Entry, Match, Next, Reason, Searcher, Visitor};

use crate::store::entries;

/// Gathers all it is told.
#[derive(Debug, Default)]
struct Gather {
    found: Vec<(String, u64, usize)>,
    finished: Vec<String>,
    after_match: Option<Next>,
}

impl<F> Visitor<F> for Gather {
    fn matched(&mut self, entry: &Entry, _: &F, found: Match) -> Next {
        self.found
            .push((entry.name.clone(), found.offset, found.pattern));
        self.after_match.unwrap_or(Next::Match)
    }

    fn finished(&mut self, entry: &Entry, _: &F) -> Next {
        self.finished.push(entry.name.clone());
        Next::Match
    }
}

fn many() -> MemoryCorpus {
    let mut corpus = MemoryCorpus::new().longest_read(100);
    for index in 0..200_usize {
        let text = format!(
            "{} key {} key",
            "x".repeat(index),
            "y".repeat(index * 7 % 50)
        );
        corpus = corpus.file(&format!("f{index:03}"), text, 0);
    }
    corpus
        .denied("f000-denied", 0)
        .vanished("f001-vanished", 0)
        .failing("f002-failing", b"a key and then nothing", 0)
        .shrunk("f003-shrunk", b"a key and another key", 9, 0)
}

#[test]
fn everything_is_found_once_for_any_number_of_threads() {
    let corpus = many();
    let entries = entries(&corpus);
    let searcher = Searcher::new(["key", "y k"]).block_bytes(37);
    let mut answers = Vec::new();
    for threads in [0, 1, 2, 4, 500] {
        let left = searcher.search(&corpus, &entries, threads, Gather::default);
        assert!(left.visitors.len() <= threads.max(1));
        let mut found: Vec<_> = left
            .visitors
            .iter()
            .flat_map(|visitor| visitor.found.clone())
            .collect();
        found.sort();
        let unreadable: Vec<String> = left
            .unreadable
            .iter()
            .map(|report| report.entry.name.clone())
            .collect();
        assert_eq!(
            unreadable,
            ["f000-denied", "f002-failing"],
            "in order, vanished in silence"
        );
        assert!(matches!(left.unreadable[0].reason, Reason::Io(_)));
        assert_eq!(left.files, 202);
        let finished: usize = left
            .visitors
            .iter()
            .map(|visitor| visitor.finished.len())
            .sum();
        assert_eq!(finished, 201, "all but the failing one");
        let distinct: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(distinct.len(), found.len(), "nothing twice");
        assert_eq!(found.iter().filter(|hit| hit.2 == 0).count(), 402);
        answers.push((found, left.bytes));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn next_file_leaves_a_file_after_its_first_match() {
    let corpus = many();
    let entries = entries(&corpus);
    let make = || Gather {
        after_match: Some(Next::File),
        ..Gather::default()
    };
    let searched = Searcher::new(["key"]).search(&corpus, &entries, 2, make);
    let found: usize = searched
        .visitors
        .iter()
        .map(|visitor| visitor.found.len())
        .sum();
    assert_eq!(found, 202, "one match a file");
}

#[test]
fn stop_ends_all_workers() {
    let corpus = Counting::new(many());
    let entries = entries(&corpus);
    let make = || Gather {
        after_match: Some(Next::Stop),
        ..Gather::default()
    };
    let searched = Searcher::new(["key"]).search(&corpus, &entries, 1, make);
    assert_eq!(searched.visitors[0].found.len(), 1);
    assert_eq!(searched.visitors[0].finished.len(), 0);
    assert_eq!(corpus.opens(), 1);
    let searched = Searcher::new(["key"]).search(&corpus, &entries, 3, make);
    let found: usize = searched
        .visitors
        .iter()
        .map(|visitor| visitor.found.len())
        .sum();
    assert!((1..=3).contains(&found), "at most one match a worker");
    assert!(corpus.open_most() <= 3);
    assert_eq!(corpus.open_now(), 0);
}

#[test]
fn a_closure_is_a_visitor_and_can_read_around_a_match() {
    let corpus = MemoryCorpus::new().file("a", "one key=1 two", 0);
    let entries = entries(&corpus);
    let (sender, receiver) = std::sync::mpsc::channel();
    let searched = Searcher::new(["key="]).search(&corpus, &entries, 2, || {
        let sender = sender.clone();
        let corpus = &corpus;
        move |_: &Entry, file: &MemoryFile, found: Match| {
            let mut value = [0];
            let read = corpus.read_at(file, &mut value, found.offset + 4);
            assert_eq!(read.ok(), Some(1));
            sender.send(value[0]).expect("received");
            Next::Match
        }
    });
    assert!(searched.unreadable.is_empty());
    drop((sender, searched));
    assert_eq!(receiver.into_iter().collect::<Vec<_>>(), b"1");
}
