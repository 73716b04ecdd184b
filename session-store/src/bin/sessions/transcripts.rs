//! `sessions import` and `sessions export`.
//!
//! Owns files and reports; must not know any format.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde_json::json;
use session_store::SessionId;
use session_store::transcripts::{self, Imported, Input};

use crate::args::Place;
use crate::failure::Failure;
use crate::terminal::{ID, Terminal};

/// Reads transcripts into the store.
pub(crate) fn import(
    place: &Place,
    files: &[PathBuf],
    overwrite: bool,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open_or_create()?;
    let mut failed = None;
    let (bar, of) = (terminal.steps(), files.len() as u64);
    for (file, done) in files.iter().zip(0..) {
        bar.reach(done, of)?;
        let saved = read(file).and_then(|imported| {
            let session = &imported.session;
            if overwrite {
                store.overwrite(session)
            } else {
                store.save(session)
            }?;
            Ok(imported)
        });
        match saved {
            Ok(imported) => report(&imported, terminal)?,
            Err(failure) => {
                terminal.note(format_args!("{} was not imported", file.display()))?;
                failed.get_or_insert(failure);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn read(file: &Path) -> Result<Imported, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::other(format!("read {}: {error}", file.display()));
    let opened = File::open(file).map_err(|error| failed(&error))?;
    transcripts::import(Input::new(BufReader::new(opened)).named(file))
        .map_err(|error| failed(&error))
}

fn report(imported: &Imported, terminal: &mut Terminal) -> Result<(), Failure> {
    let (session, report) = (&imported.session, &imported.report);
    let (kept, broken) = (report.kept_total(), report.broken.len());
    if terminal.is_json {
        return terminal.json(&json!({
            "id": session.id.as_str(), "format": report.format, "records": report.records,
            "messages": report.messages, "kept": report.kept, "broken": broken,
        }));
    }
    let format = report.format;
    let messages = report.messages;
    terminal.line(format_args!(
        "{ID}{}{ID:#} {format}: {messages} messages, {kept} other records kept, {broken} broken",
        session.id
    ))
}

/// Writes a session as one document.
pub(crate) fn export(
    place: &Place,
    id: &SessionId,
    format: &str,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let exporters = transcripts::exporters();
    let Some(exporter) = exporters
        .iter()
        .find(|e| e.name() == format || e.extension() == format)
    else {
        let names: Vec<_> = exporters.iter().map(|exporter| exporter.name()).collect();
        return Err(Failure::usage(format!(
            "--as: expected one of {}",
            names.join(", ")
        )));
    };
    let session = place.open()?.load(id)?;
    let mut document = Vec::new();
    exporter.write(&session, &mut document)?;
    terminal.bytes(&document)
}
