//! What is inside containers: elements, members, variants. Owns separators and
//! the rules for a document's own members; must not know scalars.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::Error;

use super::{Direct, Input, is_reserved, key::Key};

/// The elements of an array that was opened.
pub(super) struct Elements<'a, 'n, I> {
    direct: &'a mut Direct<'n, I>,
    first: bool,
}

impl<'a, 'n, I: Input> Elements<'a, 'n, I> {
    pub(super) fn new(direct: &'a mut Direct<'n, I>) -> Self {
        Self {
            direct,
            first: true,
        }
    }
}

impl<'de, I: Input> SeqAccess<'de> for Elements<'_, '_, I> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let direct = &mut *self.direct;
        match direct.token()? {
            b']' => return Ok(None),
            b',' if !self.first => {
                direct.at += 1;
                if direct.token()? == b']' {
                    return Err(direct.refuse());
                }
            }
            _ if self.first => self.first = false,
            _ => return Err(direct.refuse()),
        }
        let start = direct.offset();
        let element = seed.deserialize(&mut *direct)?;
        direct.check_element(start)?;
        Ok(Some(element))
    }
}

/// The members of an object that was opened.
pub(super) struct MapMembers<'a, 'n, I> {
    direct: &'a mut Direct<'n, I>,
    first: bool,
}

impl<'a, 'n, I: Input> MapMembers<'a, 'n, I> {
    pub(super) fn new(direct: &'a mut Direct<'n, I>) -> Self {
        Self {
            direct,
            first: true,
        }
    }

    /// Moves to the quote of the next name; false at the end of the object.
    #[inline]
    fn next_name(&mut self) -> Result<bool, Error> {
        let direct = &mut *self.direct;
        let document = direct.in_document();
        match direct.token()? {
            b'}' => return Ok(false),
            b',' if !self.first => {
                direct.at += 1;
                if direct.token()? != b'"' {
                    return Err(direct.refuse());
                }
            }
            b'"' if self.first => self.first = false,
            _ => return Err(direct.refuse()),
        }
        if let Some(document) = document {
            direct.count_member(document)?;
        }
        Ok(true)
    }

    /// Gives the next name of the document that is not hidden to the type.
    fn next_member<'de, S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        while self.next_name()? {
            // Names are short: a copy of each of the document's few is nothing.
            let name = self.direct.string(|name| Ok(name.to_owned()))?;
            self.direct.check_once(&name)?;
            if !is_reserved(&name) {
                return seed.deserialize(Key::<'_, '_, I>::Read(name)).map(Some);
            }
            self.direct.expect(b':')?;
            self.direct.skip_value(false)?;
        }
        Ok(None)
    }
}

impl<'de, I: Input> MapAccess<'de> for MapMembers<'_, '_, I> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.direct.in_document().is_some() {
            return match self.next_member(seed) {
                Ok(key) => Ok(key),
                Err(error) => Err(self.direct.passed(error)),
            };
        }
        if !self.next_name()? {
            return Ok(None);
        }
        seed.deserialize(Key::Next(self.direct)).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        self.direct.expect(b':')?;
        seed.deserialize(&mut *self.direct)
    }
}

/// A variant with a value, as an object of one member that was opened.
pub(super) struct Variant<'a, 'n, I>(pub(super) &'a mut Direct<'n, I>);

impl<'de, I: Input> EnumAccess<'de> for Variant<'_, '_, I> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = seed.deserialize(&mut *self.0)?;
        self.0.expect(b':')?;
        Ok((variant, self))
    }
}

impl<'de, I: Input> VariantAccess<'de> for Variant<'_, '_, I> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

/// A variant without a value, as a string that is next.
pub(super) struct UnitVariant<'a, 'n, I>(pub(super) &'a mut Direct<'n, I>);

impl<'de, I: Input> EnumAccess<'de> for UnitVariant<'_, '_, I> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = seed.deserialize(&mut *self.0)?;
        Ok((variant, self))
    }
}

impl<'de, I: Input> VariantAccess<'de> for UnitVariant<'_, '_, I> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _seed: S) -> Result<S::Value, Error> {
        Err(self.0.refuse())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Error> {
        Err(self.0.refuse())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        Err(self.0.refuse())
    }
}
