//! A page that shows a run: a few plots, the gates, every number. Self-contained: no script, no file beside it.
//!
//! Owns what is on the page; must not know how plots are drawn.

mod plot;

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::record::Record;
use crate::row::Row;
use crate::units::{significant, time};
use plot::{Line, Plot};

/// The families that are worth a picture, with its title and what grows.
const PLOTS: [(&str, &str, &str); 8] = [
    (
        "tail/footer/200",
        "Resume: the last 200 messages, own files",
        "file size in bytes",
    ),
    (
        "tail/plain/200",
        "Resume: the last 200 messages, any file",
        "file size in bytes",
    ),
    ("load", "Load a whole session", "file size in bytes"),
    ("save/full", "Save a whole session", "file size in bytes"),
    (
        "append/rewrite/full",
        "Append one message",
        "file size in bytes",
    ),
    (
        "scan/none",
        "Last session of a directory, without index",
        "number of files",
    ),
    (
        "list/50",
        "List the 50 newest, without catalogue",
        "number of files",
    ),
    (
        "index/lookup",
        "Look a workspace up",
        "number of workspaces",
    ),
];

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}\
    h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}.plots{display:flex;flex-wrap:wrap;gap:1em}\
    svg{width:530px;height:auto}table{border-collapse:collapse;font-size:13px}\
    td,th{padding:.2em .6em;text-align:right;border-bottom:1px solid #ddd}\
    td:first-child,th:first-child,td.text{text-align:left}.met{color:#176d2c}.missed{color:#b3261e}p.small{color:#555}";

/// Writes the page of a run.
///
/// # Errors
///
/// What the plotter or the file system says.
pub fn write(path: &Path, record: &Record) -> Result<()> {
    let page = page(record)?;
    std::fs::write(path, page).with_context(|| format!("write {}", path.display()))
}

/// The page of a run.
///
/// # Errors
///
/// What the plotter says.
pub fn page(record: &Record) -> Result<String> {
    let machine = &record.machine;
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Session store benchmarks</title>\
         <style>{STYLE}</style></head><body>\n<h1>Session store beside its rivals and floors</h1>\n\
         <p>A {} run of {} on {}, {} threads, {} MB, kernel {}, {}, commit {}. Each point is a median of runs that \
         took turns in one process. Both axes are logarithmic: a flat line costs the same at any size, and lower is \
         better.</p>\n<div class=\"plots\">\n",
        escape(&record.scale),
        escape(&machine.date),
        escape(&machine.cpu),
        machine.threads,
        machine.memory_mb,
        escape(&machine.kernel),
        escape(&machine.rustc),
        escape(&machine.commit)
    );
    for (family, title, size) in PLOTS {
        if let Some(plot) = plot(&record.rows, family, title, size) {
            out.push_str(&plot.svg()?);
            out.push('\n');
        }
    }
    out.push_str("</div>\n");
    gates(&mut out, &record.rows);
    numbers(&mut out, &record.rows);
    out.push_str("</body></html>\n");
    Ok(out)
}

/// The lines of a family, if it was measured at three sizes at least.
#[expect(
    clippy::cast_precision_loss,
    reason = "times far below 2^52 nanoseconds"
)]
fn plot<'a>(rows: &[Row], family: &str, title: &'a str, size: &'a str) -> Option<Plot<'a>> {
    let members: Vec<&Row> = rows
        .iter()
        .filter(|row| row.family.as_deref() == Some(family))
        .collect();
    let mut lines: Vec<Line> = Vec::new();
    for row in &members {
        for (name, time) in row.times() {
            let name = match (name.as_str(), &row.floor) {
                ("floor", Some(floor)) => format!("floor: {floor}"),
                _ => name,
            };
            let point = (row.size?, time as f64);
            match lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.points.push(point),
                None => lines.push(Line {
                    name,
                    points: vec![point],
                }),
            }
        }
    }
    lines.retain(|line| line.points.len() >= 2);
    lines.sort_by_key(|line| rank(&line.name));
    (members.len() >= 3 && !lines.is_empty()).then_some(Plot { title, size, lines })
}

/// The order in which contenders get a line, because only so many can be read.
fn rank(name: &str) -> usize {
    const FIRST: [&str; 9] = [
        "ours",
        "reference",
        "floor",
        "jsonl",
        "sqlite-open",
        "sqlite",
        "redb-open",
        "sonic-rs",
        "simd-json",
    ];
    // Variants of ours and engines that are kept open come last: their lines run beside others.
    let secondary = name.starts_with("ours-") || name.ends_with("-kept");
    let place = FIRST
        .iter()
        .position(|first| !secondary && name.starts_with(first));
    place.unwrap_or(FIRST.len())
}

fn gates(out: &mut String, rows: &[Row]) {
    out.push_str(
        "<h2>Gates</h2>\n<table><tr><th>case</th><th>asked</th><th>found</th><th></th></tr>\n",
    );
    for row in rows {
        for gate in &row.gates {
            let Some((found, met)) = gate.found.zip(gate.met) else {
                continue;
            };
            let (class, verdict) = match (met, gate.goal_met) {
                (true, Some(true)) => ("met", "met, goal reached"),
                (true, _) => ("met", "met"),
                (false, _) => ("missed", "missed"),
            };
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td class=\"{class}\">{verdict}</td></tr>",
                escape(&row.name),
                escape(&gate.target),
                significant(found)
            );
        }
    }
    out.push_str("</table>\n");
}

fn numbers(out: &mut String, rows: &[Row]) {
    out.push_str(
        "<h2>Numbers</h2>\n<table><tr><th>case</th><th>ours</th><th>reference</th><th>floor</th><th>everybody else\
         </th></tr>\n",
    );
    let cell = |nanoseconds: Option<u64>| nanoseconds.map_or_else(String::new, time);
    for row in rows.iter().filter(|row| row.is_measured()) {
        let others: Vec<String> = row
            .rivals
            .iter()
            .map(|(name, at)| format!("{} {}", escape(name), time(*at)))
            .collect();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"text\">{}</td></tr>",
            escape(&row.name),
            cell(row.ours_ns),
            cell(row.reference_ns),
            cell(row.floor_ns),
            others.join(", ")
        );
    }
    out.push_str("</table>\n");
    let missing: Vec<String> = rows
        .iter()
        .filter(|row| row.status.starts_with("not built"))
        .map(|row| escape(&row.name))
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"small\">Not built yet: {}.</p>",
            missing.join(", ")
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
