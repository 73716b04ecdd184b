//! `sessions prune`.
//!
//! Owns which sessions are old enough to go; must not know those that cannot be read, which therefore stay.

use std::collections::HashSet;

use serde_json::json;
use session_store::{Query, SessionSummary};

use crate::args::{Place, Prune};
use crate::failure::Failure;
use crate::list::{at, note_skipped};
use crate::terminal::{ID, Terminal, age, now, shorten, size};

/// Shows which sessions would go, or moves them to the trash.
pub(crate) fn prune(place: &Place, prune: &Prune, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    let listing = store.list(&Query::new().on_progress(terminal.bar()))?;
    note_skipped(&listing.skipped, terminal)?;
    let (mut sessions, mut bytes) = (0_u64, 0);
    let chosen = chosen(&listing.rows, prune);
    let (bar, of) = (terminal.steps(), chosen.len() as u64);
    for (row, done) in chosen.into_iter().zip(0..) {
        bar.reach(done, of)?;
        if prune.apply {
            // It may have been written to since it was listed; then it is not old.
            let now = store.load_page(&row.id, "messages", 0..0)?;
            if now.updated_at != row.updated_at || Some(now.count()) != row.messages {
                terminal.note(format_args!("{} has changed meanwhile and stays", row.id))?;
                continue;
            }
            store.trash(&row.id)?;
        }
        sessions += 1;
        bytes += row.bytes;
        if terminal.is_json {
            terminal.json(
                &json!({ "id": row.id.as_str(), "bytes": row.bytes, "applied": prune.apply }),
            )?;
        } else {
            let title = shorten(row.title.as_deref().unwrap_or("(no title)"), 30);
            let (age, size) = (age(at(row)), size(row.bytes));
            terminal.line(format_args!(
                "{ID}{}{ID:#} {age:>7} {size:>9}  {title}",
                row.id
            ))?;
        }
    }
    drop(bar);
    let done = if prune.apply {
        "moved to the trash"
    } else {
        "would go; --apply does it"
    };
    terminal.note(format_args!("{sessions} sessions, {} {done}", size(bytes)))?;
    Ok(())
}

/// The rows, newest first, that a rule takes and no pin holds.
fn chosen<'a>(rows: &'a [SessionSummary], prune: &Prune) -> Vec<&'a SessionSummary> {
    let pinned: HashSet<_> = prune.pin.iter().collect();
    let mut kept_bytes = 0_u64;
    let mut chosen = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let is_old = prune
            .older_than
            .is_some_and(|limit| now().duration_since(at(row)).is_ok_and(|age| age > limit));
        let is_late = prune.keep.is_some_and(|keep| place >= keep);
        let is_over = prune
            .max_bytes
            .is_some_and(|most| kept_bytes.saturating_add(row.bytes) > most);
        if (is_old || is_late || is_over) && !pinned.contains(&row.id) {
            chosen.push(row);
        } else {
            kept_bytes += row.bytes;
        }
    }
    chosen
}
