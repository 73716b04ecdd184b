//! Values as a type asks for them, with the answers that `serde_json` gives.
//! Owns the dispatch on a value's first byte; must not know members.

use serde::de::{Deserializer, Visitor, value::MapDeserializer};
use serde_json::Error;

use super::{
    Direct, Input,
    access::{Elements, MapMembers, UnitVariant, Variant},
};

/// The name under which `serde_json` asks its own deserialiser for a value's
/// text. Should it change, such values are left to `serde_json`.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

impl<I: Input> Direct<'_, I> {
    /// Takes the array whose bracket is next.
    pub(super) fn array<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.open()?;
        match visitor.visit_seq(Elements::new(self)) {
            Ok(value) => {
                self.close(b']')?;
                Ok(value)
            }
            Err(error) => Err(self.passed(error)),
        }
    }

    /// Takes the object whose brace is next.
    pub(super) fn object<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.open()?;
        match visitor.visit_map(MapMembers::new(self)) {
            Ok(value) => {
                self.close(b'}')?;
                Ok(value)
            }
            Err(error) => Err(self.passed(error)),
        }
    }

    fn unit<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.word(b"null")?;
        visitor.visit_unit()
    }

    /// Hands over the text of the next value.
    fn raw<'de, V: Visitor<'de>>(
        &mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.token()?;
        if self.depth == 0 && self.rules.document.is_some() {
            // The text of a document would need the reserved member taken out.
            return Err(self.refuse());
        }
        self.anchor = Some(self.at);
        self.skip_value(self.in_document().is_some())?;
        let start = self.anchor.take().unwrap_or(self.at);
        let Some(text) = self.input.text(start..self.at) else {
            return Err(self.refuse());
        };
        let value = visitor.visit_map(MapDeserializer::<_, Error>::new(std::iter::once((
            name, text,
        ))));
        value.map_err(|error| self.passed(error))
    }
}

/// Methods that take a number. Other kinds of values are an error of the type,
/// which is `serde_json`'s to tell.
macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.token()? {
                b'-' | b'0'..=b'9' => self.number(visitor, |token, visitor| {
                    let mut json = serde_json::Deserializer::from_reader(token);
                    let value = json.$method(visitor)?;
                    json.end()?;
                    Ok(value)
                }),
                _ => Err(self.refuse()),
            }
        }
    )*};
}

impl<'de, I: Input> Deserializer<'de> for &mut Direct<'_, I> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'"' => self.string(|text| visitor.visit_str(text)),
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            b't' => {
                self.word(b"true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word(b"false")?;
                visitor.visit_bool(false)
            }
            b'n' => self.unit(visitor),
            b'-' | b'0'..=b'9' => self.number(visitor, |token, visitor| {
                let mut json = serde_json::Deserializer::from_reader(token);
                let value = json.deserialize_any(visitor)?;
                json.end()?;
                Ok(value)
            }),
            _ => Err(self.refuse()),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b't' | b'f' => self.deserialize_any(visitor),
            _ => Err(self.refuse()),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f64
    }

    /// Rounds only once for this width, which is `serde_json`'s to do.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'-' | b'0'..=b'9' => self.number(visitor, |token, visitor| {
                let mut json = serde_json::Deserializer::from_reader(token);
                let value = json.deserialize_f32(visitor)?;
                json.end()?;
                Ok(value)
            }),
            _ => Err(self.refuse()),
        }
    }

    /// Asks for a visitor's wide methods, unlike the narrow integers.
    fn deserialize_i128<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.refuse())
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(self.refuse())
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'"' => self.string(|text| visitor.visit_str(text)),
            _ => Err(self.refuse()),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    /// Bytes may be asked of a string that is no text.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'[' => self.array(visitor),
            _ => Err(self.refuse()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'n' => {
                self.word(b"null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'n' => self.unit(visitor),
            _ => Err(self.refuse()),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW {
            return self.raw(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'[' => self.array(visitor),
            _ => Err(self.refuse()),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            b'{' => self.object(visitor),
            _ => Err(self.refuse()),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.token()? {
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            _ => Err(self.refuse()),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let byte = self.token()?;
        if self.depth == 0 && self.rules.document.is_some() {
            // Its variant would be the document's first member.
            return Err(self.refuse());
        }
        match byte {
            b'{' => {
                self.open()?;
                // As a member of the document the variant's name could be the
                // reserved one only at the root, which is dealt with above.
                match visitor.visit_enum(Variant(self)) {
                    Ok(value) => {
                        self.close(b'}')?;
                        Ok(value)
                    }
                    Err(error) => Err(self.passed(error)),
                }
            }
            b'"' => visitor
                .visit_enum(UnitVariant(self))
                .map_err(|error| self.passed(error)),
            _ => Err(self.refuse()),
        }
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.token()?;
        if self.depth == 0 && self.rules.document.is_some() {
            // The members of a document are counted, which skipping does not.
            return Err(self.refuse());
        }
        self.skip_value(self.in_document().is_some())?;
        visitor.visit_unit()
    }
}
