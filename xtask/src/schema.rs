//! The JSON Schema of a session, made by asking the model's types what they take.
//!
//! Owns the questions and the words that go with each member; must not know what the answers are: which members there are is
//! what a full session writes, and which types a member may have is what the model reads.

mod probe;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use self::probe::{Member, Subject};
use crate::flags;
use crate::workspace::Workspace;

const PATH: &str = "docs/session.schema.json";

/// What each member is, by object and name.
const WORDS: &[(&str, &str)] = &[
    (
        "session.id",
        "Names the session, and with `.json` its file.",
    ),
    ("session.title", "A line for the user's list of sessions."),
    ("session.created_at", "When the session was begun."),
    ("session.updated_at", "When it was last added to."),
    ("session.metadata", "Directory, model and settings."),
    (
        "session.agent",
        "The agent, or its mode, that runs the session.",
    ),
    ("session.messages", "What was said, oldest first."),
    ("session.tool_uses", "Tools that were run, oldest first."),
    ("session.usage", "Tokens spent."),
    (
        "metadata.directory",
        "The working directory the session belongs to.",
    ),
    (
        "metadata.directory_bytes",
        "Base64 of a directory that is not UTF-8, beside its lossy text.",
    ),
    ("metadata.model", "The model that answers."),
    (
        "metadata.knowledge_snapshot",
        "The knowledge the session was begun with.",
    ),
    ("metadata.provenance", "Where the session came from."),
    (
        "metadata.auto_apply_edits",
        "Whether edits are applied without asking; false if missing.",
    ),
    (
        "metadata.allow_network",
        "Whether tools may use the network; false if missing.",
    ),
    (
        "metadata.slash_autocomplete",
        "Whether slash commands are completed; true if missing.",
    ),
    (
        "metadata.use_worktree",
        "Whether the agent works in a worktree of its own; true if missing.",
    ),
    (
        "metadata.shared",
        "Whether the session is shared; false if missing.",
    ),
    ("metadata.share_url", "Where it is shared."),
    ("metadata.rlm", "Settings for recursive language models."),
    ("usage.prompt_tokens", "Tokens sent."),
    ("usage.completion_tokens", "Tokens received."),
    ("usage.total_tokens", "Both."),
    (
        "usage.cache_read_tokens",
        "Tokens read from the provider's cache.",
    ),
    (
        "usage.cache_write_tokens",
        "Tokens written to the provider's cache.",
    ),
    ("tool_use.id", "The id of the call."),
    ("tool_use.name", "The tool."),
    ("tool_use.input", "What it was given."),
    ("tool_use.output", "What it gave back."),
    ("tool_use.success", "Whether it succeeded."),
    (
        "message.role",
        "Who says it: `system`, `user`, `assistant`, `tool`, `developer`, or another name.",
    ),
    ("message.content", "What is said, in parts."),
    ("text.text", "Plain text."),
    (
        "image.url",
        "Where the picture is, often a `data:` URL with the picture in it.",
    ),
    ("image.mime_type", "Its media type."),
    ("file.path", "Where the file is."),
    ("file.mime_type", "Its media type."),
    (
        "tool_call.id",
        "Names the call, for the result to refer to.",
    ),
    ("tool_call.name", "The tool."),
    (
        "tool_call.arguments",
        "What the tool is given: JSON text inside a string.",
    ),
    (
        "tool_call.thought_signature",
        "The provider's signature of the thought that led to the call.",
    ),
    ("tool_result.tool_call_id", "The call it belongs to."),
    ("tool_result.content", "What the tool gave back."),
    (
        "thinking.text",
        "What the model thought before it answered.",
    ),
    (
        "thinking.signature",
        "The provider's signature of the thought.",
    ),
];

/// Writes the schema, or compares it with what is there.
///
/// # Errors
///
/// A schema that is not up to date, or a member that the model has and this file has no words for.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Schema) -> Result<()> {
    if flags.check {
        return check(workspace);
    }
    let sh = workspace.shell()?;
    sh.write_file(PATH, text()?)
        .with_context(|| format!("write {PATH}"))?;
    println!("{PATH} is written");
    Ok(())
}

/// Compares the schema that is there with the one that the model's types give.
///
/// # Errors
///
/// See [`run`].
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let found = sh.read_file(PATH).with_context(|| format!("read {PATH}"))?;
    ensure!(
        found == text()?,
        "check {PATH}: it is not what the model's types give; run `cargo xtask schema`"
    );
    println!("{PATH} is up to date");
    Ok(())
}

fn text() -> Result<String> {
    let mut text = serde_json::to_string_pretty(&schema()?).context("write schema")?;
    text.push('\n');
    Ok(text)
}

