//! A naive reader of transcripts: cuts objects out by counting brackets, and lists every text and number in them.

use std::collections::BTreeSet;

use serde_json::Value;

/// Returns the objects of a text of JSON lines, and how many stretches are none.
pub(crate) fn objects(text: &str) -> (Vec<Value>, usize) {
    let (mut found, mut broken) = (Vec::new(), 0);
    for line in text.lines() {
        let (mut depth, mut start, mut inside, mut escaped) = (0, 0, false, false);
        let mut failed = false;
        for (at, c) in line.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                '{' if !inside => {
                    if depth == 0 {
                        failed |= !line[start..at].trim().is_empty();
                        start = at;
                    }
                    depth += 1;
                }
                '}' if !inside && depth > 0 => {
                    depth -= 1;
                    if depth == 0 {
                        match serde_json::from_str(&line[start..=at]) {
                            Ok(value) => found.push(value),
                            Err(_) => failed = true,
                        }
                        start = at + 1;
                    }
                }
                _ => {}
            }
        }
        failed |= !line[start..].trim().is_empty();
        broken += usize::from(failed);
    }
    (found, broken)
}

/// Every text and number in a value, but those that say what something is.
pub(crate) fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name != "type" && name != "role" {
                    leaves(value, into);
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| leaves(value, into)),
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Number(number) => {
            into.insert(number.to_string());
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Every text and number of a session, looking into texts that are JSON and addresses that are data.
pub(crate) fn kept(value: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    leaves(value, &mut all);
    let mut inner = BTreeSet::new();
    for text in &all {
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            leaves(&value, &mut inner);
        }
        if let Some((kind, data)) = text
            .strip_prefix("data:")
            .and_then(|data| data.split_once(";base64,"))
        {
            inner.extend([kind.to_owned(), data.to_owned(), "base64".to_owned()]);
        }
    }
    all.extend(inner);
    all
}

/// Fails unless every text and number of the source is in the session.
pub(crate) fn assert_kept(source: &[Value], session: &session_store::Session) {
    let mut wanted = BTreeSet::new();
    for value in source {
        leaves(value, &mut wanted);
    }
    // An empty text says nothing.
    wanted.remove("");
    let all = kept(&serde_json::to_value(session).unwrap());
    let lost: Vec<&String> = wanted.difference(&all).collect();
    assert!(lost.is_empty(), "lost {} of {}", lost.len(), wanted.len());
}

/// How many messages a rollout of Codex has.
pub(crate) fn codex(objects: &[Value]) -> usize {
    let is_message = |object: &&Value| {
        let kind = object["payload"]["type"].as_str().unwrap_or_default();
        match object["type"].as_str() {
            Some("response_item") => {
                kind == "message"
                    || kind == "reasoning"
                    || kind.ends_with("_call")
                    || kind.ends_with("_output")
            }
            Some("compacted") => true,
            _ => false,
        }
    };
    objects.iter().filter(is_message).count()
}

/// How many messages a transcript of Claude Code has.
pub(crate) fn claude(objects: &[Value]) -> usize {
    let is_message = |object: &&Value| match object["type"].as_str() {
        Some("user" | "assistant") => object["message"].is_object(),
        Some("system") => object["content"].is_string(),
        _ => false,
    };
    objects.iter().filter(is_message).count()
}

/// How many messages a chat of the Gemini CLI has, with one for the results of each answer's tools.
pub(crate) fn gemini(messages: &[Value]) -> usize {
    let results = |message: &Value| {
        let calls = message["toolCalls"].as_array();
        calls.is_some_and(|calls| calls.iter().any(|call| call.get("result").is_some()))
    };
    messages
        .iter()
        .map(|message| 1 + usize::from(results(message)))
        .sum()
}
