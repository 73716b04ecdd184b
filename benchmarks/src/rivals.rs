//! Other ways to keep and read sessions: engines with files of their own, and libraries that read the same file.
//!
//! Each module owns one engine: its schema, how a document gets in, and how the asked part comes out. None knows what
//! it is compared with.

pub mod jsonl;
pub mod lazy;
pub mod redb;
pub mod ripgrep;
pub mod sqlite;
pub mod sqlite_write;

use session_model::{Message, Session};

/// A part of a session that an engine returned, in the record type that the store uses too.
#[derive(Clone, Debug)]
pub struct Part {
    /// The session with the messages that were asked for.
    pub session: Session,
    /// How many messages were left out.
    pub dropped: u64,
}

impl Part {
    /// Makes a part of the stored head of a session and its messages as stored, oldest first.
    ///
    /// # Errors
    ///
    /// What serde says of the stored texts.
    pub fn decode<'a>(
        head: &str,
        messages: impl Iterator<Item = &'a [u8]>,
        total: u64,
    ) -> Result<Self, serde_json::Error> {
        let mut session: Session = serde_json::from_str(head)?;
        for message in messages {
            session.push(serde_json::from_slice::<Message>(message)?);
        }
        let dropped = total.saturating_sub(session.messages.len() as u64);
        Ok(Self { session, dropped })
    }
}
