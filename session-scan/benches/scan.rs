//! The walk and the searcher on files in memory: what the machinery itself costs, with checked answers.
//!
//! Names are `operation/shape/size`. Reading from a real directory is measured by the project's own benches, beside the
//! reference algorithm and a floor.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use memchr::memmem;
use session_scan::testing::{MemoryCorpus, MemoryFile};
use session_scan::{Corpus, Entry, Look, Newest, Probe, Ranked, SearchBuffer, Searcher};

const FILES: i128 = 10_000;

/// Wants the files whose first byte is `h`, in the order of their mtime.
struct FirstByte;

struct Hit(i128);

impl Ranked for Hit {
    type Rank = i128;

    fn rank(&self) -> i128 {
        self.0
    }

    fn at(&self) -> i128 {
        self.0
    }
}

impl Probe<MemoryFile> for FirstByte {
    type Hit = Hit;

    fn probe(&self, entry: &Entry, file: &MemoryFile) -> Look<Hit> {
        if file.bytes().first() == Some(&b'h') {
            Look::Hit(Hit(entry.modified))
        } else {
            Look::Miss
        }
    }
}

/// Ten thousand files, of which only the one with this mtime is wanted.
fn files(wanted: i128) -> MemoryCorpus {
    (0..FILES).fold(MemoryCorpus::new(), |corpus, modified| {
        let text = if modified == wanted { "hit" } else { "miss" };
        corpus.file(&format!("f{modified}"), text, modified)
    })
}

fn newest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("newest");
    for (shape, wanted) in [
        ("match-newest", FILES - 1),
        ("match-oldest", 0),
        ("no-match", -1),
    ] {
        let corpus = files(wanted);
        let entries = corpus.list().expect("lists").entries;
        let expected = (wanted >= 0).then_some(wanted);
        for threads in [1, 2] {
            group.bench_function(format!("{shape}/{FILES}/{threads}-threads"), |bencher| {
                bencher.iter_batched(
                    || entries.clone(),
                    |entries| {
                        let mut newest = Newest::new(&corpus, entries, &FirstByte).threads(threads);
                        let first = newest.next_hit().map(|(entry, _)| entry.modified);
                        assert_eq!(first, expected);
                        newest
                    },
                    BatchSize::LargeInput,
                );
            });
        }
        // The floor: sort all, then look at all.
        group.bench_function(format!("{shape}/{FILES}/naive"), |bencher| {
            bencher.iter_batched(
                || entries.clone(),
                |mut entries| {
                    entries.sort_by_key(|entry| -entry.modified);
                    let first = entries.iter().find(|entry| {
                        let file = corpus.open(entry).expect("opens");
                        matches!(FirstByte.probe(entry, &file), Look::Hit(_))
                    });
                    assert_eq!(first.map(|entry| entry.modified), expected);
                    entries
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn search(criterion: &mut Criterion) {
    let line = br#"{"type":"text","text":"some words of a transcript, none of them rare"},"#;
    let mut text: Vec<u8> = line.iter().copied().cycle().take(16 << 20).collect();
    let at = text.len() - 100;
    text[at..at + 11].copy_from_slice(b"rare needle");
    let corpus = MemoryCorpus::new().file("x", &text, 0);
    let file = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
    let common = text
        .windows(10)
        .filter(|window| window == b"transcript")
        .count();

    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let cases: [(&str, &[&str], usize); 3] = [
        ("rare-word", &["rare needle"], 1),
        (
            "four-spellings",
            &[
                "rare needle",
                "rare\\u0020needle",
                "\\u0072are",
                "rar\\u0065",
            ],
            1,
        ),
        ("common-word", &["transcript"], common),
    ];
    for (shape, patterns, expected) in cases {
        let searcher = Searcher::new(patterns.iter().copied());
        let mut buffer = SearchBuffer::new();
        group.bench_function(format!("{shape}/16MB"), |bencher| {
            bencher.iter(|| {
                let mut count = 0;
                let visit = |_| {
                    count += 1;
                    ControlFlow::Continue(())
                };
                searcher
                    .search_file(&corpus, &file, &mut buffer, visit)
                    .expect("reads");
                assert_eq!(count, expected);
            });
        });
    }
    // The floor: the same bytes searched in place, without reading.
    let finder = memmem::Finder::new("rare needle");
    group.bench_function("rare-word/16MB/in-place", |bencher| {
        bencher.iter(|| assert_eq!(finder.find(black_box(&text)), Some(at)));
    });
    group.finish();
}

criterion_group!(benches, newest, search);
criterion_main!(benches);
