//! Owns the rollouts of the Codex CLI. Must not know how lines are read or sessions are put together.

mod said;

use session_model::{ContentPart, RawJson, Role, Usage};

use self::said::Said;
use super::draft::Draft;
use super::importer::{ImportError, Imported, Importer};
use super::input::Input;
use super::lines;
use super::object::{self, Object};
use super::parts;

const NAME: &str = "codex";

/// Rollouts of the Codex CLI: JSON lines, `~/.codex/sessions/**/rollout-*.jsonl`.
///
/// Each message, thought, tool call and tool output becomes a message. What is shown on screen while it runs (`event_msg`)
/// repeats these and is kept as a record; where it says something that no message says, it becomes a message too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codex;

impl Importer for Codex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let mut lines = head.split(|byte| *byte == b'\n').take(16);
        lines.any(|line| serde_json::from_slice(line).is_ok_and(|record| is_record(&record)))
            || (head.starts_with(b"{")
                && find(head, b"\"session_meta\"")
                && find(head, b"\"payload\""))
    }

    fn read(&self, mut input: Input<'_>) -> Result<Imported, ImportError> {
        let mut draft = Draft::new(NAME);
        let mut said = Said::default();
        lines::read(&mut input, &mut draft, is_record, |draft, record| {
            take(draft, &mut said, record);
        })?;
        said.add_missing(&mut draft);
        draft.finish(input.name())
    }
}

fn find(head: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(head, needle).is_some()
}

/// Says whether an object is a line of a rollout, in today's form or that of the first months, which had no envelope.
fn is_record(record: &Object) -> bool {
    let kind = record.text("type");
    match kind.as_deref() {
        Some("session_meta" | "response_item" | "event_msg" | "turn_context" | "compacted") => {
            record.has("payload")
        }
        Some(kind) => !record.has("message") && is_item(kind) && !record.has("uuid"),
        None => {
            record.has("record_type")
                || (record.has("id") && record.has("timestamp") && record.has("instructions"))
        }
    }
}

fn is_item(kind: &str) -> bool {
    matches!(kind, "message" | "reasoning") || kind.ends_with("_call") || kind.ends_with("_output")
}

fn take(draft: &mut Draft, said: &mut Said, mut record: Object) {
    draft.note_time(&record, "timestamp");
    let kind = record.text("type").unwrap_or_default();
    let Some(payload) = record.object("payload") else {
        if is_item(&kind) && take_item(draft, said, &record, None) {
            return;
        }
        begin(draft, &record);
        return draft.keep(&name(&kind, None), record);
    };
    let inner = payload.text("type");
    match kind.as_str() {
        "session_meta" => begin(draft, &payload),
        "turn_context" => {
            draft.model = payload.text("model").or(draft.model.take());
            draft.directory = draft.directory.take().or_else(|| payload.text("cwd"));
        }
        "response_item" => {
            record.take("payload");
            if take_item(draft, said, &payload, Some(&record)) {
                return;
            }
            record.put_rest("payload", payload);
        }
        "compacted" => {
            let mut payload = payload;
            if let Some(text) = payload.take_text("message") {
                let content = vec![ContentPart::text(text)];
                record.take("payload");
                record.put_rest("payload", payload);
                return draft.push(Role::System, content, record.into_extra(MESSAGE));
            }
        }
        "event_msg" => {
            if inner.as_deref() == Some("token_count") {
                note_usage(draft, &payload);
            }
            said.hear(draft, inner.as_deref().unwrap_or_default(), &payload);
        }
        _ => {}
    }
    draft.keep(&name(&kind, inner.as_deref()), record);
}

/// The members a message has of its own.
const MESSAGE: &[&str] = &["role", "content"];

fn name(kind: &str, inner: Option<&str>) -> String {
    match (kind, inner) {
        ("", _) => "state".to_owned(),
        ("event_msg" | "response_item", Some(inner)) => format!("{kind}/{inner}"),
        _ => kind.to_owned(),
    }
}

fn begin(draft: &mut Draft, meta: &Object) {
    draft.id = draft.id.take().or_else(|| meta.text("id"));
    draft.directory = draft.directory.take().or_else(|| meta.text("cwd"));
    draft.note_time(meta, "timestamp");
}