fn schema() -> Result<Value> {
    let mut definitions = Map::new();
    for subject in [
        Subject::Metadata,
        Subject::Usage,
        Subject::ToolUse,
        Subject::Message,
    ] {
        definitions.insert(subject.name().to_owned(), object(subject)?);
    }
    let mut kinds = Vec::new();
    for kind in Subject::PARTS {
        kinds.push(json!({
            "if": { "properties": { "type": { "const": kind.name() } }, "required": ["type"] },
            "then": { "$ref": format!("#/$defs/{}", kind.name()) }
        }));
        definitions.insert(kind.name().to_owned(), object(kind)?);
    }
    definitions.insert(
        "part".to_owned(),
        json!({
            "description": "One part of a message, told apart by its `type`. Parts of other types are kept as they are.",
            "allOf": kinds
        }),
    );
    let mut schema = object(Subject::Session)?;
    let top = schema.as_object_mut().context("write schema")?;
    let properties = top.get_mut("properties").and_then(Value::as_object_mut);
    properties.context("write schema")?.insert(
        "session_footer".to_owned(),
        json!({
            "type": "object",
            "description": "Where the elements of the arrays are, as docs/format.md says. Always the last member, and free to be ignored.",
            "required": ["version"],
            "properties": { "version": { "type": "integer" } }
        }),
    );
    top.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    top.insert(
        "title".to_owned(),
        json!("Session of an AI coding agent, format version 1"),
    );
    top.insert(
        "description".to_owned(),
        json!("What is read as a session. Made by `cargo xtask schema`. Members that are not named here are allowed everywhere, and kept."),
    );
    top.insert("$defs".to_owned(), Value::Object(definitions));
    Ok(schema)
}

/// Describes an object of the model.
fn object(subject: Subject) -> Result<Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if subject.is_part() {
        properties.insert("type".to_owned(), json!({ "const": subject.name() }));
        required.push(json!("type"));
    }
    for member in subject.members()? {
        let path = format!("{}.{}", subject.name(), member.name);
        let words = WORDS.iter().find(|(name, _)| *name == path);
        let (_, words) = words.with_context(|| format!("describe {path}: no words for it"))?;
        if member.required {
            required.push(json!(member.name));
        }
        properties.insert(member.name.clone(), value(&path, &member, words)?);
    }
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = Value::Array(required);
    }
    Ok(object)
}

fn value(path: &str, member: &Member, words: &str) -> Result<Value> {
    ensure!(
        !member.types.is_empty(),
        "describe {path}: it takes nothing"
    );
    // A member that takes everything is not limited.
    let mut value = if member.types.len() == probe::TYPES {
        json!({})
    } else {
        json!({ "type": member.types })
    };
    value["description"] = json!(words);
    if member.time {
        value["format"] = json!("date-time");
    }
    if member.types.contains(&"integer") && !member.types.contains(&"number") {
        value["minimum"] = json!(0);
    }
    let reference = |name: &str| json!(format!("#/$defs/{name}"));
    match path {
        "session.id" => value["pattern"] = json!("^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"),
        "session.messages" => value["items"] = json!({ "$ref": reference("message") }),
        "session.tool_uses" => value["items"] = json!({ "$ref": reference("tool_use") }),
        "message.content" => value["items"] = json!({ "$ref": reference("part") }),
        "session.metadata" | "session.usage" => {
            // What may be `null` is either that or the object.
            let name = path.trim_start_matches("session.");
            value = json!({
                "description": words,
                "anyOf": [{ "$ref": reference(name) }, { "type": "null" }]
            });
        }
        "tool_call.arguments" => value["contentMediaType"] = json!("application/json"),
        "metadata.directory_bytes" => value["contentEncoding"] = json!("base64"),
        _ => {}
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_model_is_described_and_nothing_else() {
        let schema = schema().unwrap();
        let mut described = Vec::new();
        let mut note = |name: &str, object: &Value| {
            let properties = object["properties"].as_object().unwrap();
            let own = |member: &&String| !["type", "session_footer"].contains(&member.as_str());
            described.extend(
                properties
                    .keys()
                    .filter(own)
                    .map(|member| format!("{name}.{member}")),
            );
        };
        note("session", &schema);
        for (name, object) in schema["$defs"].as_object().unwrap() {
            if name != "part" {
                note(name, object);
            }
        }
        described.sort();
        let mut words: Vec<String> = WORDS.iter().map(|(name, _)| (*name).to_owned()).collect();
        words.sort();
        assert_eq!(described, words);
    }

    #[test]
    fn the_answers_are_those_of_the_model() {
        let schema = schema().unwrap();
        assert_eq!(schema["required"], json!(["id"]));
        assert_eq!(
            schema["properties"]["created_at"]["format"],
            json!("date-time")
        );
        assert_eq!(schema["$defs"]["text"]["required"], json!(["type"]));
        let text = &schema["$defs"]["text"]["properties"]["text"];
        assert_eq!(text["type"], json!(["null", "string"]));
        let tokens = &schema["$defs"]["usage"]["properties"]["prompt_tokens"];
        assert_eq!(tokens["minimum"], json!(0));
    }
}
