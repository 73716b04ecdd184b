//! Owns the parts that several formats have: texts, pictures, results, and what is kept as it is. Knows no whole record.

use session_model::{ContentPart, RawJson};

use super::object::{self, Object};

/// Names the members that each part has of its own.
const TEXT: &[&str] = &["type", "text"];
const THINKING: &[&str] = &["type", "text", "signature"];
const IMAGE: &[&str] = &["type", "url", "mime_type"];
const CALL: &[&str] = &["type", "id", "name", "arguments", "thought_signature"];
const RESULT: &[&str] = &["type", "tool_call_id", "content"];

/// Makes a text of a part whose `type` says nothing more.
pub(super) fn text(text: String, rest: Object) -> ContentPart {
    ContentPart::Text {
        text,
        extra: rest.into_extra(TEXT),
    }
}

/// Makes a thought.
pub(super) fn thinking(text: String, signature: Option<String>, rest: Object) -> ContentPart {
    ContentPart::Thinking {
        text,
        signature,
        extra: rest.into_extra(THINKING),
    }
}

/// Makes a picture out of what a `data:` address says.
pub(super) fn picture(mime_type: Option<String>, base64: &str, rest: Object) -> ContentPart {
    ContentPart::Image {
        url: format!(
            "data:{};base64,{base64}",
            mime_type.as_deref().unwrap_or_default()
        ),
        mime_type,
        extra: rest.into_extra(IMAGE),
    }
}

/// Makes a picture of an address.
pub(super) fn image(url: String, rest: Object) -> ContentPart {
    ContentPart::Image {
        url,
        mime_type: None,
        extra: rest.into_extra(IMAGE),
    }
}

/// Makes a tool call; `arguments` is JSON text.
pub(super) fn call(id: String, name: String, arguments: String, rest: Object) -> ContentPart {
    ContentPart::ToolCall {
        id,
        name,
        arguments,
        thought_signature: None,
        extra: rest.into_extra(CALL),
    }
}

/// Makes a tool's result of its output: text, or blocks of which the texts are joined, and which are then kept whole in
/// `blocks` besides, or JSON of any other kind as it is.
pub(super) fn result(call: String, output: Option<RawJson>, mut rest: Object) -> ContentPart {
    let content = output.map_or_else(String::new, |raw| {
        if let Some(text) = object::text(&raw) {
            return text;
        }
        let Some(joined) = texts(&raw) else {
            return raw.get().to_owned();
        };
        rest.put("blocks", raw);
        joined
    });
    ContentPart::ToolResult {
        tool_call_id: call,
        content,
        extra: rest.into_extra(RESULT),
    }
}

/// Joins the texts of an array of blocks; `None` if it is no such array, or none has a text.
fn texts(raw: &RawJson) -> Option<String> {
    let blocks: Vec<RawJson> = raw.parse().ok()?;
    let texts: Vec<String> = blocks
        .iter()
        .filter_map(|block| Object::of(block)?.text("text"))
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Keeps a part that no field fits.
///
/// A value that the model could not write exactly is kept as text inside one that it can.
pub(super) fn other(raw: &RawJson) -> Option<ContentPart> {
    let shallow = Object::of(raw).and_then(Object::into_raw);
    let raw = shallow.as_ref().unwrap_or(raw);
    let part = match raw.get().as_bytes().first() {
        Some(b'{') => raw.parse().ok(),
        _ => None,
    };
    part.or_else(|| {
        let mut wrapped = Object::default();
        wrapped.put("type", object::quoted("foreign")?);
        wrapped.put("json", object::quoted(raw.get())?);
        Some(ContentPart::Other(wrapped.into_raw()?))
    })
}
