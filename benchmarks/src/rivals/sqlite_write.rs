//! What SQLite is asked to write: whole sessions, single messages, deletions.

use anyhow::Result;
use rusqlite::{Connection, params};
use session_model::{Message, Session};

/// Replaces a session and all its messages in one transaction.
///
/// # Errors
///
/// What SQLite or serde says.
pub fn save(connection: &mut Connection, session: &Session, head: &str) -> Result<()> {
    let transaction = connection.transaction()?;
    let id = session.id.as_str();
    transaction
        .prepare_cached("delete from messages where session = ?1")?
        .execute([id])?;
    transaction
        .prepare_cached("insert or replace into sessions (id, workspace, message_count, head) values (?1, ?2, ?3, ?4)")?
        .execute(params![
            id,
            session.directory().map(|directory| directory.to_string_lossy().into_owned()),
            u64::try_from(session.messages.len())?,
            head
        ])?;
    {
        let mut insert = transaction
            .prepare_cached("insert into messages (session, seq, body) values (?1, ?2, ?3)")?;
        for (seq, message) in session.messages.iter().enumerate() {
            insert.execute(params![
                id,
                u64::try_from(seq)?,
                serde_json::to_string(message)?
            ])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Adds one message to a session and changes its row, in one transaction.
///
/// # Errors
///
/// What SQLite or serde says.
pub fn append(
    connection: &mut Connection,
    id: &str,
    message: &Message,
    updated_at: &str,
) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction
        .prepare_cached(
            "insert into messages (session, seq, body)
             select ?1, message_count, ?2 from sessions where id = ?1",
        )?
        .execute(params![id, serde_json::to_string(message)?])?;
    transaction
        .prepare_cached(
            "update sessions set message_count = message_count + 1, updated_at = ?2 where id = ?1",
        )?
        .execute(params![id, updated_at])?;
    transaction.commit()?;
    Ok(())
}

/// Removes a session.
///
/// # Errors
///
/// What SQLite says.
pub fn delete(connection: &mut Connection, id: &str) -> Result<bool> {
    let transaction = connection.transaction()?;
    transaction
        .prepare_cached("delete from messages where session = ?1")?
        .execute([id])?;
    let removed = transaction
        .prepare_cached("delete from sessions where id = ?1")?
        .execute([id])?;
    transaction.commit()?;
    Ok(removed > 0)
}

/// Records the newest session of a workspace.
///
/// # Errors
///
/// What SQLite says.
pub fn record(connection: &Connection, workspace: &str, id: &str, updated_at: &str) -> Result<()> {
    connection
        .prepare_cached(
            "insert into sessions (id, workspace, updated_at, message_count, head) values (?1, ?2, ?3, 0, '')
             on conflict (id) do update set workspace = ?2, updated_at = ?3",
        )?
        .execute(params![id, workspace, updated_at])?;
    Ok(())
}
