//! Owns the reading of a value that should be a string, but must not be lost if it is not. Must not
//! know what the value is for.
//!
//! Unlike capturing the raw text first, a string is decoded in one pass, which matters because
//! strings are nearly all the bytes of a session.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::RawJson;

/// A string, or any other value as text.
#[derive(Debug)]
pub(super) enum Loose {
    Text(String),
    Raw(RawJson),
}

impl Loose {
    /// Returns the value as JSON text.
    pub(super) fn into_raw(self) -> Result<RawJson, serde_json::Error> {
        match self {
            Self::Text(text) => RawJson::string(&text),
            Self::Raw(raw) => Ok(raw),
        }
    }

    fn raw<E: de::Error>(text: String) -> Result<Self, E> {
        RawJson::from_text(text).map(Self::Raw).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// Reads a [`Loose`] value. A number that is not a 64-bit integer is refused rather than rounded.
pub(super) struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose::Raw(RawJson::null()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Loose, E> {
        Loose::raw(value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Loose, E> {
        Loose::raw(value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Loose, E> {
        Loose::raw(value.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
        let mut text = String::from("[");
        while let Some(element) = seq.next_element::<RawJson>()? {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(element.get());
        }
        text.push(']');
        Loose::raw(text)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut object = ObjectText::default();
        while let Some(name) = map.next_key::<String>()? {
            object
                .member(&name, &map.next_value()?)
                .map_err(de::Error::custom)?;
        }
        object.finish().map(Loose::Raw).map_err(de::Error::custom)
    }
}

/// Builds the text of an object.
#[derive(Debug, Default)]
pub(super) struct ObjectText(String);

impl ObjectText {
    /// Adds a member.
    pub(super) fn member(&mut self, name: &str, value: &RawJson) -> Result<(), serde_json::Error> {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&serde_json::to_string(name)?);
        self.0.push(':');
        self.0.push_str(value.get());
        Ok(())
    }

    /// Closes the object.
    pub(super) fn finish(mut self) -> Result<RawJson, serde_json::Error> {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        RawJson::from_text(self.0)
    }
}
