//! What a footer costs to write and saves in reading, against `serde_json` into
//! the same writer and against merely reading and decoding the window's bytes.

use std::{hint::black_box, io::BufWriter, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use session_codec::{Codec, FooterUse, ReadAt as _, TailCap};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    r#type: String,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Message {
    role: String,
    content: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    id: String,
    messages: Vec<Message>,
    tool_uses: Vec<String>,
}

fn record(bytes: usize) -> Record {
    let text = "let answer = \"fourty two\";\n\tassert_eq!(answer.len(), 10); // said the test\n";
    let message = |n: usize| Message {
        role: ["user", "assistant"][n % 2].to_owned(),
        content: vec![Part {
            r#type: "text".to_owned(),
            text: text.repeat(1 + n * 7919 % 60),
        }],
    };
    let mut messages = Vec::new();
    let mut written = 0;
    while written < bytes {
        messages.push(message(messages.len()));
        written += 80 * (1 + messages.len() * 7919 % 60);
    }
    Record {
        id: "a".to_owned(),
        tool_uses: vec!["x".repeat(300); messages.len() / 4],
        messages,
    }
}

fn encode(c: &mut Criterion) {
    let record = record(10_000_000);
    let codec = Codec::new().marks(&["messages", "tool_uses"]);
    let mut group = c.benchmark_group("encode/10MB");
    group
        .measurement_time(Duration::from_secs(3))
        .sample_size(20);
    let mut out = Vec::with_capacity(16 << 20);
    group.bench_function("serde_json", |b| {
        b.iter(|| {
            out.clear();
            serde_json::to_writer(BufWriter::with_capacity(256 << 10, &mut out), &record).ok();
            black_box(out.len())
        });
    });
    group.bench_function("plain", |b| {
        b.iter(|| {
            out.clear();
            Codec::new().encode(&record, &mut out).ok();
            black_box(out.len())
        });
    });
    group.bench_function("footer", |b| {
        b.iter(|| {
            out.clear();
            codec.encode(&record, &mut out).ok();
            black_box(out.len())
        });
    });
    group.finish();
}

fn tail(c: &mut Criterion) {
    let mut group = c.benchmark_group("tail/200");
    group
        .measurement_time(Duration::from_secs(3))
        .sample_size(20);
    for (name, bytes) in [("10MB", 10_000_000), ("100MB", 100_000_000)] {
        let record = record(bytes);
        let mut file = tempfile::tempfile().expect("a file");
        let codec = Codec::new().marks(&["messages", "tool_uses"]);
        codec.encode(&record, &mut file).expect("a document");
        let cap = TailCap::all(&["messages", "tool_uses"], 200);
        let window = codec.prune(&file, &cap).expect("a window");
        let size = file.size().expect("a size");
        let expected: Record = serde_json::from_slice(&window.json).expect("a record");
        let bytes = window.json.len();
        group.bench_function(format!("floor/{name}"), |b| {
            b.iter(|| {
                let mut buffer = vec![0; bytes];
                file.read_exact_at(&mut buffer, size - bytes as u64)
                    .expect("bytes");
                black_box(&buffer);
                serde_json::from_slice::<Record>(&window.json).expect("a record")
            });
        });
        group.bench_function(format!("footer/{name}"), |b| {
            b.iter(|| {
                let tail = codec.tail::<Record, _>(&file, &cap).expect("a tail");
                assert_eq!(tail.footer, FooterUse::Used);
                tail.value
            });
        });
        let tail = codec.tail::<Record, _>(&file, &cap).expect("a tail");
        assert_eq!(tail.value, expected);
    }
    group.finish();
}

criterion_group!(benches, encode, tail);
criterion_main!(benches);
