//! Owns the names of the known types of content part and of their members, and the reading of the
//! member that tells the type. Must not know how other members are read or written.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::loose::{Loose, LooseVisitor};
use crate::object::Place;

/// The member that tells the type.
pub(super) const TYPE: &str = "type";

/// The value of the member that tells the type.
#[derive(Debug)]
pub(super) enum Told {
    Known(Tag),
    Other(Loose),
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToldVisitor)
    }
}

/// Reads a [`Told`], allocating only for a type that is not known.
struct ToldVisitor;

impl<'de> Visitor<'de> for ToldVisitor {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LooseVisitor.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Told, E> {
        match Tag::of(name) {
            Some(tag) => Ok(Told::Known(tag)),
            None => LooseVisitor.visit_str(name).map(Told::Other),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<Told, E> {
        LooseVisitor.visit_unit().map(Told::Other)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Told, E> {
        LooseVisitor.visit_bool(value).map(Told::Other)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Told, E> {
        LooseVisitor.visit_i64(value).map(Told::Other)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Told, E> {
        LooseVisitor.visit_u64(value).map(Told::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Told, A::Error> {
        LooseVisitor.visit_seq(seq).map(Told::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Told, A::Error> {
        LooseVisitor.visit_map(map).map(Told::Other)
    }
}

/// The greatest number of members in a list of [`Tag::members`].
pub(super) const SLOTS: usize = 5;

/// A type of part that is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tag {
    Text,
    Image,
    File,
    ToolCall,
    ToolResult,
    Thinking,
}

impl Tag {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "image" => Self::Image,
            "file" => Self::File,
            "tool_call" => Self::ToolCall,
            "tool_result" => Self::ToolResult,
            "thinking" => Self::Thinking,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::ToolCall => "tool_call",
            Self::ToolResult => "tool_result",
            Self::Thinking => "thinking",
        }
    }

    /// Returns the names of all members, `type` first, so that one look tells any key.
    pub(super) fn members(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[TYPE, "text"],
            Self::Image => &[TYPE, "url", "mime_type"],
            Self::File => &[TYPE, "path", "mime_type"],
            Self::ToolCall => &[TYPE, "id", "name", "arguments", "thought_signature"],
            Self::ToolResult => &[TYPE, "tool_call_id", "content"],
            Self::Thinking => &[TYPE, "text", "signature"],
        }
    }

    pub(super) fn place(self, index: u8) -> Place {
        Place {
            name: self.members()[usize::from(index)],
            index,
        }
    }
}