fn note_usage(draft: &mut Draft, payload: &Object) {
    let info = payload.object("info");
    let Some(total) = info.and_then(|info| info.object("total_token_usage")) else {
        return;
    };
    let count = |name| total.number(name);
    let mut usage = Usage::new(
        count("input_tokens").unwrap_or_default(),
        count("output_tokens").unwrap_or_default(),
    );
    usage.cache_read_tokens = count("cached_input_tokens");
    usage.total_tokens = count("total_tokens").unwrap_or(usage.total_tokens);
    draft.usage = usage;
}

/// Makes a message of an item, and says whether it is one. What is left of it goes with the envelope, if there is one.
fn take_item(draft: &mut Draft, said: &mut Said, item: &Object, envelope: Option<&Object>) -> bool {
    let mut item = item.clone();
    let kind = item.text("type").unwrap_or_default();
    let (role, content) = match kind.as_str() {
        "message" => {
            let role = Role::from(item.take_text("role").unwrap_or_default());
            (role.clone(), message_parts(&mut item, said, &role))
        }
        "reasoning" => (Role::Assistant, thoughts(&mut item, said)),
        _ if kind.ends_with("_output") => (Role::Tool, vec![output(&mut item)]),
        _ if kind.ends_with("_call") => (Role::Assistant, vec![call(&mut item, &kind)]),
        _ => return false,
    };
    let extra = match envelope {
        None => item.into_extra(MESSAGE),
        Some(envelope) => {
            let mut envelope = envelope.clone();
            envelope.put_rest("payload", item);
            envelope.into_extra(MESSAGE)
        }
    };
    draft.push(role, content, extra);
    true
}

fn message_parts(item: &mut Object, said: &mut Said, role: &Role) -> Vec<ContentPart> {
    if let Some(text) = item.take_text("content") {
        said.say(role, &text);
        return vec![ContentPart::text(text)];
    }
    let blocks = item.take_array("content").unwrap_or_default();
    let mut whole = String::new();
    let parts = blocks.iter().filter_map(|raw| {
        let Some(mut block) = Object::of(raw) else {
            return parts::other(raw);
        };
        match block.text("type").as_deref() {
            Some("input_text" | "output_text" | "text") => {
                let Some(text) = block.take_text("text") else {
                    return parts::other(raw);
                };
                whole.push_str(&text);
                said.say(role, &text);
                Some(parts::text(text, untyped(block, role)))
            }
            Some("input_image") => match block.take_text("image_url") {
                Some(url) => Some(parts::image(url, block)),
                None => parts::other(raw),
            },
            _ => parts::other(raw),
        }
    });
    let parts = parts.collect();
    said.say(role, &whole);
    parts
}

/// Forgets a type that the role implies.
fn untyped(mut block: Object, role: &Role) -> Object {
    let implied = if *role == Role::Assistant {
        "output_text"
    } else {
        "input_text"
    };
    if block.text("type").as_deref() == Some(implied) {
        block.take("type");
    }
    block
}

fn thoughts(item: &mut Object, said: &mut Said) -> Vec<ContentPart> {
    let mut thoughts = Vec::new();
    for member in ["summary", "content"] {
        for raw in item.take_array(member).unwrap_or_default() {
            let block = Object::of(&raw).and_then(|mut block| {
                let text = block.take_text("text")?;
                Some((text, block))
            });
            thoughts.extend(match block {
                Some((text, block)) => {
                    said.hear_thought(&text);
                    Some(parts::thinking(text, None, block))
                }
                None => parts::other(&raw),
            });
        }
    }
    thoughts
}

fn call(item: &mut Object, kind: &str) -> ContentPart {
    let id = item.take_text("call_id").or_else(|| item.take_text("id"));
    let tool = kind.trim_end_matches("_call");
    let name = item.take_text("name").unwrap_or_else(|| tool.to_owned());
    let arguments = item
        .take_text("arguments")
        .or_else(|| item.take("action").map(|action| action.get().to_owned()))
        .or_else(|| input(item))
        .unwrap_or_else(|| "{}".to_owned());
    parts::call(id.unwrap_or_default(), name, arguments, Object::default())
}

/// Makes JSON text of an input that is any text.
fn input(item: &mut Object) -> Option<String> {
    let mut arguments = Object::default();
    arguments.put("input", object::quoted(&item.text("input")?)?);
    let arguments = arguments.into_raw()?.get().to_owned();
    item.take("input");
    Some(arguments)
}

fn output(item: &mut Object) -> ContentPart {
    let call = item.take_text("call_id").unwrap_or_default();
    let output: Option<RawJson> = item.take("output");
    parts::result(call, output, Object::default())
}
