//! `sessions stats`.
//!
//! Owns the sums and their chart; must not know how bytes are kept.

use std::collections::BTreeMap;

use serde_json::json;
use session_store::{ContentPart, Query, Window};

use crate::args::Place;
use crate::failure::Failure;
use crate::list::{at, note_skipped};
use crate::terminal::{FAINT, ROLE, Terminal, column, size};

/// How many rows a table has, and how long the longest bar is.
const ROWS: usize = 10;
const BAR: u64 = 40;

/// Prints where the bytes are.
pub(crate) fn stats(place: &Place, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    let listing = store.list(&Query::new().on_progress(terminal.bar()))?;
    note_skipped(&listing.skipped, terminal)?;
    let (mut sessions, mut roles) = (BTreeMap::new(), BTreeMap::new());
    let (mut tools, mut months) = (BTreeMap::new(), BTreeMap::new());
    let (bar, of) = (terminal.steps(), listing.rows.len() as u64);
    for (row, done) in listing.rows.iter().zip(0..) {
        bar.reach(done, of)?;
        let bytes = row.bytes + row.unfolded;
        *sessions.entry(row.id.to_string()).or_insert(0) += bytes;
        let time = row.created_at.unwrap_or_else(|| at(row).into());
        *months.entry(time.format("%Y-%m").to_string()).or_insert(0) += bytes;
        let session = match store.load_tail(&row.id, Window::all()) {
            Ok(session) => session,
            Err(error) => {
                terminal.note(error)?;
                continue;
            }
        };
        let mut names = BTreeMap::new();
        for message in &session.messages {
            let bytes = serde_json::to_vec(message)?.len() as u64;
            *roles.entry(message.role.to_string()).or_insert(0) += bytes;
            for part in &message.content {
                match part {
                    ContentPart::ToolCall {
                        id,
                        name,
                        arguments,
                        ..
                    } => {
                        names.insert(id.clone(), name.clone());
                        *tools.entry(name.clone()).or_insert(0) += arguments.len() as u64;
                    }
                    ContentPart::ToolResult {
                        tool_call_id,
                        content,
                        ..
                    } => {
                        let name = names.get(tool_call_id).map_or("(unknown)", String::as_str);
                        *tools.entry(name.to_owned()).or_insert(0) += content.len() as u64;
                    }
                    _ => {}
                }
            }
        }
    }
    drop(bar);
    if terminal.is_json {
        return terminal.json(
            &json!({ "sessions": sessions, "roles": roles, "tools": tools, "months": months }),
        );
    }
    let total: u64 = sessions.values().sum();
    terminal.line(format_args!("{} sessions, {}", sessions.len(), size(total)))?;
    chart("by session", largest(sessions), terminal)?;
    chart("by role", largest(roles), terminal)?;
    chart("by tool", largest(tools), terminal)?;
    chart("growth by month", months.into_iter().collect(), terminal)
}

fn largest(sums: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.1));
    rows.truncate(ROWS);
    rows
}

fn chart(title: &str, rows: Vec<(String, u64)>, terminal: &mut Terminal) -> Result<(), Failure> {
    let most = rows.iter().map(|row| row.1).max().unwrap_or(0).max(1);
    terminal.line(format_args!("\n{ROLE}{title}{ROLE:#}"))?;
    for (name, bytes) in rows {
        let length = u128::from(bytes) * u128::from(BAR) / u128::from(most);
        let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
        terminal.line(format_args!(
            "{} {:>9} {FAINT}{bar}{FAINT:#}",
            column(&name, 24),
            size(bytes)
        ))?;
    }
    Ok(())
}
