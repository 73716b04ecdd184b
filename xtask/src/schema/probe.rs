//! What a type of the model reads, found by giving it one value of every JSON type in each member.
//!
//! Owns the samples; must not know how a schema says it.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use session_model::{
    ContentPart, Message, RawJson, Role, Session, SessionId, SessionMetadata, ToolUse, Usage,
};

/// How many types a value can have in a schema.
pub(super) const TYPES: usize = 6;

/// A member, and what it takes.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// The types it may have, as a schema calls them.
    pub(super) types: Vec<&'static str>,
    /// Whether it may not be missing.
    pub(super) required: bool,
    /// Whether its strings are times.
    pub(super) time: bool,
}

/// An object of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Session,
    Metadata,
    Usage,
    ToolUse,
    Message,
    Part(&'static str),
}

impl Subject {
    /// The kinds of parts.
    pub(super) const PARTS: [Self; 6] = [
        Self::Part("text"),
        Self::Part("image"),
        Self::Part("file"),
        Self::Part("tool_call"),
        Self::Part("tool_result"),
        Self::Part("thinking"),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Metadata => "metadata",
            Self::Usage => "usage",
            Self::ToolUse => "tool_use",
            Self::Message => "message",
            Self::Part(kind) => kind,
        }
    }

    pub(super) fn is_part(self) -> bool {
        matches!(self, Self::Part(_))
    }

    /// Asks for all members.
    pub(super) fn members(self) -> Result<Vec<Member>> {
        let full = self
            .full()
            .with_context(|| format!("write a {}", self.name()))?;
        let names = full
            .keys()
            .filter(|name| !self.is_part() || *name != "type");
        Ok(names.map(|name| self.member(&full, name)).collect())
    }

    fn member(self, full: &Map<String, Value>, name: &str) -> Member {
        let mut object = full.clone();
        object.remove(name);
        // The exact bytes of a directory belong to a text that these values do not have.
        let required = name != "directory_bytes" && !self.takes(&object);
        let takes = |value: Value| {
            let mut object = object.clone();
            object.insert(name.to_owned(), value);
            self.takes(&object)
        };
        let known = full.get(name).cloned().unwrap_or_default();
        let text = known.as_str().unwrap_or("text").to_owned();
        let time = text.ends_with('Z') && takes(json!(text)) && !takes(json!("text"));
        let integer = takes(json!(1));
        let candidates = [
            ("null", takes(Value::Null)),
            ("boolean", takes(json!(true))),
            ("integer", integer && !takes(json!(1.5))),
            ("number", integer && takes(json!(1.5))),
            ("string", takes(json!(text))),
            ("array", takes(json!([]))),
            ("object", takes(json!({}))),
        ];
        let types = candidates.iter().filter(|(_, taken)| *taken);
        Member {
            name: name.to_owned(),
            types: types.map(|(name, _)| *name).collect(),
            required,
            time,
        }
    }

    /// Says whether an object is read as this type.
    fn takes(self, object: &Map<String, Value>) -> bool {
        fn reads<T: DeserializeOwned>(object: &Map<String, Value>) -> bool {
            serde_json::to_string(object).is_ok_and(|text| serde_json::from_str::<T>(&text).is_ok())
        }
        match self {
            Self::Session => reads::<Session>(object),
            Self::Metadata => reads::<SessionMetadata>(object),
            Self::Usage => reads::<Usage>(object),
            Self::ToolUse => reads::<ToolUse>(object),
            Self::Message => reads::<Message>(object),
            // One that its type cannot hold is kept as another.
            Self::Part(_) => serde_json::to_string(object)
                .ok()
                .and_then(|text| serde_json::from_str::<ContentPart>(&text).ok())
                .is_some_and(|part| !matches!(part, ContentPart::Other(_))),
        }
    }

    /// An object with every member, as the model writes it.
    fn full(self) -> Result<Map<String, Value>> {
        let written = match self {
            Self::Session => json_of(&session()?)?,
            Self::Metadata => {
                let mut written = json_of(&metadata()?)?;
                written["directory_bytes"] = json!("L3f/");
                written
            }
            Self::Usage => json_of(&usage())?,
            Self::ToolUse => json_of(&ToolUse::succeeded("i", "n", "in", "out"))?,
            Self::Message => json_of(&Message::new(Role::User, vec![ContentPart::text("t")]))?,
            Self::Part(kind) => json_of(&part(kind))?,
        };
        written.as_object().cloned().context("it is no object")
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).context("write as JSON")
}

fn session() -> Result<Session> {
    let mut session = Session::new(SessionId::new("s1")?, "/work");
    session.title = Some("title".to_owned());
    session.touch("2026-03-10T19:42:54Z".parse()?);
    "build".clone_into(&mut session.agent);
    session.push(Message::user("text"));
    session.push_tool_use(ToolUse::default());
    session.usage = usage();
    session.metadata = metadata()?;
    Ok(session)
}

fn usage() -> Usage {
    let mut usage = Usage::new(1, 2);
    usage.cache_read_tokens = Some(1);
    usage.cache_write_tokens = Some(1);
    usage
}

fn metadata() -> Result<SessionMetadata> {
    let object = RawJson::from_value(&json!({}))?;
    Ok(SessionMetadata {
        directory: Some("/work".into()),
        model: Some("model".to_owned()),
        knowledge_snapshot: Some("snapshot".to_owned()),
        provenance: Some(object.clone()),
        auto_apply_edits: true,
        allow_network: true,
        slash_autocomplete: false,
        use_worktree: false,
        shared: true,
        share_url: Some("https://example.com".to_owned()),
        rlm: Some(object),
        ..SessionMetadata::default()
    })
}

fn part(kind: &str) -> ContentPart {
    let mut part = match kind {
        "image" => ContentPart::image("url"),
        "file" => ContentPart::file("path"),
        "tool_call" => ContentPart::tool_call("id", "name", "{}"),
        "tool_result" => ContentPart::tool_result("id", "content"),
        "thinking" => ContentPart::thinking("text"),
        _ => ContentPart::text("text"),
    };
    match &mut part {
        ContentPart::Image { mime_type, .. } | ContentPart::File { mime_type, .. } => {
            *mime_type = Some("image/png".to_owned());
        }
        ContentPart::ToolCall {
            thought_signature: signature,
            ..
        }
        | ContentPart::Thinking { signature, .. } => *signature = Some("signature".to_owned()),
        _ => {}
    }
    part
}
