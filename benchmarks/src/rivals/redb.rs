//! redb, the best embedded database in pure Rust, with the same tables as SQLite.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use redb::{
    Database, Durability, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition,
};
use session_model::{Message, Session};

use super::Part;
use crate::data::split::{Kind, split};

/// Number of messages, and the head of the session.
const SESSIONS: TableDefinition<'_, &str, (u64, &str)> = TableDefinition::new("sessions");
const MESSAGES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("messages");
const NEWEST: TableDefinition<'_, (&str, &str), &str> = TableDefinition::new("newest");

/// Creates or opens a database for writing.
///
/// # Errors
///
/// What redb says.
pub fn open(path: &Path) -> Result<Database> {
    Database::create(path).with_context(|| format!("open {}", path.display()))
}

/// Opens a database for reading, beside other readers.
///
/// # Errors
///
/// What redb says.
pub fn open_for_reading(path: &Path) -> Result<ReadOnlyDatabase> {
    ReadOnlyDatabase::open(path).with_context(|| format!("open {}", path.display()))
}

/// Puts a document in.
///
/// # Errors
///
/// What redb or the document's parser says.
pub fn import(database: &Database, document: &Path) -> Result<()> {
    let id = document
        .file_stem()
        .context("name of the document")?
        .to_string_lossy()
        .into_owned();
    let transaction = database.begin_write()?;
    {
        let mut messages = transaction.open_table(MESSAGES)?;
        let mut count = 0_u64;
        let head = split(File::open(document)?, |kind, text| {
            if kind == Kind::Message {
                messages.insert((id.as_str(), count), text.as_bytes())?;
                count += 1;
            }
            Ok(())
        })?;
        transaction
            .open_table(SESSIONS)?
            .insert(id.as_str(), (count, head.as_str()))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Reads the last `window` messages of a session.
///
/// # Errors
///
/// What redb or serde says.
pub fn tail(database: &impl ReadableDatabase, id: &str, window: usize) -> Result<Part> {
    let transaction = database.begin_read()?;
    let sessions = transaction.open_table(SESSIONS)?;
    let row = sessions.get(id)?.context("find the session")?;
    let (total, head) = row.value();
    let messages = transaction.open_table(MESSAGES)?;
    let first = total.saturating_sub(window as u64);
    let rows = messages
        .range((id, first)..(id, total))?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Part::decode(
        head,
        rows.iter().map(|(_, body)| body.value()),
        total,
    )?)
}

/// Replaces a session and all its messages in one transaction.
///
/// # Errors
///
/// What redb or serde says.
pub fn save(
    database: &Database,
    session: &Session,
    head: &str,
    durability: Durability,
) -> Result<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(durability)?;
    {
        let id = session.id.as_str();
        let mut messages = transaction.open_table(MESSAGES)?;
        for (seq, message) in session.messages.iter().enumerate() {
            messages.insert(
                (id, u64::try_from(seq)?),
                serde_json::to_vec(message)?.as_slice(),
            )?;
        }
        let total = u64::try_from(session.messages.len())?;
        transaction
            .open_table(SESSIONS)?
            .insert(id, (total, head))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Adds one message to a session.
///
/// # Errors
///
/// What redb or serde says.
pub fn append(
    database: &Database,
    id: &str,
    message: &Message,
    durability: Durability,
) -> Result<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(durability)?;
    {
        let mut sessions = transaction.open_table(SESSIONS)?;
        let (total, head) = {
            let row = sessions.get(id)?.context("find the session")?;
            (row.value().0, row.value().1.to_owned())
        };
        let body = serde_json::to_vec(message)?;
        transaction
            .open_table(MESSAGES)?
            .insert((id, total), body.as_slice())?;
        sessions.insert(id, (total + 1, head.as_str()))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Records the newest session of a workspace.
///
/// # Errors
///
/// What redb says.
pub fn record(
    database: &Database,
    workspace: &str,
    id: &str,
    updated_at: &str,
    durability: Durability,
) -> Result<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(durability)?;
    transaction
        .open_table(NEWEST)?
        .insert((workspace, updated_at), id)?;
    transaction.commit()?;
    Ok(())
}

/// Finds the newest session of a workspace.
///
/// # Errors
///
/// What redb says.
pub fn newest(database: &impl ReadableDatabase, workspace: &str) -> Result<Option<String>> {
    let transaction = database.begin_read()?;
    let table = transaction.open_table(NEWEST)?;
    let last = table
        .range((workspace, "")..=(workspace, "\u{10ffff}"))?
        .next_back();
    Ok(last.transpose()?.map(|(_, id)| id.value().to_owned()))
}

/// A commit that is on the medium.
pub const SYNCED: Durability = Durability::Immediate;
/// A commit that nobody waits for.
pub const UNSYNCED: Durability = Durability::None;

/// Records the newest session of many workspaces.
///
/// # Errors
///
/// What redb says.
pub fn record_all(database: &Database, names: &[(String, String)], updated_at: &str) -> Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(NEWEST)?;
        for (workspace, id) in names {
            table.insert((workspace.as_str(), updated_at), id.as_str())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
