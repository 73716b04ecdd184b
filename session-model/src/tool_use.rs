//! Owns the record of one tool that was run.

use crate::Extra;
use crate::object::{Plain, object};

/// A tool that was run: what it was given and what it gave back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolUse {
    /// The id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What it was given.
    pub input: String,
    /// What it gave back.
    pub output: String,
    /// Whether it succeeded.
    pub success: bool,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(ToolUse, "a tool use", {
    id: Plain,
    name: Plain,
    input: Plain,
    output: Plain,
    success: Plain,
});

impl ToolUse {
    /// Makes the record of a tool that succeeded.
    #[must_use]
    pub fn succeeded(
        id: impl Into<String>,
        name: impl Into<String>,
        input: impl Into<String>,
        output: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            input: input.into(),
            output: output.into(),
            success: true,
            extra: Extra::new(),
        }
    }

    /// Makes the record of a tool that failed.
    #[must_use]
    pub fn failed(
        id: impl Into<String>,
        name: impl Into<String>,
        input: impl Into<String>,
        output: impl Into<String>,
    ) -> Self {
        Self {
            success: false,
            ..Self::succeeded(id, name, input, output)
        }
    }
}
