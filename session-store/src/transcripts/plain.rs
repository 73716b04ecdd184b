//! Owns what a reader is shown of a session: its head, and each part as a label and a text. Knows no markup.

use std::borrow::Cow;
use std::fmt::Write as _;

use session_model::{ContentPart, Session};

/// How much of an address is shown; those of pictures hold whole pictures.
const SHOWN_ADDRESS: usize = 200;

/// One part as a reader sees it.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) kind: Kind,
    /// What the part is, if its text does not say so by itself.
    pub(super) label: String,
    pub(super) text: Cow<'a, str>,
}

/// How a part is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is said.
    Speech,
    /// What is thought.
    Thought,
    /// What is for programs, folded where that is possible.
    Machine,
    /// A line about what cannot be shown.
    Note,
}

/// Says what the session is, line by line: name and value.
pub(super) fn head(session: &Session) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Session", session.id.to_string())];
    let mut add = |name, value: Option<String>| {
        lines.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (name, value)),
        );
    };
    add("Agent", Some(session.agent.clone()));
    add("Model", session.metadata.model.clone());
    let directory = session.directory();
    add(
        "Directory",
        directory.map(|path| path.display().to_string()),
    );
    add("Begun", session.created_at.map(|at| at.to_rfc3339()));
    add(
        "Last added to",
        session.updated_at.map(|at| at.to_rfc3339()),
    );
    add("Messages", Some(session.messages.len().to_string()));
    let tokens = session.usage.total_tokens;
    add("Tokens", (tokens > 0).then(|| tokens.to_string()));
    lines
}

/// Returns the session's title, or its id.
pub(super) fn title(session: &Session) -> &str {
    let title = session
        .title
        .as_deref()
        .filter(|title| !title.trim().is_empty());
    title.unwrap_or(session.id.as_str())
}

/// Shows a part. Nothing of it is left out but the bytes of pictures.
pub(super) fn part(part: &ContentPart) -> Shown<'_> {
    let shown = |kind, label: &str, text| Shown {
        kind,
        label: label.to_owned(),
        text: Cow::Borrowed(text),
    };
    match part {
        ContentPart::Text { text, .. } => shown(Kind::Speech, "", text.as_str()),
        ContentPart::Thinking { text, .. } => shown(Kind::Thought, "Thinking", text),
        ContentPart::ToolCall {
            name, arguments, ..
        } => Shown {
            kind: Kind::Machine,
            label: format!("Tool call: {name}"),
            text: Cow::Borrowed(arguments),
        },
        ContentPart::ToolResult { content, .. } => shown(Kind::Machine, "Tool result", content),
        ContentPart::Image { url, mime_type, .. } => note("Image", url, mime_type.as_deref()),
        ContentPart::File {
            path, mime_type, ..
        } => note("File", path, mime_type.as_deref()),
        ContentPart::Other(raw) => shown(Kind::Machine, "Other content", raw.get()),
        _ => shown(Kind::Note, "", "content of a kind that is not known here"),
    }
}

fn note<'a>(what: &str, place: &str, mime_type: Option<&str>) -> Shown<'a> {
    let mut text = what.to_owned();
    if let Some(mime_type) = mime_type {
        let _ = write!(text, " ({mime_type})");
    }
    if place.starts_with("data:") {
        let _ = write!(text, ", {} characters of data", place.len());
    } else {
        let shown: String = place.chars().take(SHOWN_ADDRESS).collect();
        let more = if shown.len() < place.len() { "…" } else { "" };
        let _ = write!(text, ": {shown}{more}");
    }
    Shown {
        kind: Kind::Note,
        label: String::new(),
        text: Cow::Owned(text),
    }
}

/// Says how a character that would not show itself is written out: controls, what turns the direction of text, and what has
/// no width. `None` for all that may stand as it is.
pub(super) fn visible(c: char) -> Option<String> {
    let hidden = match c {
        '\n' | '\t' => false,
        // No width, direction, and tags, which repeat ASCII and do not show.
        '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    };
    hidden.then(|| format!("[U+{:04X}]", u32::from(c)))
}
