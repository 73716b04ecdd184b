//! Owns the reading of a content part. Must not know what a part is for.
//!
//! Every known member of a known type is a string, so one reader serves all types: it collects
//! members into slots by the type's table, wherever the member `type` stands, and makes the part at
//! the end.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::ContentPart;
use super::loose::{Loose, LooseVisitor, ObjectText};
use super::tag::{SLOTS, TYPE, Tag, Told};
use crate::object::{Key, KeySeed, Kind, Plain, Skipped, Slot};
use crate::{Extra, RawJson};

impl<'de> Deserialize<'de> for ContentPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

/// Keeps a value that is no object.
fn other<E: de::Error>(value: Loose) -> Result<ContentPart, E> {
    value.into_raw().map(ContentPart::Other).map_err(E::custom)
}

impl<'de> Visitor<'de> for PartVisitor {
    type Value = ContentPart;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that is a content part")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ContentPart, E> {
        other(LooseVisitor.visit_str(text)?)
    }

    fn visit_unit<E: de::Error>(self) -> Result<ContentPart, E> {
        other(LooseVisitor.visit_unit()?)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<ContentPart, E> {
        other(LooseVisitor.visit_bool(value)?)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<ContentPart, E> {
        other(LooseVisitor.visit_i64(value)?)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<ContentPart, E> {
        other(LooseVisitor.visit_u64(value)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ContentPart, A::Error> {
        other(LooseVisitor.visit_seq(seq)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContentPart, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key_seed(KeySeed(members.names()))? {
            match key {
                Key::Known(0) => members.set_type(map.next_value()?)?,
                Key::Known(at) => members.set(at, map.next_value()?)?,
                Key::Unknown(name) => members.extra.capture(name, &mut map)?,
            }
        }
        members.finish()
    }
}

/// The members of a part while it is read.
struct Members {
    /// The value of `type`, if it is not a known type.
    foreign: Option<Loose>,
    tag: Option<Tag>,
    slots: [Slot<Loose>; SLOTS],
    extra: Extra,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            foreign: None,
            tag: None,
            slots: [const { Slot::Absent }; SLOTS],
            extra: Extra::new(),
        }
    }
}

impl Members {
    /// Returns the keys that mean something at this point.
    fn names(&self) -> &'static [&'static str] {
        self.tag.map_or(&[TYPE], Tag::members)
    }

    /// Takes the type. Members that stood before it may turn out to be known ones.
    fn set_type<E: de::Error>(&mut self, told: Told) -> Result<(), E> {
        if self.tag.is_some() || self.foreign.is_some() {
            return Err(E::duplicate_field(TYPE));
        }
        let tag = match told {
            Told::Known(tag) => tag,
            Told::Other(value) => {
                self.foreign = Some(value);
                return Ok(());
            }
        };
        self.tag = Some(tag);
        if !self.extra.is_empty() {
            for (name, value) in std::mem::take(&mut self.extra).into_members() {
                match tag.members().iter().position(|known| *known == name) {
                    Some(at) => self.set(at, Loose::Raw(value))?,
                    None => self.extra.push(name, value),
                }
            }
        }
        Ok(())
    }

    fn set<E: de::Error>(&mut self, at: usize, value: Loose) -> Result<(), E> {
        let name = self.names()[at];
        self.slots[at].set(name, Some(value))
    }

    /// Makes the part, or keeps the object whole if a slot holds what its field cannot.
    fn finish<E: de::Error>(self) -> Result<ContentPart, E> {
        let Some(tag) = self.tag else {
            return self.into_other().map_err(E::custom);
        };
        let mut texts = [const { Slot::Absent }; SLOTS];
        let mut slots = self.slots;
        for at in 0..SLOTS {
            texts[at] = match std::mem::replace(&mut slots[at], Slot::Absent) {
                Slot::Absent => Slot::Absent,
                Slot::Null => Slot::Null,
                Slot::Value(Loose::Text(text)) => Slot::Value(text),
                Slot::Value(Loose::Raw(raw)) => match raw.parse::<Option<String>>() {
                    Ok(Some(text)) => Slot::Value(text),
                    Ok(None) => Slot::Null,
                    Err(_) => {
                        slots[at] = Slot::Value(Loose::Raw(raw));
                        restore(&mut slots, texts);
                        return Self { slots, ..self }.into_other().map_err(E::custom);
                    }
                },
            };
        }
        Fields {
            tag,
            slots: texts,
            extra: self.extra,
        }
        .into_part()
    }

    /// Keeps the object whole.
    ///
    /// A known type is put last: a member that is kept here because its field could not hold it is
    /// captured as text only while the type is not known yet.
    fn into_other(self) -> Result<ContentPart, serde_json::Error> {
        let mut object = ObjectText::default();
        if let Some(foreign) = self.foreign {
            object.member(TYPE, &foreign.into_raw()?)?;
        }
        let names = self.tag.map_or(&[][..], Tag::members);
        for (name, slot) in names.iter().zip(self.slots) {
            match slot {
                Slot::Absent => {}
                Slot::Null => object.member(name, &RawJson::null())?,
                Slot::Value(value) => object.member(name, &value.into_raw()?)?,
            }
        }
        for (name, value) in self.extra.into_members() {
            object.member(&name, &value)?;
        }
        if let Some(tag) = self.tag {
            object.member(TYPE, &RawJson::string(tag.name())?)?;
        }
        object.finish().map(ContentPart::Other)
    }
}

/// Puts what was already taken back, before a slot that turned out not to fit.
fn restore(slots: &mut [Slot<Loose>; SLOTS], texts: [Slot<String>; SLOTS]) {
    for (slot, text) in slots.iter_mut().zip(texts) {
        match text {
            Slot::Absent => {}
            Slot::Null => *slot = Slot::Null,
            Slot::Value(text) => *slot = Slot::Value(Loose::Text(text)),
        }
    }
}

/// The members of a part of a known type, each of which fits.
struct Fields {
    tag: Tag,
    slots: [Slot<String>; SLOTS],
    extra: Extra,
}

impl Fields {
    fn into_part<E: de::Error>(mut self) -> Result<ContentPart, E> {
        Ok(match self.tag {
            Tag::Text => ContentPart::Text {
                text: self.read::<_, Plain, E>(1)?,
                extra: self.extra,
            },
            Tag::Image => ContentPart::Image {
                url: self.read::<_, Plain, E>(1)?,
                mime_type: self.read::<_, Skipped, E>(2)?,
                extra: self.extra,
            },
            Tag::File => ContentPart::File {
                path: self.read::<_, Plain, E>(1)?,
                mime_type: self.read::<_, Skipped, E>(2)?,
                extra: self.extra,
            },
            Tag::ToolCall => ContentPart::ToolCall {
                id: self.read::<_, Plain, E>(1)?,
                name: self.read::<_, Plain, E>(2)?,
                arguments: self.read::<_, Plain, E>(3)?,
                thought_signature: self.read::<_, Skipped, E>(4)?,
                extra: self.extra,
            },
            Tag::ToolResult => ContentPart::ToolResult {
                tool_call_id: self.read::<_, Plain, E>(1)?,
                content: self.read::<_, Plain, E>(2)?,
                extra: self.extra,
            },
            Tag::Thinking => ContentPart::Thinking {
                text: self.read::<_, Plain, E>(1)?,
                signature: self.read::<_, Skipped, E>(2)?,
                extra: self.extra,
            },
        })
    }

    fn read<T, K: Kind<T, Wire = String>, E: de::Error>(&mut self, index: u8) -> Result<T, E> {
        let slot = std::mem::replace(&mut self.slots[usize::from(index)], Slot::Absent);
        K::read(slot, self.tag.place(index), &mut self.extra)
    }
}
