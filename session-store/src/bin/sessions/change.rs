//! `sessions checkpoint`, `delete`, `restore`, `trash` and `rebind`.
//!
//! Owns what is said about changes; must not know how they are made safe.

use serde_json::json;
use session_store::{Query, Rebind as How, SessionId};

use crate::args::{Place, Rebind, Trash, TrashCommand};
use crate::failure::Failure;
use crate::list::{note_skipped, workspace};
use crate::terminal::{ID, Terminal, age, clean_line, size};

/// Folds journals into documents.
pub(crate) fn checkpoint(
    place: &Place,
    id: Option<&SessionId>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open()?;
    let ids = if let Some(id) = id {
        vec![id.clone()]
    } else {
        let listing = store.list(&Query::new().on_progress(terminal.bar()))?;
        note_skipped(&listing.skipped, terminal)?;
        listing
            .rows
            .into_iter()
            .filter(|row| row.unfolded > 0)
            .map(|row| row.id)
            .collect()
    };
    let (bar, of) = (terminal.steps(), ids.len() as u64);
    for (id, done) in ids.into_iter().zip(0..) {
        bar.reach(done, of)?;
        let folded = store.checkpoint(&id)?;
        let said = if folded { "folded" } else { "nothing to fold" };
        say(&id, "folded", folded, said, terminal)?;
    }
    Ok(())
}

/// Moves a session to the trash, or erases it.
pub(crate) fn delete(
    place: &Place,
    id: &SessionId,
    erase: bool,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open()?;
    let was_there = if erase {
        store.delete(id)?
    } else {
        store.trash(id)?
    };
    if !was_there {
        return Err(Failure::not_found(format!(
            "find {}: no such session",
            store.path(id).display()
        )));
    }
    let said = if erase {
        "erased"
    } else {
        "moved to the trash; `sessions restore` brings it back"
    };
    say(id, "erased", erase, said, terminal)
}

/// Brings a session back from the trash.
pub(crate) fn restore(
    place: &Place,
    id: &SessionId,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if !place.open()?.restore(id)? {
        return Err(Failure::not_found(format!(
            "restore {id}: not in the trash"
        )));
    }
    say(id, "restored", true, "restored", terminal)
}

/// Lists the trash, or empties it.
pub(crate) fn trash(place: &Place, trash: &Trash, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    if let Some(TrashCommand::Empty { older_than }) = &trash.command {
        let erased = store.empty_trash(*older_than)?;
        return if terminal.is_json {
            terminal.json(&json!({ "erased": erased }))
        } else {
            terminal.line(format_args!("erased {erased}"))
        };
    }
    for trashed in store.trashed()? {
        if terminal.is_json {
            let at = chrono::DateTime::<chrono::Utc>::from(trashed.at).to_rfc3339();
            terminal
                .json(&json!({ "id": trashed.id.as_str(), "at": at, "bytes": trashed.bytes }))?;
        } else {
            let (age, size) = (age(trashed.at), size(trashed.bytes));
            terminal.line(format_args!("{ID}{}{ID:#} {age:>7} {size:>9}", trashed.id))?;
        }
    }
    Ok(())
}

/// Moves sessions to a directory that was renamed.
pub(crate) fn rebind(
    place: &Place,
    rebind: &Rebind,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let how = if rebind.apply {
        How::Apply
    } else {
        How::DryRun
    };
    let from = workspace(Some(&rebind.from))?;
    let to = workspace(Some(&rebind.to))?;
    let done = place
        .open()?
        .rebind_watched(from, to, how, terminal.bar())?;
    note_skipped(&done.skipped, terminal)?;
    let mut failed = None;
    for session in done.sessions {
        let (from, to) = (session.from.to_string_lossy(), session.to.to_string_lossy());
        if terminal.is_json {
            let error = session.outcome.as_ref().err().map(ToString::to_string);
            terminal.json(&json!({
                "id": session.id.as_str(), "from": from, "to": to, "applied": rebind.apply, "error": error,
            }))?;
        } else {
            let moved = format!("{} → {}", clean_line(&from), clean_line(&to));
            terminal.line(format_args!("{ID}{}{ID:#} {moved}", session.id))?;
        }
        failed = failed.or(session.outcome.err());
    }
    if !rebind.apply {
        terminal.note("nothing was changed; --apply does it")?;
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn say(
    id: &SessionId,
    member: &str,
    value: bool,
    said: &str,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if terminal.is_json {
        return terminal.json(&json!({ "id": id.as_str(), member: value }));
    }
    terminal.line(format_args!("{ID}{id}{ID:#} {said}"))
}
