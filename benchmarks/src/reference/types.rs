//! The record types as serde derives them. Unknown members are dropped, as the reference drops them.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The id.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// When it was begun.
    pub created_at: Time,
    /// When it was last added to.
    pub updated_at: Time,
    /// Settings.
    pub metadata: Metadata,
    /// Which agent ran it.
    pub agent: String,
    /// The transcript.
    pub messages: Vec<Message>,
    /// The tools that ran.
    pub tool_uses: Vec<ToolUse>,
    /// Tokens used.
    pub usage: Usage,
}

/// A time, in the text form that chrono gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// The settings of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the members of the format")]
pub struct Metadata {
    /// Where it runs.
    pub directory: Option<PathBuf>,
    /// Which model answers.
    pub model: Option<String>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_snapshot: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<serde_json::Value>,
    /// A setting.
    #[serde(default)]
    pub auto_apply_edits: bool,
    /// A setting.
    #[serde(default)]
    pub allow_network: bool,
    /// A setting.
    #[serde(default = "yes")]
    pub slash_autocomplete: bool,
    /// A setting.
    #[serde(default = "yes")]
    pub use_worktree: bool,
    /// A setting.
    pub shared: bool,
    /// A link.
    pub share_url: Option<String>,
    /// Settings of a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rlm: Option<serde_json::Value>,
}

fn yes() -> bool {
    true
}

/// One message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Vec<Part>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
    Developer,
}

/// A part of a message, told apart by its `type`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members of the format")]
pub enum Part {
    Text {
        text: String,
    },
    Image {
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    File {
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    ToolCall {
        id: String,
        name: String,
        arguments: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thought_signature: Option<String>,
    },
    ToolResult {
        tool_call_id: String,
        content: String,
    },
    Thinking {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
}

/// A tool that ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members of the format")]
pub struct ToolUse {
    pub id: String,
    pub name: String,
    pub input: String,
    pub output: String,
    pub success: bool,
}

/// Tokens used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members of the format")]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    #[serde(default)]
    pub cache_read_tokens: Option<u64>,
    #[serde(default)]
    pub cache_write_tokens: Option<u64>,
}

/// What the reference reads of a file to know whose it is; everything else is lexed and thrown away.
#[derive(Clone, Debug, Deserialize)]
pub struct Header {
    /// The id.
    pub id: String,
    /// Only its directory is looked at, but all of it must fit.
    pub metadata: Metadata,
}
