//! Owns the session: one conversation with what belongs to it. Knows no file and no clock.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::object::{IsDefault, Nullable, Plain, Required, Time, object};

use crate::{Extra, Message, SessionId, SessionMetadata, SessionRecord, ToolLink, ToolUse, Usage};

/// One conversation of a user with an agent.
///
/// Fields are named and ordered as in the JSON. Reading needs only `id`; what else is missing gets
/// its default and is left out again when the session is written unchanged.
///
/// ```
/// use session_model::{Message, Session, SessionId};
///
/// let mut session = Session::new(SessionId::new("s1")?, "/work/app").with_agent("build");
/// session.push(Message::user("make the tests pass"));
/// session.touch("2026-03-10T19:42:54Z".parse()?);
///
/// let json = serde_json::to_string(&session)?;
/// assert!(json.starts_with(r#"{"id":"s1","title":null,"created_at":"2026-03-10T19:42:54Z","#));
/// assert_eq!(serde_json::from_str::<Session>(&json)?, session);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
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
    pub messages: Vec<Message>,
    /// Tools that were run, oldest first.
    pub tool_uses: Vec<ToolUse>,
    /// Tokens spent.
    pub usage: Usage,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(Session, "a session", {
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

impl Session {
    /// Makes an empty session of a directory.
    #[must_use]
    pub fn new(id: SessionId, directory: impl Into<PathBuf>) -> Self {
        let mut session = Self::without_directory(id);
        session.metadata.directory = Some(directory.into());
        session
    }

    /// Makes an empty session that belongs to no directory.
    #[must_use]
    pub fn without_directory(id: SessionId) -> Self {
        Self {
            id,
            title: None,
            created_at: None,
            updated_at: None,
            metadata: SessionMetadata::default(),
            agent: String::new(),
            messages: Vec::new(),
            tool_uses: Vec::new(),
            usage: Usage::default(),
            extra: Extra::new(),
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the agent.
    #[must_use]
    pub fn with_agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = agent.into();
        self
    }

    /// Sets the model.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.metadata.model = Some(model.into());
        self
    }

    /// Adds a message at the end. The times stay as they are; see [`Session::touch`].
    pub fn push(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Adds a tool use at the end.
    pub fn push_tool_use(&mut self, tool_use: ToolUse) {
        self.tool_uses.push(tool_use);
    }

    /// Says that the session was added to at this time, which is also when it was begun if nothing
    /// else is known.
    pub fn touch(&mut self, at: DateTime<Utc>) {
        self.created_at.get_or_insert(at);
        self.updated_at = Some(at);
    }

    /// Returns the working directory the session belongs to.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.metadata.directory.as_deref()
    }
}

impl SessionRecord for Session {
    const CAPPED: &'static [&'static str] = &["messages", "tool_uses"];
    const INDEPENDENT: bool = true;
    const SPLIT: Option<&'static str> = Some("messages");
    const PAIRED: Option<&'static str> = Some("messages");
    const PARALLEL: &'static [(&'static str, &'static str)] = &[("pages", "messages")];
    const SEARCHED: &'static [&'static str] = &["title", "messages", "tool_uses"];

    /// Leaves out what nobody reads: roles and types, ids, signatures, media types, and the addresses of images, which
    /// hold whole pictures. All that is unknown is text.
    fn is_text(path: &[&str]) -> bool {
        !matches!(
            path,
            ["messages", "role" | "id"]
                | [
                    "messages",
                    "content",
                    "type"
                        | "id"
                        | "tool_call_id"
                        | "url"
                        | "mime_type"
                        | "signature"
                        | "thought_signature"
                ]
                | ["tool_uses", "id"]
        )
    }

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn set_id(&mut self, id: SessionId) {
        self.id = id;
    }

    fn directory(&self) -> Option<&Path> {
        self.directory()
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.updated_at
    }

    fn paired(&self) -> usize {
        self.messages.len()
    }

    fn tool_links(&self, element: usize, link: &mut dyn FnMut(ToolLink<'_>)) {
        if let Some(message) = self.messages.get(element) {
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

impl IsDefault for SessionMetadata {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl IsDefault for Usage {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
