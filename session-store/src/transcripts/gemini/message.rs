//! Owns what one message of a chat becomes. Must not know the log.

use session_model::{ContentPart, Extra, RawJson, Role, Usage};

use crate::transcripts::draft::Draft;
use crate::transcripts::object::{self, Object};
use crate::transcripts::parts;

/// Adds a message, and the results of its tools as a second one.
pub(super) fn push(draft: &mut Draft, mut message: Object) {
    let role = match message.take_text("type").as_deref() {
        Some("gemini") => Role::Assistant,
        Some(kind) => Role::from(kind),
        None => Role::Other(String::new()),
    };
    draft.model = message.text("model").or(draft.model.take());
    note_usage(&mut draft.usage, &message);
    let mut content = thoughts(&mut message);
    content.extend(said(&mut message));
    let (calls, results) = tools(&mut message);
    content.extend(calls);
    let extra = message.into_extra(&["role", "content"]);
    draft.push(role, content, extra);
    if !results.is_empty() {
        draft.push(Role::Tool, results, Extra::new());
    }
}

fn note_usage(usage: &mut Usage, message: &Object) {
    let Some(tokens) = message.object("tokens") else {
        return;
    };
    let count = |name| tokens.number(name).unwrap_or_default();
    let received = count("output").saturating_add(count("thoughts"));
    let mut spent = Usage::new(count("input"), received);
    spent.total_tokens = tokens.number("total").unwrap_or(spent.total_tokens);
    spent.cache_read_tokens = tokens.number("cached");
    usage.add(&spent);
}

fn thoughts(message: &mut Object) -> Vec<ContentPart> {
    let thoughts = message.take_array("thoughts").unwrap_or_default();
    let part = |raw: &RawJson| {
        let known = Object::of(raw).and_then(|mut thought| {
            let text = thought
                .take_text("description")
                .or_else(|| thought.take_text("subject"))?;
            Some(parts::thinking(text, None, thought))
        });
        known.or_else(|| parts::other(raw))
    };
    thoughts.iter().filter_map(part).collect()
}

fn said(message: &mut Object) -> Vec<ContentPart> {
    if let Some(text) = message.take_text("content") {
        let empty = text.is_empty();
        return if empty {
            Vec::new()
        } else {
            vec![ContentPart::text(text)]
        };
    }
    if let Some(blocks) = message.take_array("content") {
        return blocks.iter().filter_map(part).collect();
    }
    let one = message.take("content");
    one.and_then(|raw| part(&raw)).into_iter().collect()
}

fn part(raw: &RawJson) -> Option<ContentPart> {
    if let Some(text) = object::text(raw) {
        return Some(ContentPart::text(text));
    }
    let known = Object::of(raw).and_then(|mut block| {
        if let Some(text) = block.take_text("text") {
            return Some(parts::text(text, block));
        }
        let mut data = block.take_object("inlineData")?;
        let (kind, bytes) = (data.take_text("mimeType")?, data.take_text("data")?);
        block.put_rest("inlineData", data);
        Some(parts::picture(Some(kind), &bytes, block))
    });
    known.or_else(|| parts::other(raw))
}

/// Makes the calls of a message and their results.
fn tools(message: &mut Object) -> (Vec<ContentPart>, Vec<ContentPart>) {
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for raw in message.take_array("toolCalls").unwrap_or_default() {
        let Some(mut call) = Object::of(&raw) else {
            calls.extend(parts::other(&raw));
            continue;
        };
        let id = call.take_text("id").unwrap_or_default();
        let name = call.take_text("name").unwrap_or_default();
        let arguments = call.take("args");
        let arguments = arguments.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned());
        if let Some(output) = call.take("result") {
            results.push(result(&id, &name, output));
        }
        calls.push(parts::call(id, name, arguments, call));
    }
    (calls, results)
}

fn result(id: &str, name: &str, output: RawJson) -> ContentPart {
    let output = plain_output(&output, id, name).unwrap_or(output);
    parts::result(id.to_owned(), Some(output), Object::default())
}

/// Returns the text of a result that says nothing else; one that does is kept whole.
fn plain_output(raw: &RawJson, id: &str, name: &str) -> Option<RawJson> {
    let blocks: Vec<RawJson> = raw.parse().ok()?;
    let [block] = blocks.as_slice() else {
        return None;
    };
    let mut block = Object::of(block)?;
    let mut answer = block.take_object("functionResponse")?;
    let mut response = answer.take_object("response")?;
    let same = answer.take_text("id")? == id && answer.take_text("name")? == name;
    let output = response.take("output")?;
    let alone = [block, answer, response].iter().all(Object::is_empty);
    (same && alone && object::text(&output).is_some()).then_some(output)
}
