//! Owns the transcripts of Claude Code. Must not know how lines are read or sessions are put together.

use std::collections::HashMap;

use session_model::{ContentPart, RawJson, Role, Usage};

use super::draft::Draft;
use super::importer::{ImportError, Imported, Importer};
use super::input::Input;
use super::lines;
use super::object::Object;
use super::parts;

const NAME: &str = "claude-code";
/// The members a message has of its own.
const MESSAGE: &[&str] = &["role", "content"];

/// Transcripts of Claude Code: JSON lines, `~/.claude/projects/*/*.jsonl`.
///
/// Each line of a user or of the assistant becomes a message, side chains included: their lines say so in unknown members.
/// A message that holds nothing but tool results gets the role `tool`. The program writes one line for each part of an answer;
/// these stay messages of their own, and tokens are counted once an answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaudeCode;

impl Importer for ClaudeCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let mut lines = head.split(|byte| *byte == b'\n').take(64);
        lines.any(|line| serde_json::from_slice(line).is_ok_and(|record| is_record(&record)))
    }

    fn read(&self, mut input: Input<'_>) -> Result<Imported, ImportError> {
        let mut draft = Draft::new(NAME);
        let mut answers = HashMap::new();
        lines::read(&mut input, &mut draft, is_record, |draft, record| {
            take(draft, &mut answers, record);
        })?;
        for usage in answers.values() {
            draft.usage.add(usage);
        }
        draft.finish(input.name())
    }
}

fn is_record(record: &Object) -> bool {
    match record.text("type").as_deref() {
        Some("user" | "assistant") => record.has("message") && record.has("uuid"),
        Some("summary") => record.has("leafUuid"),
        Some("file-history-snapshot") => record.has("snapshot"),
        Some(_) => record.has("sessionId"),
        None => false,
    }
}

fn take(draft: &mut Draft, answers: &mut HashMap<String, Usage>, mut record: Object) {
    draft.note_time(&record, "timestamp");
    draft.directory = draft.directory.take().or_else(|| record.text("cwd"));
    // A file that goes on from another session begins with lines of that one.
    if let Some(id) = record.text("sessionId") {
        draft.id = Some(match record.text("agentId") {
            Some(agent) => format!("{id}-agent-{agent}"),
            None => id,
        });
    }
    let kind = record.text("type").unwrap_or_default();
    match kind.as_str() {
        "user" | "assistant" => {
            if let Some(message) = record.take_object("message") {
                note_answer(draft, answers, &message);
                return push(draft, &kind, record, message);
            }
        }
        "system" => {
            if let Some(text) = record.take_text("content") {
                let content = vec![ContentPart::text(text)];
                return draft.push(Role::System, content, record.into_extra(MESSAGE));
            }
        }
        "summary" => draft.title = record.text("summary").or(draft.title.take()),
        _ => {}
    }
    draft.keep(&kind, record);
}

fn note_answer(draft: &mut Draft, answers: &mut HashMap<String, Usage>, message: &Object) {
    let model = message.text("model").filter(|model| model != "<synthetic>");
    draft.model = model.or(draft.model.take());
    let (Some(id), Some(usage)) = (message.text("id"), message.object("usage")) else {
        return;
    };
    let count = |name| usage.number(name);
    let (read, written) = (
        count("cache_read_input_tokens"),
        count("cache_creation_input_tokens"),
    );
    let sent = [count("input_tokens"), read, written]
        .into_iter()
        .flatten()
        .fold(0, u64::saturating_add);
    let mut usage = Usage::new(sent, count("output_tokens").unwrap_or_default());
    usage.cache_read_tokens = read;
    usage.cache_write_tokens = written;
    answers.insert(id, usage);
}

fn push(draft: &mut Draft, kind: &str, mut record: Object, mut message: Object) {
    let content = content(&mut message);
    let results = |part: &ContentPart| matches!(part, ContentPart::ToolResult { .. });
    let role = message.text("role").unwrap_or_else(|| kind.to_owned());
    let role = if !content.is_empty() && content.iter().all(results) {
        Role::Tool
    } else {
        message.take("role");
        Role::from(role)
    };
    record.put_rest("message", message);
    draft.push(role, content, record.into_extra(MESSAGE));
}

fn content(message: &mut Object) -> Vec<ContentPart> {
    if let Some(text) = message.take_text("content") {
        return vec![ContentPart::text(text)];
    }
    let blocks = message.take_array("content").unwrap_or_default();
    blocks.iter().filter_map(part).collect()
}

fn part(raw: &RawJson) -> Option<ContentPart> {
    Object::of(raw)
        .and_then(known)
        .or_else(|| parts::other(raw))
}

/// Makes a part of a block of a known shape.
fn known(mut block: Object) -> Option<ContentPart> {
    let kind = block.take_text("type")?;
    match kind.as_str() {
        "text" => Some(parts::text(block.take_text("text")?, block)),
        "thinking" => {
            let text = block.take_text("thinking")?;
            let signature = block.take_text("signature");
            Some(parts::thinking(text, signature, block))
        }
        "tool_use" => {
            let (id, name) = (block.take_text("id")?, block.take_text("name")?);
            let input = block.take("input")?;
            Some(parts::call(id, name, input.get().to_owned(), block))
        }
        "tool_result" => {
            let call = block.take_text("tool_use_id")?;
            let output = block.take("content");
            Some(parts::result(call, output, block))
        }
        "image" => {
            let mut source = block.take_object("source")?;
            let part = if source.text("type")? == "base64" {
                let data = source.take_text("data")?;
                source.take("type");
                let mime_type = source.take_text("media_type");
                block.put_rest("source", source);
                parts::picture(mime_type, &data, block)
            } else {
                let url = source.take_text("url")?;
                block.put_rest("source", source);
                parts::image(url, block)
            };
            Some(part)
        }
        _ => None,
    }
}
