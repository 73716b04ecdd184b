//! Listing: every file read and parsed whole, then sorted.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::last::newest_first;
use super::load;
use super::types::{Session, Time};

/// One row of a listing.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members of the format")]
pub struct Row {
    pub id: String,
    pub title: Option<String>,
    pub updated_at: Time,
    pub directory: Option<std::path::PathBuf>,
    pub messages: usize,
}

/// Lists the sessions of a directory, newest first, parsing on so many threads; those that cannot be parsed are left
/// out.
///
/// # Errors
///
/// What the file system says of the directory.
pub fn list(sessions: &Path, threads: usize) -> Result<Vec<Row>> {
    let files = newest_first(sessions)?;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut rows = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            rows.extend(load::load(path).ok().map(row));
        }
        rows
    };
    let mut rows = Vec::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        rows.extend(work());
        for worker in workers {
            rows.extend(worker.join().unwrap_or_default());
        }
    });
    rows.sort_by_key(|row| std::cmp::Reverse(row.updated_at));
    Ok(rows)
}

fn row(session: Session) -> Row {
    Row {
        messages: session.messages.len(),
        id: session.id,
        title: session.title,
        updated_at: session.updated_at,
        directory: session.metadata.directory,
    }
}
