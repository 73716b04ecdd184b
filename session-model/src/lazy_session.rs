//! Owns the session whose messages and tool uses are decoded on demand. Knows no file and no clock.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::object::{Nullable, Plain, Required, Time, object};
use crate::{
    Extra, Lazy, Message, Session, SessionId, SessionMetadata, SessionRecord, ToolLink, ToolUse,
    Usage,
};

/// A [`Session`] whose messages and tool uses stay JSON text until they are asked for.
///
/// For a program that shows a few of many messages. Everything else is decoded when it is read. It
/// saves allocations, and of time only what decoding the messages takes: resuming was measured at
/// three fifths to nineteen twentieths of what it takes with a [`Session`], the more the smaller. A
/// message that is JSON but no message is no error until it is asked for; limits on size and depth
/// hold for it all the same.
///
/// ```
/// use session_model::{LazySession, Role};
///
/// let json = r#"{"id":"s1","messages":[{"role":"user","content":[]},5]}"#;
/// let session: LazySession = serde_json::from_str(json)?;
/// assert_eq!(session.messages[0].get()?.role, Role::User);
/// assert!(session.messages[1].get().is_err());
/// assert_eq!(serde_json::to_string(&session)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LazySession {
    /// Names the session.
    pub id: SessionId,
    /// A line for the user's list of sessions.
    pub title: Option<String>,
    /// When the session was begun.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last added to.
    pub updated_at: Option<DateTime<Utc>>,
    /// Directory, model and settings.
    pub metadata: SessionMetadata,
    /// The agent, or its mode, that runs the session.
    pub agent: String,
    /// What was said, oldest first.
    pub messages: Vec<Lazy<Message>>,
    /// Tools that were run, oldest first.
    pub tool_uses: Vec<Lazy<ToolUse>>,
    /// Tokens spent.
    pub usage: Usage,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(LazySession, "a session", {
    id: Required,
    title: Nullable,
    created_at: Time,
    updated_at: Time,
    metadata: Plain,
    agent: Plain,
    messages: Plain,
    tool_uses: Plain,
    usage: Plain,
});

impl LazySession {
    /// Decodes all of it.
    ///
    /// # Errors
    ///
    /// The first message or tool use that is none.
    pub fn decode(self) -> Result<Session, serde_json::Error> {
        Ok(Session {
            id: self.id,
            title: self.title,
            created_at: self.created_at,
            updated_at: self.updated_at,
            metadata: self.metadata,
            agent: self.agent,
            messages: self
                .messages
                .iter()
                .map(Lazy::get)
                .collect::<Result<_, _>>()?,
            tool_uses: self
                .tool_uses
                .iter()
                .map(Lazy::get)
                .collect::<Result<_, _>>()?,
            usage: self.usage,
            extra: self.extra,
        })
    }
}

impl SessionRecord for LazySession {
    const CAPPED: &'static [&'static str] = Session::CAPPED;
    const SPLIT: Option<&'static str> = Some("messages");
    const PAIRED: Option<&'static str> = Some("messages");
    const PARALLEL: &'static [(&'static str, &'static str)] = Session::PARALLEL;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn set_id(&mut self, id: SessionId) {
        self.id = id;
    }

    fn directory(&self) -> Option<&Path> {
        self.metadata.directory.as_deref()
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.updated_at
    }

    fn paired(&self) -> usize {
        self.messages.len()
    }

    fn tool_links(&self, element: usize, link: &mut dyn FnMut(ToolLink<'_>)) {
        if let Some(message) = self
            .messages
            .get(element)
            .and_then(|message| message.get().ok())
        {
            message.tool_links(link);
        }
    }

    fn drop_front(&mut self, elements: usize) -> bool {
        self.messages.drain(..elements.min(self.messages.len()));
        true
    }

    fn join(mut first: Self, mut rest: Self) -> Option<Self> {
        first.messages.append(&mut rest.messages);
        rest.messages = first.messages;
        Some(rest)
    }
}
