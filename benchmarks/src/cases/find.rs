//! What the cases of "last session of this directory" share: the contenders and the facts of a find.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use session_model::testing::Layout;
use session_store::{IndexKind, LastQuery, SessionStore, Window};

use crate::answer::Answer;
use crate::case::Bench;
use crate::data::many::{self, Many};
use crate::method::{Contender, Role};
use crate::reference::index_map;
use crate::rivals::sqlite;
use crate::{floors, reference};

/// How many messages a find loads of what it found.
pub(super) const WINDOW: usize = 20;

fn nothing() -> Answer {
    Answer::new().fact("id", "none")
}

/// Ours, with an index or none, on a number of threads.
pub(super) fn ours(
    name: &'static str,
    many: &Many,
    workspace: &str,
    threads: usize,
    index: IndexKind,
) -> Contender {
    ours_as(name, many, workspace, threads, index, None)
}

/// Ours for counting its calls: they are so slow under a tracer that it would take the disk for a slow one.
pub(super) fn ours_traced(many: &Many, workspace: &str) -> Contender {
    ours_as("ours", many, workspace, 1, IndexKind::None, Some(1))
}

fn ours_as(
    name: &'static str,
    many: &Many,
    workspace: &str,
    threads: usize,
    index: IndexKind,
    in_flight: Option<usize>,
) -> Contender {
    let (directory, workspace) = (many.directory.clone(), PathBuf::from(workspace));
    let work = move || {
        let builder = SessionStore::builder(&directory)
            .index(index)
            .threads(threads);
        let builder = match in_flight {
            Some(reads) => builder.reads_in_flight(reads),
            None => builder,
        };
        let store = builder.open()?;
        Ok(store.find_last(
            &LastQuery::new()
                .workspace(&workspace)
                .window(Window::last(WINDOW)),
        )?)
    };
    Contender::new(name, Role::Ours, work, |found| match &found.session {
        Some(tail) => Ok(Answer::new()
            .fact("id", &tail.id)
            .fact("dropped", tail.dropped().total())
            .digest("messages", &tail.messages)?),
        None => Ok(nothing()),
    })
}

/// The reference; without its map it maps every file.
pub(super) fn reference(
    name: &'static str,
    role: Role,
    many: &Many,
    workspace: &str,
    threads: usize,
    map: Map,
) -> Contender {
    let (directory, workspace) = (many.directory.clone(), PathBuf::from(workspace));
    let sessions = directory.clone();
    let work = move || reference::last::last_for_directory(&sessions, &workspace, WINDOW, threads);
    let contender = Contender::new(name, role, work, |found| match found {
        Some(tail) => Ok(Answer::new()
            .fact("id", &tail.session.id)
            .fact("dropped", tail.dropped)
            .digest("messages", &tail.session.messages)?),
        None => Ok(nothing()),
    });
    match map {
        Map::Kept => contender,
        // A find records what it found, which would make the next one a hit.
        Map::Removed => contender.prepare(move || forget(&directory)),
    }
}

/// Whether the reference has its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Map {
    Kept,
    Removed,
}

/// Removes the map of the reference.
pub(super) fn forget(directory: &Path) -> Result<()> {
    let map = index_map::file(directory);
    match std::fs::remove_file(&map) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", map.display()))
        }
        _ => Ok(()),
    }
}

/// SQLite with a row for every session, and the messages only of those that finds return: enough for the cases, and in
/// SQLite's favour.
pub(super) fn database(bench: &Bench, many: &Many, layout: Layout) -> Result<PathBuf> {
    let name = if layout == Layout::OlderPretty {
        "older"
    } else {
        "compact"
    };
    let made = bench
        .data
        .directory(&format!("engines/many-{name}-{}", many.files), |made| {
            let mut connection = sqlite::create(&made.join("sessions.sqlite"))?;
            for rank in 0..many.files {
                let found = [0, 7, many.files - 1].contains(&rank);
                let rows = if found {
                    sqlite::Rows::All
                } else {
                    sqlite::Rows::Session
                };
                sqlite::import(&mut connection, &many.path(rank), rows)?;
            }
            Ok(())
        })?;
    Ok(made.join("sessions.sqlite"))
}

/// SQLite's find, with open.
pub(super) fn sqlite(database: PathBuf, workspace: &str) -> Contender {
    let workspace = workspace.to_owned();
    let work = move || {
        let connection = sqlite::open_for_reading(&database)?;
        let id = sqlite::newest(&connection, &workspace)?;
        id.map(|id| sqlite::tail(&connection, &id, WINDOW))
            .transpose()
    };
    Contender::new("sqlite-open", Role::Rival, work, |part| match part {
        Some(part) => Ok(Answer::new()
            .fact("id", &part.session.id)
            .fact("dropped", part.dropped)
            .digest("messages", &part.session.messages)?),
        None => Ok(nothing()),
    })
}

/// The floors of a directory: looking at every file, one way or the other.
pub(super) fn floor(
    name: &'static str,
    many: &Many,
    look: floors::Look,
    answer: Answer,
) -> Contender {
    let (directory, files) = (many.directory.clone(), many.files as u64);
    let work = move || floors::look_at_all(&directory, look);
    Contender::new(name, Role::Floor, work, move |seen| {
        anyhow::ensure!(*seen == files, "saw {seen} of {files} files");
        Ok(answer.clone())
    })
}

/// What a floor may say of a find: the id, which it did not look for.
pub(super) fn expected(rank: Option<usize>) -> Answer {
    rank.map_or_else(nothing, |rank| Answer::new().fact("id", many::id(rank)))
}
