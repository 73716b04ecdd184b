//! A look finds a candidate if there is one, holds the file if it is short, and reads no more than that takes.

use std::io;
use std::ops::ControlFlow;

use proptest::prelude::*;
use session_scan::testing::{Counting, MemoryCorpus};
use session_scan::{
    CandidateFinder, Corpus, Entry, Listing, OpenError, SearchBuffer, Searcher, Sieve, Sifted,
};

/// Finds a text.
struct Text(Vec<u8>);

impl CandidateFinder for Text {
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes
            .windows(self.0.len())
            .position(|window| window == self.0)
    }

    fn span(&self) -> usize {
        self.0.len()
    }
}

fn on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn looks_equal_the_oracle_for_any_block_size_and_read(
        text in prop::collection::vec(prop::sample::select(b"aab".to_vec()), 0..300),
        pattern in prop::collection::vec(prop::sample::select(b"aab".to_vec()), 1..9),
        block in 1..80_usize,
        hold in 0..400_usize,
        claimed in 0..400_u64,
        longest_read in 1..90_usize,
    ) {
        let expected = Text(pattern.clone()).find(&text);
        let corpus = MemoryCorpus::new().file("x", &text, 0).longest_read(longest_read);
        let file = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
        let sieve = Sieve::new(Text(pattern)).hold_bytes(hold).block_bytes(block);
        let mut buffer = SearchBuffer::new();
        for _ in 0..2 {
            let sifted = sieve.look(&corpus, &file, claimed, &mut buffer, on).expect("reads");
            match (sifted, expected) {
                (Sifted::Absent, None) => prop_assert!(buffer.held().is_empty()),
                (Sifted::Held(at), Some(expected)) => {
                    prop_assert_eq!(at, expected as u64);
                    prop_assert_eq!(buffer.held(), &text);
                }
                (Sifted::Candidate(at), Some(expected)) => {
                    prop_assert_eq!(at, expected as u64);
                    prop_assert!(buffer.held().is_empty());
                }
                (sifted, expected) => prop_assert!(false, "{:?} for {:?}", sifted, expected),
            }
            // A file of the size that was told is held if that was asked for.
            if claimed == text.len() as u64 && text.len() < hold && expected.is_some() {
                prop_assert!(matches!(sifted, Sifted::Held(_)));
            }
        }
    }
}

#[test]
fn a_long_file_is_read_no_further_than_its_first_candidate() {
    let mut text = vec![b'a'; 100_000];
    text[2_500] = b'x';
    let corpus = Counting::new(MemoryCorpus::new().file("f", &text, 0));
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let sieve = Sieve::new(Text(b"x".to_vec()))
        .hold_bytes(10_000)
        .block_bytes(1_000);
    let mut buffer = SearchBuffer::new();
    let sifted = sieve
        .look(&corpus, &file, 100_000, &mut buffer, on)
        .expect("reads");
    assert_eq!(sifted, Sifted::Candidate(2_500));
    assert_eq!(corpus.bytes(), 3_000);
}

#[test]
fn a_short_file_is_read_twice_only_if_its_candidate_comes_late_and_the_file_before_had_none() {
    let mut text = vec![b'a'; 10_000];
    text[8_500] = b'x';
    let corpus = Counting::new(MemoryCorpus::new().file("f", &text, 0));
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let sieve = Sieve::new(Text(b"x".to_vec())).block_bytes(1_000);
    let mut buffer = SearchBuffer::new();
    let mut read = 0;
    for expected in [9_000 + 10_000, 10_000, 10_000] {
        let sifted = sieve.look(&corpus, &file, 10_000, &mut buffer, on);
        assert_eq!(sifted.expect("reads"), Sifted::Held(8_500));
        assert_eq!(buffer.held(), &text);
        assert_eq!(corpus.bytes() - read, expected);
        read = corpus.bytes();
    }
}

/// Refuses reads that do not go as far behind the beginning of a cache line as they come from behind one.
struct InLine(MemoryCorpus);

impl Corpus for InLine {
    type File = <MemoryCorpus as Corpus>::File;

    fn list(&self) -> io::Result<Listing> {
        self.0.list()
    }

    fn open(&self, entry: &Entry) -> Result<Self::File, OpenError> {
        self.0.open(entry)
    }

    fn read_at(&self, file: &Self::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        assert_eq!(buf.as_ptr().addr() as u64 % 64, offset % 64, "{offset}");
        self.0.read_at(file, buf, offset)
    }
}

#[test]
fn blocks_are_read_to_places_that_the_kernel_copies_to_fast() {
    let mut text = vec![b'a'; 20_000];
    text[18_000..18_003].copy_from_slice(b"xyz");
    let corpus = InLine(MemoryCorpus::new().file("f", &text, 0));
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let mut buffer = SearchBuffer::new();
    for (pattern, hold) in [("xyz", 0), ("xyz", 100_000), ("xz", 0), ("xyz", 100_000)] {
        let sieve = Sieve::new(Text(pattern.into()))
            .block_bytes(1_024)
            .hold_bytes(hold);
        let sifted = sieve.look(&corpus, &file, 20_000, &mut buffer, on);
        assert_eq!(sifted.expect("reads") == Sifted::Absent, pattern == "xz");
        let searcher = Searcher::new([pattern, "q"]).block_bytes(1_024);
        let found = searcher.contains_any(&corpus, &file, &mut buffer);
        assert_eq!(found.expect("reads").is_some(), pattern == "xyz");
    }
}

#[test]
fn a_search_that_is_stopped_reads_one_block() {
    let corpus = Counting::new(MemoryCorpus::new().file("f", vec![b'a'; 100_000], 0));
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let sieve = Sieve::new(Text(b"x".to_vec())).block_bytes(1_000);
    let stop = || ControlFlow::Break(());
    let sifted = sieve
        .look(&corpus, &file, 100_000, &mut SearchBuffer::new(), stop)
        .expect("reads");
    assert_eq!((sifted, corpus.bytes()), (Sifted::Stopped, 1_000));
}

#[test]
fn a_mutant_that_forgets_the_border_of_blocks_is_caught() {
    let text = b"aaaxyaaa";
    let in_blocks = text
        .chunks(4)
        .any(|block| Text(b"xy".to_vec()).find(block).is_some());
    assert!(!in_blocks);
    let corpus = MemoryCorpus::new().file("f", text, 0);
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let sieve = Sieve::new(Text(b"xy".to_vec()))
        .hold_bytes(0)
        .block_bytes(4);
    let sifted = sieve
        .look(&corpus, &file, 8, &mut SearchBuffer::new(), on)
        .expect("reads");
    assert_eq!(sifted, Sifted::Candidate(3));
}

#[test]
fn a_read_that_fails_is_an_error() {
    let corpus = MemoryCorpus::new().failing("f", b"aaa", 0);
    let file = corpus.open(&Entry::new("f", 0, 0)).expect("opens");
    let sieve = Sieve::new(Text(b"x".to_vec()));
    assert!(
        sieve
            .look(&corpus, &file, 3, &mut SearchBuffer::new(), on)
            .is_err()
    );
}
