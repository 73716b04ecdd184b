//! Takes a session document apart as a stream: each element of its arrays, and the rest of it.
//!
//! Owns how documents get into rival engines; knows no engine. Independent of the codec that is measured.

use std::fmt;
use std::io::Read;

use anyhow::{Context, Result};
use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Which array an element belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `messages`.
    Message,
    /// `tool_uses`.
    ToolUse,
}

/// Calls `element` for each element of `messages` and `tool_uses` with its text, and returns the rest of the document
/// with both arrays empty, as one line of JSON.
///
/// # Errors
///
/// Whatever is wrong with the document, and whatever `element` says.
pub fn split(
    document: impl Read,
    mut element: impl FnMut(Kind, &str) -> Result<()>,
) -> Result<String> {
    let mut failure = None;
    let mut reader =
        serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(1 << 18, document));
    let seed = Document {
        element: &mut element,
        failure: &mut failure,
    };
    let rest = reader.deserialize_map(seed);
    if let Some(failure) = failure {
        return Err(failure);
    }
    serde_json::to_string(&rest.context("split document")?).context("split document")
}

type Element<'a> = &'a mut dyn FnMut(Kind, &str) -> Result<()>;

struct Document<'a> {
    element: Element<'a>,
    failure: &'a mut Option<anyhow::Error>,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut rest = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let kind = match name.as_str() {
                "messages" => Kind::Message,
                "tool_uses" => Kind::ToolUse,
                _ => {
                    rest.insert(name, members.next_value()?);
                    continue;
                }
            };
            members.next_value_seed(Elements {
                kind,
                element: self.element,
                failure: self.failure,
            })?;
            rest.insert(name, Value::Array(Vec::new()));
        }
        Ok(rest)
    }
}

struct Elements<'a> {
    kind: Kind,
    element: Element<'a>,
    failure: &'a mut Option<anyhow::Error>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, array: D) -> Result<(), D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(raw) = array.next_element::<Box<RawValue>>()? {
            // The first failure is kept; the rest of the document is still read, because stopping is an error to serde.
            if self.failure.is_none()
                && let Err(error) = (self.element)(self.kind, raw.get())
            {
                *self.failure = Some(error);
            }
        }
        Ok(())
    }
}
