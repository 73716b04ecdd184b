//! Loading whole, and loading the tail by decoding everything and keeping the end.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::types::{Header, Message, Session, ToolUse};

/// How much the tail load reads at once.
const BUFFER: usize = 64 << 10;

/// The end of a session, with how many elements were left out and how large the file is.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The session, its arrays cut.
    pub session: Session,
    /// Elements of both arrays that were decoded and thrown away.
    pub dropped: u64,
    /// The size of the file.
    pub file_bytes: u64,
}

/// Loads a session whole.
///
/// # Errors
///
/// What the file system or serde says.
pub fn load(path: &Path) -> Result<Session> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
}

/// Loads the last `window` elements of each array.
///
/// # Errors
///
/// What the file system or serde says.
pub fn tail(path: &Path, window: usize) -> Result<Tail> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let file_bytes = file.metadata()?.len();
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, file));
    let (session, dropped) = json
        .deserialize_map(Windowed { window })
        .with_context(|| format!("parse {}", path.display()))?;
    json.end()
        .with_context(|| format!("parse {}", path.display()))?;
    Ok(Tail {
        session,
        dropped,
        file_bytes,
    })
}

/// Reads what says whose a file is, which lexes all of it.
///
/// # Errors
///
/// What the file system or serde says.
pub fn header(path: &Path) -> Result<Header> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let reader = BufReader::with_capacity(BUFFER, file);
    serde_json::from_reader(reader).with_context(|| format!("parse {}", path.display()))
}

struct Windowed {
    window: usize,
}

impl<'de> Visitor<'de> for Windowed {
    type Value = (Session, u64);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        use serde::de::Error;
        let (mut id, mut title, mut created_at, mut updated_at) = (None, None, None, None);
        let (mut metadata, mut agent, mut usage) = (None, None, None);
        let mut messages: Ring<Message> = Ring::new(self.window);
        let mut tool_uses: Ring<ToolUse> = Ring::new(self.window);
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "id" => id = Some(members.next_value()?),
                "title" => title = members.next_value()?,
                "created_at" => created_at = Some(members.next_value()?),
                "updated_at" => updated_at = Some(members.next_value()?),
                "metadata" => metadata = Some(members.next_value()?),
                "agent" => agent = Some(members.next_value()?),
                "messages" => messages = members.next_value_seed(Ring::new(self.window))?,
                "tool_uses" => tool_uses = members.next_value_seed(Ring::new(self.window))?,
                "usage" => usage = Some(members.next_value()?),
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        let dropped = messages.dropped + tool_uses.dropped;
        let session = Session {
            id: id.ok_or_else(|| Error::missing_field("id"))?,
            title,
            created_at: created_at.ok_or_else(|| Error::missing_field("created_at"))?,
            updated_at: updated_at.ok_or_else(|| Error::missing_field("updated_at"))?,
            metadata: metadata.ok_or_else(|| Error::missing_field("metadata"))?,
            agent: agent.ok_or_else(|| Error::missing_field("agent"))?,
            messages: messages.kept.into(),
            tool_uses: tool_uses.kept.into(),
            usage: usage.ok_or_else(|| Error::missing_field("usage"))?,
        };
        Ok((session, dropped))
    }
}

/// Keeps the last elements of an array, every one of which is decoded.
struct Ring<T> {
    kept: VecDeque<T>,
    window: usize,
    dropped: u64,
}

impl<T> Ring<T> {
    fn new(window: usize) -> Self {
        Self {
            kept: VecDeque::with_capacity(window.min(4_096)),
            window,
            dropped: 0,
        }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Ring<T> {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, array: D) -> Result<Self, D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Ring<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<Self, A::Error> {
        while let Some(element) = array.next_element()? {
            self.kept.push_back(element);
            if self.kept.len() > self.window {
                self.kept.pop_front();
                self.dropped += 1;
            }
        }
        Ok(self)
    }
}
