//! SQLite as agents use it: write-ahead log, one row a message, an index on `(session, seq)` and on `(workspace, updated_at)`.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::Part;
use crate::data::split::{Kind, split};

const SCHEMA: &str = "
    create table if not exists sessions (
        id text primary key, workspace text, updated_at text, title text, message_count integer, head text not null);
    create index if not exists newest on sessions (workspace, updated_at);
    create index if not exists newest_of_all on sessions (updated_at);
    create table if not exists messages (session text not null, seq integer not null, body text not null);
    create unique index if not exists place on messages (session, seq);
";

/// How much a committed transaction survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// A power cut.
    Full,
    /// The end of the process; after a power cut the last ones may be gone.
    Normal,
}

/// What a listing shows of a session.
pub type ListRow = (String, Option<String>, Option<String>, Option<String>, u64);

/// Opens or creates a database for writing.
///
/// # Errors
///
/// What SQLite says.
pub fn open(path: &Path, synchronous: Synchronous) -> Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("open {}", path.display()))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let level = if synchronous == Synchronous::Full {
        "full"
    } else {
        "normal"
    };
    connection.pragma_update(None, "synchronous", level)?;
    Ok(connection)
}

/// Opens a database for reading only.
///
/// # Errors
///
/// What SQLite says.
pub fn open_for_reading(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).with_context(|| format!("open {}", path.display()))
}

/// Makes the tables.
///
/// # Errors
///
/// What SQLite says.
pub fn create(path: &Path) -> Result<Connection> {
    let connection = open(path, Synchronous::Normal)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Puts a document in, in one transaction; with or without the rows of its messages.
///
/// # Errors
///
/// What SQLite or the document's parser says.
pub fn import(connection: &mut Connection, document: &Path, rows: Rows) -> Result<()> {
    let transaction = connection.transaction()?;
    let id = document
        .file_stem()
        .context("name of the document")?
        .to_string_lossy()
        .into_owned();
    let mut count = 0_u64;
    let head = {
        let mut insert =
            transaction.prepare("insert into messages (session, seq, body) values (?1, ?2, ?3)")?;
        split(File::open(document)?, |kind, text| {
            if kind == Kind::Message {
                if rows == Rows::All {
                    insert.execute(params![id, count, text])?;
                }
                count += 1;
            }
            Ok(())
        })?
    };
    let session: session_model::Session = serde_json::from_str(&head)?;
    transaction.execute(
        "insert into sessions (id, workspace, updated_at, title, message_count, head) values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            id,
            session.directory().map(|directory| directory.to_string_lossy().into_owned()),
            session.updated_at.map(|at| at.to_rfc3339()),
            session.title,
            count,
            head
        ],
    )?;
    transaction.commit()?;
    Ok(())
}

/// Which rows an import makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rows {
    /// The session's and its messages'.
    All,
    /// The session's only.
    Session,
}

/// Reads the last `window` messages of a session.
///
/// # Errors
///
/// What SQLite or serde says.
pub fn tail(connection: &Connection, id: &str, window: usize) -> Result<Part> {
    let mut head =
        connection.prepare_cached("select head, message_count from sessions where id = ?1")?;
    let (head, total): (String, u64) =
        head.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut select = connection.prepare_cached(
        "select body from messages where session = ?1 order by seq desc limit ?2",
    )?;
    let limit = i64::try_from(window).unwrap_or(i64::MAX);
    let mut rows = select.query(params![id, limit])?;
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    while let Some(row) = rows.next()? {
        bodies.push(row.get_ref(0)?.as_bytes()?.to_vec());
    }
    Ok(Part::decode(
        &head,
        bodies.iter().rev().map(Vec::as_slice),
        total,
    )?)
}

/// Reads what a picker shows of one session.
///
/// # Errors
///
/// What SQLite says.
pub fn head(connection: &Connection, id: &str) -> Result<String> {
    let mut select = connection.prepare_cached("select head from sessions where id = ?1")?;
    Ok(select.query_row([id], |row| row.get(0))?)
}

/// Finds the newest session of a workspace.
///
/// # Errors
///
/// What SQLite says.
pub fn newest(connection: &Connection, workspace: &str) -> Result<Option<String>> {
    let mut select = connection.prepare_cached(
        "select id from sessions where workspace = ?1 order by updated_at desc limit 1",
    )?;
    Ok(select.query_row([workspace], |row| row.get(0)).optional()?)
}

/// Lists sessions, newest first.
///
/// # Errors
///
/// What SQLite says.
pub fn list(
    connection: &Connection,
    workspace: Option<&str>,
    limit: usize,
) -> Result<Vec<ListRow>> {
    const COLUMNS: &str = "select id, title, updated_at, workspace, message_count from sessions";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let row = |row: &Row<'_>| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    };
    let rows = match workspace {
        Some(workspace) => connection
            .prepare_cached(&format!(
                "{COLUMNS} where workspace = ?1 order by updated_at desc limit ?2"
            ))?
            .query_map(params![workspace, limit], row)?
            .collect::<Result<Vec<_>, _>>()?,
        None => connection
            .prepare_cached(&format!("{COLUMNS} order by updated_at desc limit ?1"))?
            .query_map([limit], row)?
            .collect::<Result<Vec<_>, _>>()?,
    };
    Ok(rows)
}
