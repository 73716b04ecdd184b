//! The table of gates and its verdicts.

use session_benchmarks::case::Scale;
use session_benchmarks::gates::Unit;
use session_benchmarks::row::Row;
use session_benchmarks::{cases, gates};

fn row(name: &str, ours: u64, reference: u64) -> Row {
    let mut row = Row::unmeasured(name, "realistic", "measured".to_owned());
    row.ours_ns = Some(ours);
    row.reference_ns = Some(reference);
    row.peak_bytes = Some(3 << 20);
    row.peaks.insert("floor:needed-bytes".to_owned(), 2 << 20);
    row
}

fn verdict(line: &str) -> (Option<bool>, Option<bool>) {
    let mut rows = [row("tail/a/1MB", 100, 1_000), row("tail/a/1GB", 130, 9_000)];
    gates::judge(&mut rows, &gates::parse(line).unwrap());
    let found = &rows[1].gates[0];
    assert_eq!(rows[1].met, found.met);
    (found.met, found.goal_met)
}

#[test]
fn bounds_are_judged() {
    for (line, expected) in [
        (
            "4 | tail/a/1GB | reference / ours | >= 60 | >= 70",
            (Some(true), Some(false)),
        ),
        (
            "4 | tail/a/* | reference / ours | >= 70 |",
            (Some(false), None),
        ),
        (
            "4 | tail/a/1GB | ours / ours@tail/a/1MB | <= 1.4 | <= 1.3",
            (Some(true), Some(true)),
        ),
        (
            "4 | tail/a/1GB | ours / ours@tail/a/2MB | <= 1.4 |",
            (None, None),
        ),
        (
            "4 | tail/a/1GB | ours / sqlite-open | <= 0.85 | <= 0.5",
            (None, None),
        ),
        (
            "4 | tail/a/1GB | peak_bytes | <= 2MB | <= 1MB",
            (Some(false), Some(false)),
        ),
        (
            "4 | tail/a/1GB | extra_peak_bytes | <= 2MB | <= 1MB",
            (Some(true), Some(true)),
        ),
        ("4 | tail/a/1GB | ours | <= 1us |", (Some(true), None)),
    ] {
        assert_eq!(verdict(line), expected, "{line}");
    }
}

#[test]
fn a_floor_is_found_by_its_name_whether_or_not_it_is_the_only_one() {
    let line = "5 | list/changed | ours / floor:getdents+statx | <= 1.7 | <= 1.3";
    let mut only = row("list/changed", 150, 1_000);
    only.floor = Some("getdents+statx".to_owned());
    only.floor_ns = Some(100);
    let mut further = row("list/changed", 150, 1_000);
    further.floor = Some("read".to_owned());
    further.floor_ns = Some(10);
    further
        .rivals
        .insert("floor:getdents+statx".to_owned(), 100);
    let mut other = row("list/changed", 150, 1_000);
    other.floor = Some("read".to_owned());
    other.floor_ns = Some(100);
    for (row, expected) in [(only, Some(1.5)), (further, Some(1.5)), (other, None)] {
        let mut rows = [row];
        gates::judge(&mut rows, &gates::parse(line).unwrap());
        assert_eq!(rows[0].gates[0].found, expected);
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    for line in [
        "4 | tail/a | reference / ours | >= 60",
        "x | tail/a | reference / ours | >= 60 |",
        "4 | tail/a | reference / ours | > 60 |",
        "4 | tail/a | reference / ours | >= many |",
        "4 | tail/a | peak_bytes | <= 2GB |",
        "4 |  | reference / ours | >= 60 |",
    ] {
        let error = gates::parse(&format!("# a comment\n\n{line}")).expect_err(line);
        assert!(error.to_string().contains("line 3"), "{error:#}");
    }
}

#[test]
fn every_gate_of_the_project_concerns_a_case_that_exists() {
    let names: Vec<String> = cases::all(Scale::Full)
        .into_iter()
        .map(|case| case.name)
        .collect();
    for gate in gates::all().unwrap() {
        assert!(
            names.iter().any(|name| gate.concerns(name)),
            "issue {}: {}",
            gate.issue,
            gate.case
        );
        assert!((4..=6).contains(&gate.issue));
    }
}

#[test]
fn no_two_cases_have_the_same_name() {
    for scale in [Scale::Quick, Scale::Full] {
        let mut names: Vec<String> = cases::all(scale)
            .into_iter()
            .map(|case| case.name)
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

#[test]
fn what_was_found_is_printed_in_the_unit_of_its_measure() {
    let unit = |target: &str| {
        let verdict = gates::Verdict {
            target: target.to_owned(),
            ..gates::Verdict::default()
        };
        verdict.unit()
    };
    assert_eq!(unit("ours <= 80us (goal <= 30us)"), Unit::Nanoseconds);
    assert_eq!(unit("peak_bytes <= 1MB"), Unit::Bytes);
    assert_eq!(unit("bytes_read <= 16KB"), Unit::Bytes);
    assert_eq!(unit("ours / needed-bytes <= 1.25"), Unit::One);
    assert_eq!(unit("syscalls <= 25"), Unit::One);
}
