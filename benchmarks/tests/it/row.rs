//! The JSON that other programs read.

use std::time::Duration;

use serde_json::{Value, json};
use session_benchmarks::allocator::Allocated;
use session_benchmarks::kernel_trace::Traced;
use session_benchmarks::method::{Role, Timing};
use session_benchmarks::record::Record;
use session_benchmarks::row::Row;
use session_benchmarks::stats::Summary;

fn timing(name: &'static str, role: Role, nanoseconds: u64) -> Timing {
    let time = Summary::of(&[Duration::from_nanos(nanoseconds)]).unwrap();
    Timing {
        name,
        role,
        time,
        allocated: Allocated {
            calls: 3,
            peak: 4_096,
        },
    }
}

fn measured() -> Row {
    let mut row = Row::unmeasured("tail/plain/200/1MB", "realistic", String::new());
    row.take(&[
        timing("ours", Role::Ours, 1_000),
        timing("ours-2-threads", Role::Ours, 600),
        timing("reference", Role::Reference, 9_000),
        timing("sqlite-open", Role::Rival, 2_000),
        timing("read", Role::Floor, 500),
        timing("needed-bytes", Role::Floor, 400),
    ]);
    row.count(Traced {
        calls: 12,
        bytes_read: 65_536,
    });
    row
}

#[test]
fn a_measured_row_has_the_members_that_are_promised() {
    let json = serde_json::to_value(measured()).unwrap();
    for (name, expected) in [
        ("name", json!("tail/plain/200/1MB")),
        ("shape", json!("realistic")),
        ("ours_ns", json!(1_000)),
        ("reference_ns", json!(9_000)),
        ("floor_ns", json!(500)),
        (
            "rivals",
            json!({"ours-2-threads": 600, "sqlite-open": 2_000, "floor:needed-bytes": 400}),
        ),
        ("bytes_read", json!(65_536)),
        ("syscalls", json!(12)),
        ("allocations", json!(3)),
        ("peak_bytes", json!(4_096)),
        ("target", Value::Null),
        ("met", Value::Null),
    ] {
        assert_eq!(json[name], expected, "{name}");
    }
}

#[test]
fn a_row_that_is_not_built_has_nulls() {
    let row = Row::unmeasured(
        "tail/footer/200/1MB",
        "realistic",
        "not built (issue 4)".to_owned(),
    );
    let json = serde_json::to_value(row).unwrap();
    for name in [
        "ours_ns",
        "reference_ns",
        "floor_ns",
        "bytes_read",
        "syscalls",
        "met",
    ] {
        assert_eq!(json.get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(json["rivals"], json!({}));
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let scratch = tempfile::tempdir().unwrap();
    let mut record = Record {
        rows: vec![measured()],
        ..Record::default()
    };
    record.machine.cpu = "Some CPU (R) 3.0".to_owned();
    record.machine.threads = 2;
    record.machine.date = "2026-01-21T12:00:00Z".to_owned();
    let path = record.save(scratch.path()).unwrap();
    assert!(
        path.ends_with("some-cpu-r-3-0-2t/2026-01-21T12-00-00Z.json"),
        "{}",
        path.display()
    );
    let read = Record::load(&path).unwrap();
    assert_eq!(
        serde_json::to_value(&read).unwrap(),
        serde_json::to_value(&record).unwrap()
    );
}
