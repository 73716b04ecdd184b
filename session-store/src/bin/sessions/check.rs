//! `sessions check` and `sessions salvage`.
//!
//! Owns how findings and losses are said; must not know how damage is found or what is made of it.

use serde_json::json;
use session_store::{Finding, LostRange, SalvageReport, SessionId, Severity};

use crate::args::Place;
use crate::failure::Failure;
use crate::terminal::{FAINT, FOUND, ID, Terminal, clean_line, size};

/// Checks one session or all of them, and fails where a finding is an error.
pub(crate) fn check(
    place: &Place,
    id: Option<&SessionId>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open()?;
    let (sessions, bytes, found, leftovers) = if let Some(id) = id {
        let checked = store.check(id)?;
        (1, checked.bytes, vec![checked], Vec::new())
    } else {
        let report = store.check_all(terminal.bar())?;
        (
            report.sessions,
            report.bytes,
            report.found,
            report.leftovers,
        )
    };
    let damaged = found.iter().filter(|checked| !checked.is_sound()).count();
    for checked in &found {
        for finding in &checked.findings {
            say(Some(&checked.id), finding, terminal)?;
        }
    }
    for finding in &leftovers {
        say(None, finding, terminal)?;
    }
    if !terminal.is_json {
        terminal.line(format_args!(
            "{sessions} {}, {} checked, {damaged} damaged",
            if sessions == 1 { "session" } else { "sessions" },
            size(bytes)
        ))?;
    }
    let is_error = |finding: &Finding| finding.severity() == Severity::Error;
    if damaged > 0 {
        terminal.flush()?;
        return Err(Failure::damaged(
            "`sessions salvage ID` makes a new session of what is whole in a damaged one",
        ));
    }
    if leftovers.iter().any(is_error) {
        return Err(Failure::damaged("a file of the directory cannot be read"));
    }
    Ok(())
}

fn say(id: Option<&SessionId>, finding: &Finding, terminal: &mut Terminal) -> Result<(), Failure> {
    let severity = match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "note",
    };
    if terminal.is_json {
        return terminal.json(&json!({
            "id": id.map(SessionId::as_str), "severity": severity, "finding": finding.to_string(),
        }));
    }
    let style = if severity == "error" { FOUND } else { FAINT };
    let name = id.map_or("(store)", SessionId::as_str);
    let finding = clean_line(&finding.to_string());
    terminal.line(format_args!(
        "{ID}{name}{ID:#} {style}{severity}{style:#} {finding}"
    ))
}

/// Makes a new session of what is whole in a damaged one.
pub(crate) fn salvage(
    place: &Place,
    id: &SessionId,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    match place.open()?.salvage_watched(id, terminal.bar())? {
        Some(report) => salvaged(&report, terminal),
        None if terminal.is_json => {
            terminal.json(&json!({ "from": id.as_str(), "salvaged": false }))
        }
        None => terminal.line(format_args!(
            "{ID}{id}{ID:#} can be loaded; nothing was done"
        )),
    }
}

fn salvaged(report: &SalvageReport, terminal: &mut Terminal) -> Result<(), Failure> {
    let lost: Vec<_> = report.lost.iter().filter_map(lost).collect();
    if terminal.is_json {
        let lost: Vec<_> = lost
            .iter()
            .map(|(file, range)| json!({ "file": file, "start": range.start, "end": range.end }))
            .collect();
        let kept: serde_json::Map<_, _> = report
            .kept
            .iter()
            .map(|(array, count)| (array.clone(), json!(count)))
            .collect();
        return terminal.json(&json!({
            "from": report.from.as_str(), "salvaged": true, "id": report.id.as_str(), "kept": kept,
            "refused": report.refused, "lost": lost,
        }));
    }
    terminal.line(format_args!(
        "{ID}{}{ID:#} has what is whole of {}, whose files are in quarantine",
        report.id, report.from
    ))?;
    for (array, count) in &report.kept {
        terminal.line(format_args!("  kept {count} {}", clean_line(array)))?;
    }
    for member in &report.refused {
        terminal.line(format_args!("  lost member {}", clean_line(member)))?;
    }
    for (file, range) in lost {
        let bytes = size(range.end - range.start);
        terminal.line(format_args!(
            "  lost {bytes} at {}..{} of the {file}",
            range.start, range.end
        ))?;
    }
    Ok(())
}

fn lost(lost: &LostRange) -> Option<(&'static str, std::ops::Range<u64>)> {
    match lost {
        LostRange::Document(range) => Some(("document", range.clone())),
        LostRange::Journal(range) => Some(("journal", range.clone())),
        _ => None,
    }
}
