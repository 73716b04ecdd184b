//! Owns what a part has to do with a tool call, also one that its type could not be read from. Must not know messages.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::ContentPart;
use super::tag::{TYPE, Tag};
use crate::{RawJson, ToolLink};

impl ContentPart {
    /// Tells which tool call the part makes or answers, if it does either.
    ///
    /// A part of these types with a member that its field could not hold, such as a result whose content is an array, is
    /// kept as [`ContentPart::Other`] and makes or answers its call all the same. A call without an id is none that
    /// anything could answer.
    pub fn tool_link(&self, link: &mut dyn FnMut(ToolLink<'_>)) {
        let known = match self {
            Self::ToolCall { id, .. } => ToolLink::Call(id),
            Self::ToolResult { tool_call_id, .. } => ToolLink::Answer(tool_call_id),
            Self::Other(raw) => return other(raw, link),
            _ => return,
        };
        if !matches!(known, ToolLink::Call("") | ToolLink::Answer("")) {
            link(known);
        }
    }
}

/// Looks into a part that was kept whole.
fn other(raw: &RawJson, link: &mut dyn FnMut(ToolLink<'_>)) {
    // Most of these are of foreign types, and need not be taken apart to know it.
    if !raw.get().contains("tool_") && !raw.get().contains("\\u00") {
        return;
    }
    let Ok(members) = serde_json::from_str::<HashMap<String, &RawValue>>(raw.get()) else {
        return;
    };
    let text = |name: &str| {
        let value = members.get(name)?;
        let text = serde_json::from_str::<String>(value.get()).ok()?;
        (!text.is_empty()).then_some(text)
    };
    match text(TYPE).as_deref().and_then(Tag::of) {
        Some(Tag::ToolCall) => {
            if let Some(id) = text("id") {
                link(ToolLink::Call(&id));
            }
        }
        Some(Tag::ToolResult) => {
            if let Some(id) = text("tool_call_id") {
                link(ToolLink::Answer(&id));
            }
        }
        _ => {}
    }
}
