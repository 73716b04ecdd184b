//! What calls take from the allocator at most, and how often they read. A binary
//! of its own, because it brings an allocator that counts.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use allocation_counter::{AllocationInfo, measure};
use serde::{Deserialize, Serialize};
use session_codec::{Codec, CountBuffer, FooterUse, ReadAt, TailCap};

const MARKED: &[&str] = &["messages"];
const KB: usize = 1 << 10;
const MB: usize = 1 << 20;

/// Does something and says what it took on this thread.
fn measured<T>(work: impl FnOnce() -> T) -> (T, AllocationInfo) {
    let mut result = None;
    let taken = measure(|| result = Some(work()));
    (result.expect("it was done"), taken)
}

/// Does something and says what it held at most, its result included.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let (result, taken) = measured(work);
    (
        result,
        usize::try_from(taken.bytes_max).expect("bytes in memory"),
    )
}

/// A document that counts how it is read.
struct Watched<'a> {
    bytes: &'a [u8],
    reads: AtomicU64,
    read: AtomicU64,
}

impl<'a> Watched<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            reads: AtomicU64::new(0),
            read: AtomicU64::new(0),
        }
    }
}

impl ReadAt for Watched<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.bytes.read_at(buf, offset)?;
        self.reads.fetch_add(1, Relaxed);
        self.read.fetch_add(read as u64, Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.bytes.size()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Log {
    id: String,
    messages: Vec<Message>,
    agent: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Message {
    role: String,
    text: String,
}

/// A log of about so many bytes, in messages of one to three kilobytes.
fn log(bytes: usize) -> Log {
    let message = |n: usize| Message {
        role: "assistant".to_owned(),
        text: "a line of \"output\"\n".repeat(50 + n % 100),
    };
    Log {
        id: "log".to_owned(),
        messages: (0..bytes / (2 * KB)).map(message).collect(),
        agent: "build".to_owned(),
    }
}

fn encoded(codec: &Codec, log: &Log) -> Vec<u8> {
    let mut out = Vec::new();
    codec.encode(log, &mut out).expect("a log is a document");
    out
}

fn last(keep: usize) -> TailCap {
    TailCap::new().cap("messages", keep)
}

/// What the decoded value takes.
fn value_bytes(log: &Log) -> usize {
    peak_of(|| log.clone()).1
}

#[test]
fn a_tail_by_footer_takes_two_and_a_half_times_what_it_keeps_and_six_reads() {
    let log = log(6 * MB);
    let document = encoded(&Codec::new().marks(MARKED), &log);
    for keep in [20, 50, 200, 400] {
        let codec = Codec::new();
        let kept = codec.prune(&document, &last(keep)).expect("a document");
        let kept = kept.json.len();
        assert!(kept < MB, "{kept} bytes are no small window");
        let source = Watched::new(&document);
        let (tail, peak) = peak_of(|| codec.tail::<Log, _>(&source, &last(keep)));
        let tail = tail.expect("a document");
        assert_eq!(tail.footer, FooterUse::Used);
        assert_eq!(
            tail.value.messages,
            log.messages[log.messages.len() - keep..]
        );
        // What is held besides does not grow with the window: the first read of
        // the end, and the footer in memory.
        assert!(
            peak <= kept * 5 / 2 + 64 * KB,
            "{peak} bytes for {kept} kept"
        );
        let (reads, read) = (source.reads.into_inner(), source.read.into_inner());
        assert!(reads <= 6, "{reads} reads");
        let allowed = kept * 13 / 10 + 64 * KB;
        assert!(read <= allowed as u64, "{read} bytes for {kept} kept");
    }
    // The bounds are ones that reading everything does not keep.
    let source = Watched::new(&document);
    let (loaded, peak) = peak_of(|| Codec::new().load::<Log, _>(&source));
    assert_eq!(loaded.expect("a document").value, log);
    assert!(peak > MB * 5 / 2 && source.reads.into_inner() > 6);
}

#[test]
fn a_plain_tail_takes_its_window_and_two_megabytes_whatever_the_size() {
    let mut peaks = Vec::new();
    for size in [MB, 3 * MB, 12 * MB] {
        let log = log(size);
        let document = encoded(&Codec::new(), &log);
        for threads in [1, 2] {
            let codec = Codec::new().threads(threads);
            let (tail, peak) = peak_of(|| codec.tail::<Log, _>(&document, &last(100)));
            let tail = tail.expect("a document");
            let messages = &log.messages[log.messages.len() - 100..];
            assert_eq!(tail.value.messages, messages);
            let (value, kept) = (value_bytes(&tail.value), 100 * 2 * KB);
            assert!(
                peak <= value + kept + 2 * MB,
                "{peak} bytes of {size}, of which {value} are the value"
            );
            if threads == 1 && size > MB {
                peaks.push(peak - value);
            }
        }
        // Held whole, a document breaks the bound.
        if size == 12 * MB {
            let (_, peak) = peak_of(|| document.read_all().map(|all| all.len()));
            assert!(peak > 3 * MB);
        }
    }
    // Four times the document: sixteen bytes more for each megabyte, for its hash.
    let grown = peaks[1].abs_diff(peaks[0]);
    assert!(grown < 64 * KB, "{grown} bytes more");
}

#[test]
fn an_encoding_takes_less_than_a_megabyte_whatever_the_size() {
    for size in [MB, 12 * MB] {
        let log = log(size);
        for codec in [Codec::new(), Codec::new().marks(MARKED)] {
            let (encoded, peak) = peak_of(|| codec.encode(&log, io::sink()));
            let encoded = encoded.expect("a log is a document");
            assert!(encoded.bytes > size as u64 / 2);
            assert!(peak <= MB, "{peak} bytes for a document of {size}");
        }
        // Held whole, a document breaks the bound.
        let (whole, peak) = peak_of(|| encoded(&Codec::new(), &log));
        assert!(size < 2 * MB || (peak > MB && whole.len() > MB));
    }
}

#[test]
fn counting_in_many_documents_asks_for_memory_once() {
    let plain = encoded(&Codec::new(), &log(MB));
    let marked = encoded(&Codec::new().marks(MARKED), &log(MB));
    let short = encoded(&Codec::new().marks(MARKED), &log(20 * KB));
    let (codec, mut buffer) = (Codec::new(), CountBuffer::new());
    let mut count = |document: &Vec<u8>| {
        let (counts, taken) = measured(|| {
            let counts = codec.count_with(document, MARKED, &mut buffer);
            counts.map(|counts| counts[0])
        });
        assert!(counts.expect("a document").is_some());
        (taken.count_total, taken.bytes_max)
    };
    let first = [&plain, &marked, &short].map(&mut count);
    assert!(
        first[0].1 > 60 * KB as u64,
        "the bound is one that fresh memory does not keep"
    );
    assert!(
        first.iter().all(|(_, peak)| *peak < 160 * KB as u64),
        "{first:?}"
    );
    for _ in 0..50 {
        // The name of a member that may be one of those asked for is kept while it is read.
        let (asked, peak) = count(&plain);
        assert!(
            asked <= 4 && peak <= KB as u64,
            "{asked} times, {peak} bytes"
        );
        for document in [&marked, &short] {
            assert_eq!(count(document), (0, 0));
        }
    }
}

#[test]
fn a_part_is_written_in_memory_of_its_own_size() {
    let codec = Codec::new();
    for length in [10, 1_000, 3_000] {
        let (text, peak) = peak_of(|| codec.encode_part(&"\n".repeat(length)).unwrap());
        assert_eq!(text.len(), 2 * length + 2);
        // Room for every byte to be escaped by six, and what is gathered, which is 4 KiB.
        assert!(peak < 8 * length + 10 * KB, "{peak} bytes for {length}");
    }
}
