//! Passing over dropped elements by structure, from memory, for each
//! instruction set this machine has, against merely copying the bytes.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use session_codec::{
    RevisionHasher,
    testing::{Instructions, skim},
};

/// One shape of transcript: its name, a message, and how many make a document.
fn document(shape: &str, bytes: usize) -> (Vec<u8>, u64) {
    let text = match shape {
        "tiny" => "ok".to_owned(),
        "escapes" => r#"{\"path\":\"C:\\\\x\\\\y\",\"out\":\"a\\nb\\t\\\"q\\\"\"}"#.repeat(40),
        "base64" => "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo".repeat(1000),
        "cjk" => "漢字とかなを混ぜた文章です。".repeat(60),
        _ => r#"some output of a tool, a line\nand another: \"quoted\"\n"#.repeat(40),
    };
    let message = format!(r#"{{"role":"tool","content":[{{"type":"text","text":"{text}"}}]}}"#);
    let count = bytes / message.len() + 1;
    let messages = vec![message; count].join(",");
    (
        format!(r#"{{"id":"a","messages":[{messages}],"usage":{{}}}}"#).into_bytes(),
        count as u64,
    )
}

fn structure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("skim");
    for shape in ["realistic", "tiny", "escapes", "base64", "cjk"] {
        let (document, count) = document(shape, 10 << 20);
        group.throughput(Throughput::Bytes(document.len() as u64));
        for set in Instructions::ALL
            .into_iter()
            .filter(|set| set.is_available())
        {
            group.bench_function(
                BenchmarkId::new(format!("{set:?}/10MB"), shape),
                |bencher| {
                    bencher.iter(|| {
                        let counted = skim(set, &document, "messages");
                        assert!(counted.is_ok_and(|counted| counted == Some(count)));
                    });
                },
            );
        }
        if shape != "realistic" {
            continue;
        }
        group.bench_function(BenchmarkId::new("hash/10MB", shape), |bencher| {
            bencher.iter(|| {
                let mut hasher = RevisionHasher::new();
                hasher.update(&document);
                black_box(hasher.finish())
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

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = structure
}
criterion_main!(benches);
