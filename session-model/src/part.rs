//! Owns one part of a message.

mod link;
mod loose;
mod read;
mod tag;
mod write;

use crate::{Extra, RawJson};

/// One part of a message, told apart in JSON by its member `type`.
///
/// A part of another type is kept whole in [`ContentPart::Other`]. So is a part of a known type in
/// which a member has a type that its field could not hold, for instance a tool result whose content
/// is an array: one such part does not make a session unreadable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ContentPart {
    /// `text`: plain text.
    Text {
        /// The text.
        text: String,
        /// Members this type does not know.
        extra: Extra,
    },
    /// `image`: a picture.
    Image {
        /// Where it is, often a `data:` URL with the picture in it.
        url: String,
        /// Its media type.
        mime_type: Option<String>,
        /// Members this type does not know.
        extra: Extra,
    },
    /// `file`: a file by its path.
    File {
        /// Where it is.
        path: String,
        /// Its media type.
        mime_type: Option<String>,
        /// Members this type does not know.
        extra: Extra,
    },
    /// `tool_call`: the model asks for a tool to be run.
    ToolCall {
        /// Names the call, for the result to refer to.
        id: String,
        /// The tool.
        name: String,
        /// What the tool is given: JSON text inside a string.
        arguments: String,
        /// The provider's signature of the thought that led to the call.
        thought_signature: Option<String>,
        /// Members this type does not know.
        extra: Extra,
    },
    /// `tool_result`: what a tool gave back.
    ToolResult {
        /// The call it belongs to.
        tool_call_id: String,
        /// What it gave back.
        content: String,
        /// Members this type does not know.
        extra: Extra,
    },
    /// `thinking`: what the model thought before it answered.
    Thinking {
        /// The thought.
        text: String,
        /// The provider's signature of the thought.
        signature: Option<String>,
        /// Members this type does not know.
        extra: Extra,
    },
    /// Any other value, as it was.
    ///
    /// One that is made by hand of a known type is read back as that type, and one that could not be
    /// read back is refused when it is written.
    Other(RawJson),
}

impl ContentPart {
    /// Makes a text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            extra: Extra::new(),
        }
    }

    /// Makes a picture without a media type.
    #[must_use]
    pub fn image(url: impl Into<String>) -> Self {
        Self::Image {
            url: url.into(),
            mime_type: None,
            extra: Extra::new(),
        }
    }

    /// Makes a file without a media type.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self::File {
            path: path.into(),
            mime_type: None,
            extra: Extra::new(),
        }
    }

    /// Makes a tool call; `arguments` is JSON text.
    #[must_use]
    pub fn tool_call(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self::ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            thought_signature: None,
            extra: Extra::new(),
        }
    }

    /// Makes a tool result.
    #[must_use]
    pub fn tool_result(tool_call_id: impl Into<String>, content: impl Into<String>) -> Self {
        Self::ToolResult {
            tool_call_id: tool_call_id.into(),
            content: content.into(),
            extra: Extra::new(),
        }
    }

    /// Makes a thought.
    #[must_use]
    pub fn thinking(text: impl Into<String>) -> Self {
        Self::Thinking {
            text: text.into(),
            signature: None,
            extra: Extra::new(),
        }
    }

    /// Returns the text of a part that is one for the reader: a text, a thought or a tool result.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } | Self::Thinking { text, .. } => Some(text),
            Self::ToolResult { content, .. } => Some(content),
            _ => None,
        }
    }
}
