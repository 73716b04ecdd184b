//! Lookups and changes with few and many workspaces, beside the map that the reference keeps in one file.
//!
//! Everything but the group `dir` is in memory, so that formats are compared and not disks.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use session_index::testing::MemoryStorage;
use session_index::{
    DirStorage, Durability, JsonMapIndex, MemoryIndex, Pointer, SidecarIndex, WorkspaceIndex,
};

const COUNTS: [usize; 2] = [100, 10_000];

/// The map as the reference reads and writes it: whole, each time.
#[derive(Serialize, Deserialize)]
struct Baseline {
    entries: HashMap<String, String>,
}

fn workspace(number: usize) -> PathBuf {
    PathBuf::from(format!(
        "/home/somebody/projects/client-{}/repository-{number}",
        number % 97
    ))
}

fn pointer(number: usize) -> Pointer {
    let at = 1_773_171_774_066_971_411 + number as i128;
    Pointer::new(format!("2f1c0d9e-53b6-4b0e-a8a5-{number:012}"), at, at)
}

fn filled<I: WorkspaceIndex>(index: I, count: usize) -> I {
    let mut change = index.begin().expect("nobody else has the lock");
    for number in 0..count {
        change.record(Some(&workspace(number)), pointer(number));
    }
    change.commit().expect("the storage is sound");
    index
}

fn baseline(count: usize) -> Vec<u8> {
    let entries = (0..count)
        .map(|number| (workspace(number).display().to_string(), pointer(number).id))
        .collect();
    serde_json::to_vec(&Baseline { entries }).expect("texts are JSON")
}

fn check_lookup(index: &dyn WorkspaceIndex, count: usize) {
    let answer = index
        .lookup(Some(black_box(&workspace(count / 2))))
        .expect("the storage is sound");
    assert_eq!(
        answer.pointer().map(|found| &found.id),
        Some(&pointer(count / 2).id)
    );
}

fn check_record(index: &dyn WorkspaceIndex, count: usize, round: &mut usize) {
    *round += 1;
    let mut change = index.begin().expect("nobody else has the lock");
    change.record(Some(&workspace(count / 2)), pointer(count + *round));
    change.commit().expect("the storage is sound");
}

fn lookup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup");
    for count in COUNTS {
        let indexes: [(&str, Box<dyn WorkspaceIndex>); 3] = [
            (
                "sidecar",
                Box::new(filled(SidecarIndex::new(MemoryStorage::new()), count)),
            ),
            (
                "json-map",
                Box::new(filled(JsonMapIndex::new(MemoryStorage::new()), count)),
            ),
            ("memory", Box::new(filled(MemoryIndex::new(), count))),
        ];
        for (name, index) in &indexes {
            group.bench_function(BenchmarkId::new(*name, count), |bencher| {
                bencher.iter(|| check_lookup(&**index, count));
            });
        }
        let text = baseline(count);
        group.bench_function(BenchmarkId::new("baseline", count), |bencher| {
            bencher.iter(|| {
                let map: Baseline =
                    serde_json::from_slice(black_box(&text)).expect("written above");
                assert_eq!(
                    map.entries[&workspace(count / 2).display().to_string()],
                    pointer(count / 2).id
                );
            });
        });
    }
    group.finish();
}

fn record(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    for count in COUNTS {
        let indexes: [(&str, Box<dyn WorkspaceIndex>); 3] = [
            (
                "sidecar",
                Box::new(filled(SidecarIndex::new(MemoryStorage::new()), count)),
            ),
            (
                "json-map",
                Box::new(filled(JsonMapIndex::new(MemoryStorage::new()), count)),
            ),
            ("memory", Box::new(filled(MemoryIndex::new(), count))),
        ];
        for (name, index) in &indexes {
            let mut round = 0;
            group.bench_function(BenchmarkId::new(*name, count), |bencher| {
                bencher.iter(|| check_record(&**index, count, &mut round));
            });
            let answer = index
                .lookup(Some(&workspace(count / 2)))
                .expect("the storage is sound");
            assert_eq!(
                answer.pointer().map(|found| &found.id),
                Some(&pointer(count + round).id)
            );
        }
        let mut text = baseline(count);
        let mut round = 0;
        group.bench_function(BenchmarkId::new("baseline", count), |bencher| {
            bencher.iter(|| {
                round += 1;
                let mut map: Baseline = serde_json::from_slice(&text).expect("written below");
                map.entries.insert(
                    workspace(count / 2).display().to_string(),
                    pointer(count + round).id,
                );
                text = serde_json::to_vec(&map).expect("texts are JSON");
            });
        });
    }
    group.finish();
}

fn dir(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dir");
    for count in COUNTS {
        let root = tempfile::tempdir().expect("a temporary directory");
        let storage = DirStorage::new(root.path()).durability(Durability::Process);
        let index = filled(SidecarIndex::new(storage), count);
        let mut round = 0;
        group.bench_function(BenchmarkId::new("lookup", count), |bencher| {
            bencher.iter(|| check_lookup(&index, count));
        });
        group.bench_function(BenchmarkId::new("record", count), |bencher| {
            bencher.iter(|| check_record(&index, count, &mut round));
        });
    }
    group.finish();
}

criterion_group!(benches, lookup, record, dir);
criterion_main!(benches);
