//! Decodes and encodes sessions in memory, against the floor of merely lexing them and against
//! `serde_json::Value`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use session_model::testing::{Generator, Layout, Shape};
use session_model::{Session, SessionHeader, SessionRecord};

const MEGABYTE: u64 = 1 << 20;

fn documents() -> Vec<(&'static str, Generator)> {
    let generator = Generator::new(1).bytes(MEGABYTE);
    vec![
        ("realistic", generator.clone()),
        ("pretty", generator.clone().layout(Layout::OlderPretty)),
        ("tiny", generator.clone().shape(Shape::TinyMessages)),
        ("escapes", generator.clone().shape(Shape::EscapeDense)),
        ("cjk", generator.shape(Shape::Cjk)),
    ]
}

fn json(criterion: &mut Criterion) {
    for (shape, generator) in documents() {
        let session = generator.session();
        let mut text = Vec::new();
        generator.write_to(&mut text).expect("a document");

        let mut group = criterion.benchmark_group("decode");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(
            BenchmarkId::new(format!("session/{shape}"), "1MB"),
            &text,
            |bench, text| {
                let count = session.messages.len();
                bench.iter(|| {
                    let read: Session = serde_json::from_slice(text).expect("a session");
                    assert_eq!(read.messages.len(), count);
                    read
                });
            },
        );
        group.bench_with_input(
            BenchmarkId::new(format!("value/{shape}"), "1MB"),
            &text,
            |bench, text| {
                bench.iter(|| {
                    serde_json::from_slice::<serde_json::Value>(black_box(text)).expect("JSON")
                });
            },
        );
        group.bench_with_input(
            BenchmarkId::new(format!("lex/{shape}"), "1MB"),
            &text,
            |bench, text| {
                bench.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(text)).expect("JSON"));
            },
        );
        group.bench_with_input(
            BenchmarkId::new(format!("header/{shape}"), "1MB"),
            &text,
            |bench, text| {
                bench.iter(|| {
                    let header = SessionHeader::parse(text, Session::DIRECTORY).expect("a header");
                    assert_eq!(header.id.as_deref(), Some(session.id()));
                    header
                });
            },
        );
        group.finish();

        let mut group = criterion.benchmark_group("encode");
        group.throughput(Throughput::Bytes(text.len() as u64));
        let length = serde_json::to_vec(&session).expect("a session").len();
        group.bench_with_input(
            BenchmarkId::new(format!("session/{shape}"), "1MB"),
            &session,
            |bench, session| {
                bench.iter(|| {
                    let written = serde_json::to_vec(session).expect("a session");
                    assert_eq!(written.len(), length);
                    written
                });
            },
        );
        group.finish();
    }
}

fn generate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Bytes(16 * MEGABYTE));
    group.sample_size(10);
    group.bench_function("realistic/16MB", |bench| {
        bench.iter(|| {
            let written = Generator::new(1)
                .bytes(16 * MEGABYTE)
                .write_to(&mut std::io::sink())
                .expect("a sink");
            assert!(written > 15 * MEGABYTE);
        });
    });
    group.finish();
}

criterion_group!(benches, json, generate);
criterion_main!(benches);
