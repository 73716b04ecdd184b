//! Owns the chats of the Gemini CLI, in one document or in lines. Must not know how lines are read.

mod chat;
mod message;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use session_model::{Extra, RawJson};

use self::chat::Chat;
use super::draft::Draft;
use super::importer::{ImportError, Imported, Importer};
use super::input::Input;
use super::lines;
use super::object::Object;
use super::report::BrokenReason;

const NAME: &str = "gemini-cli";

/// Chats of the Gemini CLI: one JSON document or JSON lines, `~/.gemini/tmp/*/chats/session-*`.
///
/// An answer becomes a message, and the results of its tools a message of role `tool` after it. Lines are a log: a message
/// that is written again replaces its earlier form, and what was rewound is no message any more; both are kept as records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gemini;

impl Importer for Gemini {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
        head.trim_ascii_start().starts_with(b"{")
            && has("\"sessionId\"")
            && (has("\"projectHash\"") || has("\"startTime\""))
    }

    fn read(&self, mut input: Input<'_>) -> Result<Imported, ImportError> {
        let mut draft = Draft::new(NAME);
        let mut chat = Chat::default();
        if is_lines(input.head()?) {
            lines::read(&mut input, &mut draft, is_record, |draft, record| {
                chat.take(draft, record);
            })?;
        } else {
            read_document(&mut input, &mut draft, &mut chat)?;
        }
        chat.finish(&mut draft);
        draft.finish(input.name())
    }
}

/// Says whether the first line is a record by itself, with others behind it or with no room for messages in it.
fn is_lines(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
    let (first, rest) = head.split_at(end);
    serde_json::from_slice::<Object>(first)
        .is_ok_and(|record| !rest.trim_ascii().is_empty() || !record.has("messages"))
}

fn is_record(record: &Object) -> bool {
    record.has("sessionId")
        || record.has("$set")
        || record.has("$rewindTo")
        || (record.has("id") && record.has("type"))
}

fn read_document(
    input: &mut Input<'_>,
    draft: &mut Draft,
    chat: &mut Chat,
) -> Result<(), ImportError> {
    let mut meta = Extra::new();
    let mut json = serde_json::Deserializer::from_reader(&mut *input);
    let outcome = json
        .deserialize_map(Document {
            draft: &mut *draft,
            chat: &mut *chat,
            meta: &mut meta,
        })
        .and_then(|()| json.end());
    let mut head = Object::default();
    for (name, value) in meta.iter() {
        head.put(name, value.clone());
    }
    chat.describe(draft, head);
    let Err(error) = outcome else { return Ok(()) };
    if error.is_io() {
        return Err(ImportError::Io(error.into()));
    }
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    if draft.report.records == 0 {
        return Err(ImportError::Malformed {
            line: number(error.line()),
            column: number(error.column()),
        });
    }
    draft.report.count_broken(
        number(error.line()),
        error.column().saturating_sub(1),
        BrokenReason::Truncated,
    );
    Ok(())
}

/// Reads a chat message by message, so that the document is never in memory as a whole.
struct Document<'a> {
    draft: &'a mut Draft,
    chat: &'a mut Chat,
    meta: &'a mut Extra,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chat")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members = 0;
        while let Some(name) = map.next_key::<String>()? {
            if name == "messages" {
                map.next_value_seed(Messages(&mut *self.draft, &mut *self.chat))?;
            } else if members < 1024 {
                members += 1;
                self.meta.capture(name, &mut map)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Messages<'a>(&'a mut Draft, &'a mut Chat);

impl<'de> DeserializeSeed<'de> for Messages<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the messages of a chat")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<RawJson>()? {
            self.0.report.records += 1;
            match Object::of(&raw) {
                Some(message) => self.1.add(self.0, message),
                None => self.0.keep_text("no message", raw.get()),
            }
        }
        Ok(())
    }
}
