//! The JSON Schema of a session, made by asking the model's types what they take.
//!
//! Owns the questions and the words that go with each member; must not know what the answers are: which members there are is
//! what a full session writes, and which types a member may have is what the model reads.

mod probe;
mod words;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use self::probe::{Member, Subject};
use self::words::WORDS;
use crate::flags;
use crate::workspace::Workspace;

const PATH: &str = "docs/session.schema.json";

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
