//! The table that a run prints: one block an operation, one line a case, one column a contender.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use crate::case::Scale;
use crate::gates::Unit;
use crate::machine::Machine;
use crate::row::Row;
use crate::units::{significant, size, time};

/// What stands above the table: the machine, the data and how to read the numbers.
#[must_use]
pub fn heading(machine: &Machine, data: &Path, scale: Scale) -> String {
    let scale = if scale == Scale::Quick {
        "quick"
    } else {
        "full"
    };
    format!(
        "{scale} run on {} ({} threads, {} MB), kernel {}, {}, commit {}\n\
         data sets in {}, made by the model's generator: single documents with seed 1, directories with the rank as \
         seed\nmedians; ± is the distance between the quartiles; `vs ref` is reference / ours, `vs floor` is ours / floor",
        machine.cpu,
        machine.threads,
        machine.memory_mb,
        machine.kernel,
        machine.rustc,
        machine.commit,
        data.display()
    )
}

/// The table and what is below it.
#[must_use]
pub fn print(rows: &[Row]) -> String {
    let mut out = String::new();
    for block in blocks(rows) {
        if group(block[0]) == "growth" {
            growth(&mut out, &block);
        } else {
            print_block(&mut out, &block);
        }
    }
    verdicts(&mut out, rows);
    out
}

/// The operation of a row.
fn group(row: &Row) -> &str {
    row.name.split('/').next().unwrap_or_default()
}

/// Rows that share columns: those of one operation, unless they have different rivals, such as synced and unsynced ones.
fn blocks(rows: &[Row]) -> Vec<Vec<&Row>> {
    let mut blocks: Vec<Vec<&Row>> = Vec::new();
    let mut columns: BTreeSet<&String> = BTreeSet::new();
    for row in rows {
        let own: BTreeSet<&String> = row.rivals.keys().collect();
        let fits = own.is_subset(&columns) || columns.is_subset(&own);
        match blocks.last_mut() {
            Some(block) if group(block[0]) == group(row) && fits => {
                block.push(row);
                columns.extend(own);
            }
            _ => {
                blocks.push(vec![row]);
                columns = own;
            }
        }
    }
    blocks
}

fn print_block(out: &mut String, rows: &[&Row]) {
    let measured: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.is_measured())
        .collect();
    let mut columns: Vec<String> = Vec::new();
    for row in &measured {
        for name in row.rivals.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    let mut lines = Vec::new();
    let mut head: Vec<String> = [
        "case",
        "ours",
        "±",
        "reference",
        "vs ref",
        "floor",
        "vs floor",
    ]
    .map(str::to_owned)
    .into();
    head.extend(columns.iter().cloned());
    head.extend(["calls", "read", "allocs", "peak", "instr", "gate"].map(str::to_owned));
    let width = head.len();
    lines.push(head);
    for row in rows {
        let mut line = vec![row.name.clone()];
        if row.is_measured() {
            line.extend(cells(row, &columns));
        } else {
            line.push(row.status.clone());
            line.resize(width - 1, String::new());
            line.push(if row.target.is_some() {
                "-".to_owned()
            } else {
                String::new()
            });
        }
        lines.push(line);
    }
    let _ = writeln!(out, "\n{}", rows.first().map_or("", |row| group(row)));
    align(out, &lines);
    let mut notes: Vec<(&str, &str)> = Vec::new();
    for row in &measured {
        notes.extend(
            row.notes
                .iter()
                .map(|note| (row.name.as_str(), note.as_str())),
        );
    }
    notes.dedup_by_key(|(_, note)| *note);
    for (name, note) in notes {
        let _ = writeln!(out, "  {name}: {note}");
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times far below 2^52 nanoseconds"
)]
fn cells(row: &Row, columns: &[String]) -> Vec<String> {
    let dash = || "-".to_owned();
    let ratio = |above: Option<u64>, below: Option<u64>| {
        let both = above.zip(below).filter(|(_, below)| *below > 0);
        both.map_or_else(dash, |(above, below)| {
            format!("{}x", significant(above as f64 / below as f64))
        })
    };
    let spread = row
        .spread
        .get("ours")
        .map_or_else(dash, |spread| format!("{:.0}%", spread * 100.0));
    let floor = row.floor_ns.map_or_else(dash, time);
    let mut cells = vec![
        row.ours_ns.map_or_else(dash, time),
        spread,
        row.reference_ns.map_or_else(dash, time),
    ];
    cells.extend([
        ratio(row.reference_ns, row.ours_ns),
        floor,
        ratio(row.ours_ns, row.floor_ns),
    ]);
    cells.extend(
        columns
            .iter()
            .map(|name| row.rivals.get(name).copied().map_or_else(dash, time)),
    );
    let count = |count: Option<u64>| count.map_or_else(dash, |count| count.to_string());
    cells.extend([count(row.syscalls), row.bytes_read.map_or_else(dash, size)]);
    cells.extend([
        count(row.allocations),
        row.peak_bytes.map_or_else(dash, size),
    ]);
    cells.push(count(row.instructions));
    cells.push(match row.met {
        Some(true) => "met".to_owned(),
        Some(false) => "MISSED".to_owned(),
        None => String::new(),
    });
    cells
}

/// Numbers to the right, the first column and texts that stand alone to the left.
fn align(out: &mut String, lines: &[Vec<String>]) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for line in lines {
        for (column, cell) in line.iter().enumerate() {
            // A status such as "not built" may run over the empty cells after it.
            let runs_over = column == 1 && line.get(2).is_some_and(String::is_empty);
            if !runs_over {
                widths[column] = widths[column].max(cell.chars().count());
            }
        }
    }
    for line in lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(text, "  {cell:<width$}"),
                1 if line.get(2).is_some_and(String::is_empty) => write!(text, "  {cell}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

fn growth(out: &mut String, rows: &[&Row]) {
    let _ = writeln!(
        out,
        "\ncost against size: exponents (0 is flat, 1 proportional)"
    );
    for row in rows {
        let exponents: Vec<String> = row
            .exponents
            .iter()
            .map(|(name, exponent)| format!("{name} {exponent:.2}"))
            .collect();
        let _ = writeln!(
            out,
            "  {} over {}: {}",
            row.name,
            row.shape,
            exponents.join(", ")
        );
    }
}

fn verdicts(out: &mut String, rows: &[Row]) {
    let mut issues: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut waiting: BTreeMap<u32, usize> = BTreeMap::new();
    for row in rows {
        for gate in &row.gates {
            let Some((met, found)) = gate.met.zip(gate.found) else {
                *waiting.entry(gate.issue).or_default() += 1;
                continue;
            };
            let verdict = match (met, gate.goal_met) {
                (true, Some(true)) => "met, goal reached",
                (true, _) => "met",
                (false, _) => "MISSED",
            };
            let found = match gate.unit() {
                Unit::Bytes => size(round(found)),
                Unit::Nanoseconds => time(round(found)),
                Unit::One => significant(found),
            };
            let line = format!(
                "  {:<28} {:<68} {found:>9}  {verdict}",
                row.name, gate.target
            );
            issues.entry(gate.issue).or_default().push(line);
        }
    }
    for (issue, lines) in issues {
        let _ = writeln!(out, "\ngates of issue {issue}");
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
    }
    for (issue, count) in waiting {
        let _ = writeln!(
            out,
            "{count} gates of issue {issue} wait for what is not built or not in this run"
        );
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size, never negative"
)]
fn round(number: f64) -> u64 {
    number.round() as u64
}
