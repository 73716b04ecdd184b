//! Every occurrence is found once, in order, whatever the blocks and the reads are.

use std::ops::ControlFlow;

use proptest::prelude::*;
use session_scan::testing::{Counting, MemoryCorpus};
use session_scan::{Corpus, Entry, SearchBuffer, Searcher};

/// The oracle: every position of every pattern, by offset, then by pattern.
fn naive(patterns: &[Vec<u8>], text: &[u8]) -> Vec<(u64, usize)> {
    let mut found = Vec::new();
    for offset in 0..=text.len() {
        for (pattern, bytes) in patterns.iter().enumerate() {
            if text[offset..].starts_with(bytes) {
                found.push((offset as u64, pattern));
            }
        }
    }
    found
}

fn file(text: &[u8], longest_read: usize) -> MemoryCorpus {
    MemoryCorpus::new()
        .file("x", text, 0)
        .longest_read(longest_read)
}

fn found(
    searcher: &Searcher,
    corpus: &impl Corpus,
    buffer: &mut SearchBuffer,
) -> Vec<(u64, usize)> {
    let file = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
    let mut found = Vec::new();
    searcher
        .search_file(corpus, &file, buffer, |hit| {
            found.push((hit.offset, hit.pattern));
            ControlFlow::Continue(())
        })
        .expect("reads");
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn occurrences_equal_the_oracle_for_any_block_and_read(
        text in prop::collection::vec(prop::sample::select(b"aab\"".to_vec()), 0..300),
        patterns in prop::collection::vec(
            prop::collection::vec(prop::sample::select(b"aab".to_vec()), 0..9), 0..4),
        block in 1..80_usize,
        longest_read in 1..90_usize,
    ) {
        let searcher = Searcher::new(patterns.clone()).block_bytes(block);
        let corpus = file(&text, longest_read);
        let mut buffer = SearchBuffer::new();
        let expected = naive(&patterns, &text);
        prop_assert_eq!(&found(&searcher, &corpus, &mut buffer), &expected);
        prop_assert_eq!(&found(&searcher, &corpus, &mut buffer), &expected, "the buffer is reusable");
        let opened = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
        let first = searcher.contains_any(&corpus, &opened, &mut buffer).expect("reads");
        prop_assert_eq!(first.map(|hit| (hit.offset, hit.pattern)), expected.first().copied());
    }
}

/// Texts in which an occurrence lies across each border of a block, and overlapping ones.
fn border_texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = vec![b"aaaaaaaaaaaaaaaaaaaaaaaa".to_vec()];
    for at in 0..40 {
        let mut text = vec![b'.'; 48];
        text[at..at + 4].copy_from_slice(b"abab");
        texts.push(text);
    }
    texts
}

/// The promise on fixed texts; returns a text that breaks it.
fn counterexample(search: impl Fn(&[u8], &[u8]) -> Vec<u64>) -> Option<Vec<u8>> {
    border_texts().into_iter().find(|text| {
        [&b"abab"[..], b"aa", b"aaa"].iter().any(|pattern| {
            let naive = naive(&[pattern.to_vec()], text);
            search(pattern, text) != naive.iter().map(|hit| hit.0).collect::<Vec<_>>()
        })
    })
}

/// A searcher in a few lines with a chosen overlap between its blocks of 16 bytes and a chosen step after a match.
fn mutant(pattern: &[u8], text: &[u8], overlap: usize, step: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let mut base = 0;
    loop {
        let end = (base + 16).min(text.len());
        let mut at = base;
        while at + pattern.len() <= end {
            if &text[at..at + pattern.len()] == pattern {
                found.push(at as u64);
                at += step;
            } else {
                at += 1;
            }
        }
        if end == text.len() {
            return found;
        }
        base = end - overlap;
    }
}

#[test]
fn mutants_without_overlap_or_with_double_reports_are_caught() {
    let real = |pattern: &[u8], text: &[u8]| {
        let searcher = Searcher::new([pattern]).block_bytes(16);
        let hits = found(&searcher, &file(text, 5), &mut SearchBuffer::new());
        hits.iter().map(|hit| hit.0).collect()
    };
    assert_eq!(counterexample(real), None);
    assert_eq!(
        counterexample(|pattern, text| mutant(pattern, text, pattern.len() - 1, 1)),
        None
    );
    assert!(counterexample(|pattern, text| mutant(pattern, text, 0, 1)).is_some());
    assert!(counterexample(|pattern, text| mutant(pattern, text, 6, 1)).is_some());
    assert!(
        counterexample(|pattern, text| mutant(pattern, text, pattern.len() - 1, pattern.len()))
            .is_some()
    );
}

#[test]
fn a_pattern_longer_than_a_block_is_found() {
    let mut text = vec![b'x'; 5_000];
    text[1_234..4_321].fill(b'y');
    let pattern = text[1_200..4_400].to_vec();
    let searcher = Searcher::new([pattern]).block_bytes(64);
    assert_eq!(
        found(&searcher, &file(&text, 1_000), &mut SearchBuffer::new()),
        [(1_200, 0)]
    );
}

#[test]
fn a_real_block_border_is_crossed() {
    let border = 256 * 1024;
    for at in [border - 4, border - 1, border, 2 * border - 3] {
        let mut text = vec![b' '; 3 * border];
        text[at..at + 4].copy_from_slice(b"word");
        let searcher = Searcher::new([&b"word"[..], b"missing needle"]);
        let corpus = file(&text, usize::MAX);
        assert_eq!(
            found(&searcher, &corpus, &mut SearchBuffer::new()),
            [(at as u64, 0)]
        );
    }
}

#[test]
fn the_first_occurrence_ends_the_reading() {
    let mut text = vec![b' '; 4 * 256 * 1024];
    text[10..14].copy_from_slice(b"word");
    let corpus = Counting::new(file(&text, usize::MAX));
    let opened = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
    let searcher = Searcher::new(["word"]);
    let first = searcher
        .contains_any(&corpus, &opened, &mut SearchBuffer::new())
        .expect("reads");
    assert_eq!(first.map(|hit| hit.offset), Some(10));
    assert!(corpus.bytes() < 300_000, "one block: {}", corpus.bytes());
}

#[test]
fn a_smaller_search_after_a_larger_one_sees_no_leftovers() {
    let mut buffer = SearchBuffer::new();
    let large = Searcher::new(["needle"]).block_bytes(4_000);
    assert_eq!(
        found(&large, &file(b"needle needle needle", 99), &mut buffer).len(),
        3
    );
    let small = Searcher::new(["needle"]).block_bytes(3);
    assert_eq!(found(&small, &file(b"need", 99), &mut buffer), []);
    assert_eq!(found(&large, &file(b"", 99), &mut buffer), []);
}

#[test]
fn no_patterns_occur_nowhere_and_read_nothing() {
    let corpus = Counting::new(file(b"text", 9));
    let none: [&[u8]; 0] = [];
    assert_eq!(
        found(&Searcher::new(none), &corpus, &mut SearchBuffer::new()),
        []
    );
    assert_eq!(corpus.reads(), 0);
}
