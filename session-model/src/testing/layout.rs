//! Owns the two ways in which session documents are found laid out, written piece by piece. Must not
//! know what is in a message.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Layout;
use crate::{Message, Session, SessionMetadata, ToolUse, Usage};

/// A document cut where its two long arrays are.
#[derive(Debug)]
pub(super) struct Frame {
    /// Up to the inside of `messages`.
    pub(super) head: String,
    /// From the end of `messages` to the inside of `tool_uses`.
    pub(super) middle: String,
    /// The rest.
    pub(super) tail: String,
}

/// What goes around the elements of an array that has some.
#[derive(Debug, Clone, Copy)]
pub(super) struct Separators {
    pub(super) before_each: &'static str,
    pub(super) after_last: &'static str,
}

impl Layout {
    /// Cuts a session whose arrays are empty.
    pub(super) fn frame(self, session: &Session) -> Result<Frame, serde_json::Error> {
        let (text, [messages, tool_uses]) = match self {
            Self::Compact => (
                serde_json::to_string(session)?,
                ["\"messages\":[", "\"tool_uses\":["],
            ),
            Self::OlderPretty => (
                serde_json::to_string_pretty(&Older::of(session))?,
                ["\"messages\": [", "\"tool_uses\": ["],
            ),
        };
        // A quote inside a string is escaped, so neither text can stand in one.
        let cut = |at: Option<usize>, name: &str| at.map_or(0, |at| at + name.len());
        let first = cut(text.find(messages), messages);
        let second = cut(text.find(tool_uses), tool_uses);
        Ok(Frame {
            head: text[..first].to_owned(),
            middle: text[first..second].to_owned(),
            tail: text[second..].to_owned(),
        })
    }

    /// Writes one element of a top-level array.
    pub(super) fn element<T: Serialize>(self, value: &T) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Compact => serde_json::to_vec(value),
            // No string holds a raw line break, so each one is followed by indentation.
            Self::OlderPretty => Ok(serde_json::to_string_pretty(value)?
                .replace('\n', "\n    ")
                .into_bytes()),
        }
    }

    pub(super) fn separators(self) -> Separators {
        match self {
            Self::Compact => Separators {
                before_each: "",
                after_last: "",
            },
            Self::OlderPretty => Separators {
                before_each: "\n    ",
                after_last: "\n  ",
            },
        }
    }
}

/// A session in the older order of members.
#[derive(Serialize)]
struct Older<'a> {
    id: &'a str,
    title: &'a Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    messages: &'a [Message],
    tool_uses: &'a [ToolUse],
    usage: &'a Usage,
    agent: &'a str,
    metadata: &'a SessionMetadata,
}

impl<'a> Older<'a> {
    fn of(session: &'a Session) -> Self {
        let text = |at: Option<DateTime<Utc>>| at.and_then(crate::time::format);
        Self {
            id: session.id.as_str(),
            title: &session.title,
            created_at: text(session.created_at),
            updated_at: text(session.updated_at),
            messages: &session.messages,
            tool_uses: &session.tool_uses,
            usage: &session.usage,
            agent: &session.agent,
            metadata: &session.metadata,
        }
    }
}
