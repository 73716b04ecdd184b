//! Fast JSON libraries on the same file: read it whole, find the end of `messages`, decode only that.
//!
//! Their record type is the reference's, because they cannot fill types that keep raw JSON of `serde_json`.

use std::collections::VecDeque;
use std::path::Path;

use anyhow::{Context, Result};
use simd_json::prelude::ValueAsScalar;

use crate::reference::types::{Message, Part, Role, Session};

/// The end of a session: its messages, and how many were left out.
#[derive(Clone, Debug)]
pub struct Window {
    /// The messages that are kept.
    pub messages: Vec<Message>,
    /// How many are not.
    pub dropped: u64,
}

/// sonic-rs: skips to `messages`, iterates over unparsed elements, decodes the last ones.
///
/// # Errors
///
/// What the file system or sonic-rs says.
pub fn sonic_tail(path: &Path, window: usize) -> Result<Window> {
    let json = std::fs::read(path)?;
    let messages = sonic_rs::get(json.as_slice(), ["messages"])?;
    let mut kept = VecDeque::with_capacity(window.min(4_096));
    let mut total = 0;
    for element in sonic_rs::to_array_iter(messages.as_raw_str()) {
        kept.push_back(element?);
        total += 1;
        if kept.len() > window {
            kept.pop_front();
        }
    }
    let decode = |element: &sonic_rs::LazyValue<'_>| sonic_rs::from_str(element.as_raw_str());
    let messages = kept.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(Window {
        dropped: total - messages.len() as u64,
        messages,
    })
}

/// sonic-rs: decodes everything.
///
/// # Errors
///
/// What the file system or sonic-rs says.
pub fn sonic_load(path: &Path) -> Result<Session> {
    Ok(sonic_rs::from_slice(&std::fs::read(path)?)?)
}

/// simd-json: makes a tape of everything, decodes the last messages from it.
///
/// # Errors
///
/// What the file system or simd-json says.
pub fn simd_tail(path: &Path, window: usize) -> Result<Window> {
    let mut json = std::fs::read(path)?;
    let tape = simd_json::to_tape(&mut json)?;
    let root = tape.as_value();
    let messages = root.get("messages").context("find messages")?;
    let messages = messages.as_array().context("find messages")?;
    let total = messages.len();
    let skipped = total.saturating_sub(window);
    let kept = messages
        .iter()
        .skip(skipped)
        .map(message)
        .collect::<Option<Vec<_>>>();
    Ok(Window {
        messages: kept.context("decode messages from the tape")?,
        dropped: skipped as u64,
    })
}

/// simd-json: decodes everything.
///
/// # Errors
///
/// What the file system or simd-json says.
pub fn simd_load(path: &Path) -> Result<Session> {
    Ok(simd_json::from_slice(&mut std::fs::read(path)?)?)
}

type Node<'tape, 'input> = simd_json::tape::Value<'tape, 'input>;

fn message(node: Node<'_, '_>) -> Option<Message> {
    let role = match node.get("role")?.as_str()? {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        "developer" => Role::Developer,
        _ => return None,
    };
    let content = node
        .get("content")?
        .as_array()?
        .iter()
        .map(part)
        .collect::<Option<Vec<_>>>()?;
    Some(Message { role, content })
}

fn part(node: Node<'_, '_>) -> Option<Part> {
    let optional = |name: &str| {
        node.get(name)
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    Some(match node.get("type")?.as_str()? {
        "text" => Part::Text {
            text: optional("text")?,
        },
        "image" => Part::Image {
            url: optional("url")?,
            mime_type: optional("mime_type"),
        },
        "file" => Part::File {
            path: optional("path")?,
            mime_type: optional("mime_type"),
        },
        "tool_call" => Part::ToolCall {
            id: optional("id")?,
            name: optional("name")?,
            arguments: optional("arguments")?,
            thought_signature: optional("thought_signature"),
        },
        "tool_result" => Part::ToolResult {
            tool_call_id: optional("tool_call_id")?,
            content: optional("content")?,
        },
        "thinking" => Part::Thinking {
            text: optional("text")?,
            signature: optional("signature"),
        },
        _ => return None,
    })
}
