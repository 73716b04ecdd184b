//! The codec's operations on documents in memory, against `serde_json` on the
//! same bytes and against merely copying them.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use session_codec::{Amendment, Codec, HeaderSpec, TailCap};

const WINDOW: usize = 200;

/// A transcript of about `bytes` in one of a few shapes.
fn document(shape: &str, bytes: usize) -> Vec<u8> {
    let text = match shape {
        "tiny" => "ok".to_owned(),
        "escapes" => "{\"path\":\"C:\\\\x\\\\y\",\"out\":\"a\\nb\\t\\\"q\\\"\"}".repeat(40),
        "base64" => "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo".repeat(1000),
        "cjk" => "漢字とかなを混ぜた文章です。".repeat(60),
        _ => "some output of a tool, a line\nand another: \"quoted\"\n".repeat(40),
    };
    let message =
        |n: usize| json!({"role": "tool", "content": [{"type": "text", "text": text, "n": n}]});
    let count = bytes / message(0).to_string().len() + WINDOW;
    let messages: Vec<Value> = (0..count).map(message).collect();
    let value =
        json!({"agent": "build", "id": "a", "messages": messages, "tool_uses": [], "usage": {}});
    serde_json::to_vec(&value).unwrap_or_default()
}

fn tail(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tail");
    for shape in ["realistic", "tiny", "escapes", "base64", "cjk"] {
        let document = document(shape, 10 << 20);
        let cap = TailCap::new().cap("messages", WINDOW);
        let expected = {
            let mut value: Value = serde_json::from_slice(&document).unwrap_or_default();
            let array = value["messages"]
                .as_array_mut()
                .map(std::mem::take)
                .unwrap_or_default();
            value["messages"] = array[array.len() - WINDOW..].into();
            value
        };
        let codec = Codec::new();
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function(
            BenchmarkId::new(format!("read_at/{WINDOW}/10MB"), shape),
            |bencher| {
                bencher.iter(|| {
                    let tail = codec.tail::<Value, _>(document.as_slice(), &cap);
                    assert!(tail.is_ok_and(|tail| tail.value == expected));
                });
            },
        );
        group.bench_function(BenchmarkId::new("walk/10MB", shape), |bencher| {
            bencher.iter(|| {
                let valid = codec.validate(document.as_slice());
                assert!(valid.is_ok_and(|valid| valid.bytes == document.len() as u64));
            });
        });
        group.bench_function(BenchmarkId::new("ignored_any/10MB", shape), |bencher| {
            bencher.iter(|| {
                assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&document).is_ok());
            });
        });
        group.bench_function(BenchmarkId::new("floor_copy/10MB", shape), |bencher| {
            let mut buffer = vec![0; 256 << 10];
            bencher.iter(|| {
                for piece in document.chunks(buffer.len()) {
                    buffer[..piece.len()].copy_from_slice(piece);
                    black_box(&buffer);
                }
            });
        });
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let document = document("realistic", 10 << 20);
    let value: Value = serde_json::from_slice(&document).unwrap_or_default();
    let codec = Codec::new();
    let mut group = criterion.benchmark_group("whole");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("encode/10MB", |bencher| {
        bencher.iter(|| {
            let encoded = codec.encode(&value, std::io::sink());
            assert!(encoded.is_ok_and(|encoded| encoded.bytes == document.len() as u64));
        });
    });
    group.bench_function("serde_json_to_writer/10MB", |bencher| {
        bencher.iter(|| {
            let out = std::io::BufWriter::with_capacity(64 << 10, std::io::sink());
            assert!(serde_json::to_writer(out, &value).is_ok());
        });
    });
    group.bench_function("decode/10MB", |bencher| {
        bencher.iter(|| {
            assert!(
                codec
                    .decode::<Value>(document.clone())
                    .is_ok_and(|v| v == value)
            );
        });
    });
    let amendment = Amendment::new().element("messages", "{}");
    group.bench_function("amend/10MB", |bencher| {
        bencher.iter(|| {
            let amended = codec.amend(document.as_slice(), &amendment, std::io::sink());
            assert!(amended.is_ok_and(|amended| amended.bytes == document.len() as u64 + 3));
        });
    });
    let spec = HeaderSpec::new(&["id", "agent", "usage"], &["id"], &["messages"]);
    group.bench_function("header/10MB", |bencher| {
        bencher.iter(|| {
            let header = codec.header(document.as_slice(), &spec);
            assert!(header.is_ok_and(|header| header.bytes_read < 10_000));
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = tail, whole
}
criterion_main!(benches);
