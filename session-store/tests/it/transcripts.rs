//! Imports and exports: what goes in comes out, and nothing is lost on the way.

mod claude;
mod codetether;
mod codex;
mod export;
mod gemini;
mod html;
mod oracle;
mod real;
mod rough;

use session_store::transcripts::{Imported, Importer, Input, importers};

/// Reads a transcript that must be recognised as one of `format`.
pub(crate) fn import(format: &str, bytes: &[u8]) -> Imported {
    let head = Input::new(bytes).head().unwrap().to_vec();
    let chosen: Vec<&dyn Importer> = importers()
        .into_iter()
        .filter(|importer| importer.recognise(&head))
        .collect();
    assert_eq!(chosen.first().map(|importer| importer.name()), Some(format));
    let imported = chosen[0].read(Input::new(bytes)).unwrap();
    assert_eq!(imported.report.format, format);
    assert_eq!(
        imported.report.messages,
        imported.session.messages.len() as u64
    );
    imported
}

/// The text of a message's parts, by kind.
pub(crate) fn shown(imported: &Imported) -> Vec<String> {
    use session_store::ContentPart;
    let part = |part: &ContentPart| match part {
        ContentPart::Text { text, .. } => format!("text {text}"),
        ContentPart::Thinking { text, .. } => format!("thought {text}"),
        ContentPart::ToolCall {
            id,
            name,
            arguments,
            ..
        } => format!("call {id} {name} {arguments}"),
        ContentPart::ToolResult {
            tool_call_id,
            content,
            ..
        } => format!("result {tool_call_id} {content}"),
        ContentPart::Image { url, .. } => format!("image {url}"),
        ContentPart::Other(raw) => format!("other {raw}"),
        part => format!("{part:?}"),
    };
    let line = |message: &session_store::Message| {
        let parts: Vec<String> = message.content.iter().map(part).collect();
        format!("{}: {}", message.role, parts.join(" | "))
    };
    imported.session.messages.iter().map(line).collect()
}
