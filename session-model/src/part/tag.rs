//! Owns the names of the known types of content part and of their members. Must not know how they
//! are read or written.

use crate::object::Place;

/// The member that tells the type.
pub(super) const TYPE: &str = "type";

/// The greatest number of members in a list of [`Tag::members`].
pub(super) const SLOTS: usize = 5;

/// A type of part that is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tag {
    Text,
    Image,
    File,
    ToolCall,
    ToolResult,
    Thinking,
}

impl Tag {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "image" => Self::Image,
            "file" => Self::File,
            "tool_call" => Self::ToolCall,
            "tool_result" => Self::ToolResult,
            "thinking" => Self::Thinking,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::ToolCall => "tool_call",
            Self::ToolResult => "tool_result",
            Self::Thinking => "thinking",
        }
    }

    /// Returns the names of all members, `type` first, so that one look tells any key.
    pub(super) fn members(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[TYPE, "text"],
            Self::Image => &[TYPE, "url", "mime_type"],
            Self::File => &[TYPE, "path", "mime_type"],
            Self::ToolCall => &[TYPE, "id", "name", "arguments", "thought_signature"],
            Self::ToolResult => &[TYPE, "tool_call_id", "content"],
            Self::Thinking => &[TYPE, "text", "signature"],
        }
    }

    pub(super) fn place(self, index: u8) -> Place {
        Place {
            name: self.members()[usize::from(index)],
            index,
        }
    }
}
