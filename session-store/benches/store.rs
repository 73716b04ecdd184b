//! The store's calls on a medium in memory and on a directory without syncs: what they cost besides the disk.
//!
//! Comparisons with other stores are in `benchmarks/`; this is for tuning the facade alone.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use session_model::testing::Generator;
use session_store::{
    Append, Builder, Durability, MemoryBackend, Message, Query, Session, SessionId, SessionStore,
    Window,
};

/// Relative, so that a lookup never asks the file system where it is.
const WORK: &str = "work";

fn generated(bytes: u64) -> Session {
    let id = SessionId::new("bench").expect("a valid id");
    Generator::new(1)
        .id(id)
        .directory(WORK)
        .bytes(bytes)
        .session()
}

fn stores(scratch: &Path) -> [(&'static str, SessionStore); 2] {
    let memory = Builder::on(Arc::new(MemoryBackend::new()));
    let directory = SessionStore::builder(scratch.join("sessions")).durability(Durability::Process);
    [("memory", memory), ("directory", directory)]
        .map(|(name, builder)| (name, builder.open().expect("a store")))
}

fn one_session(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one");
    group.sample_size(20);
    for bytes in [100_000, 1_000_000] {
        let session = generated(bytes);
        let scratch = tempfile::tempdir().expect("a directory");
        for (medium, store) in stores(scratch.path()) {
            group.throughput(Throughput::Bytes(bytes));
            let case = |call: &str| BenchmarkId::new(format!("{call}/{medium}"), bytes);
            group.bench_function(case("save"), |bencher| {
                bencher.iter(|| store.overwrite(&session).expect("saved"));
            });
            group.bench_function(case("load"), |bencher| {
                bencher.iter(|| store.load(&session.id).expect("loaded"));
            });
            assert_eq!(store.load(&session.id).expect("loaded"), session);
            group.bench_function(case("tail"), |bencher| {
                bencher.iter(|| {
                    let tail = store
                        .load_tail(&session.id, Window::last(20))
                        .expect("a tail");
                    assert_eq!(tail.messages.len(), session.messages.len().min(20));
                    tail
                });
            });
            group.bench_function(case("append"), |bencher| {
                let turn = Append::new()
                    .message(&Message::user("next"))
                    .expect("a message");
                bencher.iter(|| store.append(&session.id, &turn).expect("appended"));
                store.overwrite(&session).expect("saved");
            });
        }
    }
    group.finish();
}

fn many_sessions(criterion: &mut Criterion) {
    const SESSIONS: usize = 500;
    let mut group = criterion.benchmark_group("many");
    group.sample_size(20);
    let scratch = tempfile::tempdir().expect("a directory");
    for (medium, store) in stores(scratch.path()) {
        for n in 0..SESSIONS {
            let mut session = generated(4_000);
            session.id = SessionId::new(&format!("s{n}")).expect("a valid id");
            session.metadata.directory = Some(format!("{WORK}/{}", n % 50).into());
            store.save(&session).expect("saved");
        }
        let workspace = Path::new("work/7");
        group.bench_function(format!("last_for_directory/{medium}"), |bencher| {
            bencher.iter(|| {
                let tail = store
                    .last_for_directory_tail(Some(workspace), Window::last(1))
                    .expect("a lookup");
                assert_eq!(
                    tail.as_ref().and_then(|tail| tail.directory()),
                    Some(workspace)
                );
                tail
            });
        });
        group.bench_function(format!("list/{medium}"), |bencher| {
            bencher.iter(|| {
                let listing = store.list(&Query::new().limit(50)).expect("a listing");
                assert_eq!((listing.rows.len(), listing.skipped.len()), (50, 0));
                black_box(listing)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, one_session, many_sessions);
criterion_main!(benches);
