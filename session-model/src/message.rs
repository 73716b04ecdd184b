//! Owns one message of a session.

use crate::object::{Parts, RoleName, object};
use crate::{ContentPart, Extra, Role, ToolLink};

/// One message: who says it, and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: Vec<ContentPart>,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(Message, "a message", {
    role: RoleName,
    content: Parts,
});

impl Message {
    /// Makes a message of any role and parts.
    #[must_use]
    pub fn new(role: Role, content: Vec<ContentPart>) -> Self {
        Self {
            role,
            content,
            extra: Extra::new(),
        }
    }

    /// Makes a message of the person.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![ContentPart::text(text)])
    }

    /// Makes a message of the model.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![ContentPart::text(text)])
    }

    /// Makes a message of instructions to the model.
    #[must_use]
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, vec![ContentPart::text(text)])
    }

    /// Makes a message of instructions from the program.
    #[must_use]
    pub fn developer(text: impl Into<String>) -> Self {
        Self::new(Role::Developer, vec![ContentPart::text(text)])
    }

    /// Makes a message with the result of a tool call.
    #[must_use]
    pub fn tool(tool_call_id: impl Into<String>, content: impl Into<String>) -> Self {
        Self::new(
            Role::Tool,
            vec![ContentPart::tool_result(tool_call_id, content)],
        )
    }

    /// Tells which tool calls the message makes and answers, in the order of its parts.
    pub fn tool_links(&self, link: &mut dyn FnMut(ToolLink<'_>)) {
        for part in &self.content {
            part.tool_link(link);
        }
    }

    /// Adds a part at the end.
    #[must_use]
    pub fn with(mut self, part: ContentPart) -> Self {
        self.content.push(part);
        self
    }
}
