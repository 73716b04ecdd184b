//! Names of members as a type asks for them: mostly text, but maps may have
//! numbers for keys. Owns that; must not know values.

use serde::{
    de::{Deserializer, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use serde_json::Error;

use super::{Direct, Input, value::RAW};

/// A member's name.
pub(super) enum Key<'a, 'n, I> {
    /// Its quote is next.
    Next(&'a mut Direct<'n, I>),
    /// It was read already, as the name of one of the document's members.
    Read(String),
}

/// Methods that take a number out of a name's quotes.
macro_rules! numeric {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let direct = self.next()?;
            direct.at += 1;
            if !matches!(direct.peek()?, Some(b'-' | b'0'..=b'9')) {
                return Err(direct.refuse());
            }
            let value = (&mut *direct).$method(visitor)?;
            direct.word(b"\"")?;
            Ok(value)
        }
    )*};
}

impl<'a, 'n, I: Input> Key<'a, 'n, I> {
    /// Returns where to read the name from, if it was not read yet. The names of
    /// a document's own members are text, whatever a type would rather have;
    /// `serde_json` sees to those that are asked for otherwise.
    fn next(self) -> Result<&'a mut Direct<'n, I>, Error> {
        match self {
            Self::Next(direct) => Ok(direct),
            Self::Read(_) => Err(serde::de::Error::custom("not taken")),
        }
    }
}

impl<'de, I: Input> Deserializer<'de> for Key<'_, '_, I> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Next(direct) => direct.string(|name| visitor.visit_str(name)),
            Self::Read(name) => visitor.visit_str(&name),
        }
    }

    numeric! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.next()?.refuse())
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.next()?.refuse())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let direct = self.next()?;
        direct.at += 1;
        let value = match direct.peek()? {
            Some(b't') => {
                direct.word(b"true\"")?;
                true
            }
            Some(b'f') => {
                direct.word(b"false\"")?;
                false
            }
            _ => return Err(direct.refuse()),
        };
        visitor.visit_bool(value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW {
            return Err(self.next()?.refuse());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Next(direct) => direct.deserialize_enum(name, variants, visitor),
            Self::Read(text) => {
                StrDeserializer::new(&text).deserialize_enum(name, variants, visitor)
            }
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.next()?.refuse())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.next()?.refuse())
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
