//! Owns the capture of a JSON value as text from deserialisers other than `serde_json`'s.
//!
//! `serde_json` hands the very text over. Any other deserialiser (simd-json's, or serde's own buffer
//! for untagged enums) would fail there, so its value is written as JSON text first and handed over
//! in the same way. Numbers are then only as exact as that deserialiser gives them. Must not know
//! what the text is for.

use std::fmt::{self, Write as _};
use std::iter;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{MAX_DEPTH, TOO_DEEP};

/// Wraps a deserialiser so that `serde_json`'s `RawValue` can be read from it.
pub(super) struct Capture<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Capture<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0
            .deserialize_newtype_struct(name, Handover { name, visitor })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Stands between a deserialiser and `RawValue`'s visitor.
///
/// `serde_json` answers a request for a newtype of its private name with a map of one member of that
/// name. Others answer with the newtype's inside, of which such a map is made here.
struct Handover<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Handover<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        let mut text = String::new();
        Transcode {
            out: &mut text,
            depth: 0,
        }
        .deserialize(inside)?;
        self.visitor
            .visit_map(MapDeserializer::new(iter::once((self.name, text))))
    }
}

/// Writes whatever a deserialiser gives as compact JSON.
struct Transcode<'a> {
    out: &'a mut String,
    depth: u32,
}

impl Transcode<'_> {
    fn deeper<E: de::Error>(&mut self) -> Result<Transcode<'_>, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Transcode {
            out: self.out,
            depth: self.depth + 1,
        })
    }

    fn token<E: de::Error>(self, token: impl fmt::Display) -> Result<(), E> {
        write!(self.out, "{token}").map_err(E::custom)
    }
}

/// Writes a string as JSON; this cannot fail, but `serde_json`'s signature says it might.
fn push_string<E: de::Error>(out: &mut String, text: &str) -> Result<(), E> {
    out.push_str(&serde_json::to_string(text).map_err(E::custom)?);
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Transcode<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Transcode<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.token(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.token(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.token(value)
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<(), E> {
        self.token(value)
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<(), E> {
        self.token(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(E::custom("a number is not finite"));
        }
        self.out
            .push_str(&serde_json::to_string(&value).map_err(E::custom)?);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        push_string(self.out, value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.token("null")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.token("null")
    }

    fn visit_some<D: Deserializer<'de>>(self, inside: D) -> Result<(), D::Error> {
        self.deserialize(inside)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inside: D) -> Result<(), D::Error> {
        self.deserialize(inside)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        inner.out.push('[');
        let mut first = true;
        loop {
            let before = inner.out.len();
            if !first {
                inner.out.push(',');
            }
            first = false;
            let element = Transcode {
                out: inner.out,
                depth: inner.depth,
            };
            if seq.next_element_seed(element)?.is_none() {
                inner.out.truncate(before);
                break;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        inner.out.push('{');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if !first {
                inner.out.push(',');
            }
            first = false;
            push_string(inner.out, &key)?;
            inner.out.push(':');
            map.next_value_seed(Transcode {
                out: inner.out,
                depth: inner.depth,
            })?;
        }
        self.out.push('}');
        Ok(())
    }
}
