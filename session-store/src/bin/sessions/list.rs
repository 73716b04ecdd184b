//! `sessions list`.
//!
//! Owns the table; must not know what is in a session beyond its summary.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};
use session_store::{Query, Scope, SessionSummary, Skipped};

use crate::args::{List, Place};
use crate::failure::Failure;
use crate::terminal::{FAINT, ID, Terminal, age, clean_line, column, shorten, size};

/// Prints the newest sessions.
pub(crate) fn list(place: &Place, list: &List, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    let mut query = Query::new().limit(list.limit).on_progress(terminal.bar());
    if !list.all {
        query = query
            .workspace(workspace(list.workspace.as_deref())?)
            .scope(Scope::Below);
    }
    if let Some(title) = &list.title {
        query = query.title(title);
    }
    if let Some(agent) = &list.agent {
        query = query.agent(agent);
    }
    if let Some(cursor) = &list.after {
        query = query.after(
            cursor
                .parse()
                .map_err(|error| Failure::usage(format!("{error}")))?,
        );
    }
    let listing = store.list(&query)?;
    note_skipped(&listing.skipped, terminal)?;
    if terminal.is_json {
        for row in &listing.rows {
            terminal.json(&summary(row))?;
        }
    } else if listing.rows.is_empty() {
        let hint = if list.all {
            ""
        } else {
            " of this directory; --all shows those of all"
        };
        terminal.note(format_args!("no sessions{hint}"))?;
    } else {
        table(&listing.rows, terminal)?;
    }
    if let Some(next) = listing.next {
        terminal.note(format_args!("more: --after {next}"))?;
    }
    Ok(())
}

/// The directory that is meant.
pub(crate) fn workspace(named: Option<&Path>) -> Result<std::path::PathBuf, Failure> {
    match named {
        Some(named) => std::path::absolute(named),
        None => std::env::current_dir(),
    }
    .map_err(|error| Failure::other(format!("find the current directory: {error}")))
}

/// Says on standard error what could not be read.
pub(crate) fn note_skipped(skipped: &[Skipped], terminal: &mut Terminal) -> Result<(), Failure> {
    for skipped in skipped {
        terminal.note(skipped)?;
    }
    Ok(())
}

fn table(rows: &[SessionSummary], terminal: &mut Terminal) -> Result<(), Failure> {
    let ids = rows
        .iter()
        .map(|row| row.id.len())
        .max()
        .unwrap_or(0)
        .clamp(2, 36);
    let left = 80_usize.saturating_sub(ids + 28).max(16);
    let titles = left * 3 / 5;
    let head = format!(
        "{:<ids$} {:>7} {} {:>6} {:>9} ",
        "ID",
        "AGE",
        column("TITLE", titles),
        "MSGS",
        "SIZE"
    );
    // A pipe gets directories whole, a terminal as many columns as are left.
    let width = std::io::stdout().is_terminal().then_some(left - titles);
    let heading = width.map_or_else(
        || "DIRECTORY".to_owned(),
        |width| shorten("DIRECTORY", width),
    );
    terminal.line(format_args!("{FAINT}{head} {heading}{FAINT:#}"))?;
    for row in rows {
        let directory = row
            .directory
            .as_ref()
            .map(|d| clean_line(&d.to_string_lossy()));
        let directory = directory.unwrap_or_default();
        let directory = width.map_or_else(|| directory.clone(), |width| end(&directory, width));
        let messages = row
            .messages
            .map_or_else(|| "?".to_owned(), |n| n.to_string());
        terminal.line(format_args!(
            "{ID}{:<ids$}{ID:#} {:>7} {} {messages:>6} {:>9}  {directory}",
            row.id.as_str(),
            age(at(row)),
            column(row.title.as_deref().unwrap_or("(no title)"), titles),
            size(row.bytes + row.unfolded),
        ))?;
    }
    Ok(())
}

/// The end of a path, which says more than its beginning.
fn end(path: &str, width: usize) -> String {
    let characters: Vec<char> = path.chars().collect();
    if characters.len() <= width {
        return path.to_owned();
    }
    let kept: String = characters[characters.len() - width.saturating_sub(1)..]
        .iter()
        .collect();
    shorten(&format!("…{kept}"), width)
}

/// When a session was last changed, as the library orders them.
pub(crate) fn at(row: &SessionSummary) -> SystemTime {
    row.updated_at.map_or(row.modified, |updated| {
        SystemTime::from(updated).min(row.modified)
    })
}

/// A summary as JSON.
pub(crate) fn summary(row: &SessionSummary) -> Value {
    json!({
        "id": row.id.as_str(),
        "title": row.title,
        "created_at": row.created_at.map(|time| time.to_rfc3339()),
        "updated_at": row.updated_at.map(|time| time.to_rfc3339()),
        "agent": row.agent,
        "directory": row.directory.as_ref().map(|directory| directory.to_string_lossy()),
        "model": row.model,
        "messages": row.messages,
        "bytes": row.bytes,
        "unfolded": row.unfolded,
    })
}
