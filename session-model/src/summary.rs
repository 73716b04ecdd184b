//! Owns the row that a list of sessions shows. Knows no directory to list.

use std::path::PathBuf;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::{SessionHeader, SessionId};

/// What a list of sessions shows of one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SessionSummary {
    /// Names the session.
    pub id: SessionId,
    /// Its title.
    pub title: Option<String>,
    /// When it was begun.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last added to.
    pub updated_at: Option<DateTime<Utc>>,
    /// The agent that runs it.
    pub agent: Option<String>,
    /// The working directory it belongs to.
    pub directory: Option<PathBuf>,
    /// The model that answers.
    pub model: Option<String>,
    /// The number of messages, where it was counted.
    pub messages: Option<u64>,
    /// The size of the document in bytes.
    pub bytes: u64,
    /// When the document was last written.
    pub modified: SystemTime,
    /// The bytes that were appended and are not in the document yet: other programs do not see them.
    pub unfolded: u64,
}

impl SessionSummary {
    /// Makes a row out of a header and what is known of its document. The id is the document's
    /// name; whatever id the header holds is not used.
    #[must_use]
    pub fn new(id: SessionId, header: SessionHeader, bytes: u64, modified: SystemTime) -> Self {
        Self {
            id,
            title: header.title,
            created_at: header.created_at,
            updated_at: header.updated_at,
            agent: header.agent,
            directory: header.directory,
            model: header.model,
            messages: None,
            bytes,
            modified,
            unfolded: 0,
        }
    }

    /// Sets the number of messages.
    #[must_use]
    pub fn with_messages(mut self, messages: u64) -> Self {
        self.messages = Some(messages);
        self
    }
}
