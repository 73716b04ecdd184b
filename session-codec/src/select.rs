//! Serialises chosen top-level members of a record and skips the others unseen: what a record says of itself, without
//! the cost of its arrays.

use std::fmt::{self, Display};

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::{Codec, Error, Parser, Refusal};

impl<P: Parser> Codec<P> {
    /// Writes an object of those members of `value` that are named; the others
    /// are never serialised.
    ///
    /// It costs what the named members cost, however long the record's arrays
    /// are.
    ///
    /// ```
    /// use serde_json::json;
    /// use session_codec::Codec;
    ///
    /// let record = json!({"agent": "build", "id": "a", "messages": [1, 2, 3]});
    /// assert_eq!(Codec::new().select(&record, &["id"])?, br#"{"id":"a"}"#);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if `value` is not an object or a named member refuses
    /// to be written.
    pub fn select<T: Serialize + ?Sized>(
        &self,
        value: &T,
        names: &[&str],
    ) -> Result<Vec<u8>, Error> {
        let mut select = Select {
            names,
            key: None,
            json: vec![b'{'],
        };
        value
            .serialize(&mut select)
            .map_err(|unselectable| Error::refused(unselectable.0))?;
        select.json.push(b'}');
        Ok(select.json)
    }
}

struct Select<'n> {
    names: &'n [&'n str],
    key: Option<String>,
    json: Vec<u8>,
}

/// Why a selection stopped. What a type says itself may quote content, so it is
/// not kept.
#[derive(Debug)]
struct Unselectable(Refusal);

impl Display for Unselectable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unselectable {}

impl ser::Error for Unselectable {
    fn custom<T: Display>(_: T) -> Self {
        Self(Refusal::Value)
    }
}

impl From<serde_json::Error> for Unselectable {
    fn from(_: serde_json::Error) -> Self {
        Self(Refusal::Value)
    }
}

impl Select<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Unselectable> {
        if !self.names.contains(&key) {
            return Ok(());
        }
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, key)?;
        self.json.push(b':');
        serde_json::to_writer(&mut self.json, value)?;
        Ok(())
    }
}

impl SerializeStruct for &mut Select<'_> {
    type Ok = ();
    type Error = Unselectable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unselectable> {
        self.member(key, value)
    }

    fn end(self) -> Result<(), Unselectable> {
        Ok(())
    }
}

impl SerializeMap for &mut Select<'_> {
    type Ok = ();
    type Error = Unselectable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unselectable> {
        self.key = match serde_json::to_value(key)? {
            serde_json::Value::String(key) => Some(key),
            _ => None,
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unselectable> {
        match self.key.take() {
            Some(key) => self.member(&key, value),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<(), Unselectable> {
        Ok(())
    }
}

/// Refuses one way of not being an object after the other.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$ok, Unselectable> {
            Err(Unselectable(Refusal::NotAnObject))
        }
    )*};
}

impl<'s, 'n> Serializer for &'s mut Select<'n> {
    type Ok = ();
    type Error = Unselectable;
    type SerializeSeq = Impossible<(), Unselectable>;
    type SerializeTuple = Impossible<(), Unselectable>;
    type SerializeTupleStruct = Impossible<(), Unselectable>;
    type SerializeTupleVariant = Impossible<(), Unselectable>;
    type SerializeMap = &'s mut Select<'n>;
    type SerializeStruct = &'s mut Select<'n>;
    type SerializeStructVariant = Impossible<(), Unselectable>;

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unselectable> {
        Ok(self)
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, Unselectable> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unselectable> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unselectable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unselectable> {
        Err(Unselectable(Refusal::NotAnObject))
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_i128(i128) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_u128(u128) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
