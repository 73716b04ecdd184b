//! `sessions search`.
//!
//! Owns how hits look; must not know how they are found.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use session_store::{Case, Hit, SearchQuery};

use crate::args::{Place, Search};
use crate::failure::Failure;
use crate::list::{note_skipped, workspace};
use crate::terminal::{FAINT, FOUND, ID, Terminal, clean_line};

/// How often Ctrl-C is looked for while no hit comes.
const WATCH: Duration = Duration::from_millis(50);

/// Prints hits as they are found.
pub(crate) fn search(
    place: &Place,
    search: &Search,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open()?;
    let mut query = if search.regex {
        SearchQuery::regex(&search.pattern).map_err(|error| Failure::usage(error.to_string()))?
    } else {
        SearchQuery::text(&search.pattern)
    };
    if search.ignore_case {
        query = query.case(Case::AsciiInsensitive);
    }
    if let Some(directory) = &search.workspace {
        query = query.workspace(workspace(Some(directory))?);
    }
    if let Some(limit) = search.limit {
        query = query.limit(limit);
    }
    let mut hits = store.search(&query)?;
    let (stopper, interrupted) = (hits.stopper(), terminal.flag());
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let watcher = std::thread::spawn(move || {
        while !is_done.load(Ordering::Relaxed) {
            if interrupted.load(Ordering::Relaxed) {
                stopper.stop();
                return;
            }
            std::thread::park_timeout(WATCH);
        }
    });
    let printed = hits.by_ref().try_for_each(|hit| {
        print(&hit, terminal)?;
        terminal.flush()
    });
    done.store(true, Ordering::Relaxed);
    watcher.thread().unpark();
    // The watcher cannot panic, and there would be nothing to do about it.
    let _ = watcher.join();
    printed?;
    note_skipped(&hits.take_skipped(), terminal)?;
    terminal.check()
}

fn print(hit: &Hit, terminal: &mut Terminal) -> Result<(), Failure> {
    let snippet = &hit.snippet;
    if terminal.is_json {
        let matches: Vec<_> = snippet
            .matches
            .iter()
            .map(|found| [found.start, found.end])
            .collect();
        return terminal.json(&json!({
            "id": hit.id().as_str(),
            "member": hit.member,
            "element": hit.element,
            "role": hit.role.as_ref().map(session_store::Role::as_str),
            "path": hit.path,
            "matches": hit.matches,
            "snippet": snippet.text,
            "at": matches,
        }));
    }
    let (mut line, mut from) = (String::new(), 0);
    for found in &snippet.matches {
        let (Some(before), Some(text)) = (
            snippet.text.get(from..found.start),
            snippet.text.get(found.clone()),
        ) else {
            continue;
        };
        line.push_str(&clean_line(before));
        // Writing into a string cannot fail.
        let _ = write!(line, "{FOUND}{}{FOUND:#}", clean_line(text));
        from = found.end;
    }
    line.push_str(&clean_line(snippet.text.get(from..).unwrap_or_default()));
    let element = hit
        .element
        .map_or_else(String::new, |number| format!(" {number}"));
    let role = hit
        .role
        .as_ref()
        .map_or_else(|| clean_line(&hit.member), |role| clean_line(role.as_str()));
    terminal.line(format_args!(
        "{ID}{}{ID:#} {FAINT}{role}{element}{FAINT:#} {line}",
        hit.id()
    ))
}
