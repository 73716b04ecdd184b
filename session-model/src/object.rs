//! Owns the reading and writing of a struct as a JSON object that keeps unknown members. Must not
//! know any particular struct.
//!
//! Why not serde's derive: `#[serde(flatten)]` buffers a whole object before it looks at it, turns
//! big integers into floats, and forgets which members were missing.

mod kind;
mod list;
mod text;

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

pub(crate) use self::kind::{
    DefaultTrue, IsDefault, Kind, Nullable, Parts, Plain, Required, RoleName, Skipped,
};
pub(crate) use self::text::{Directory, Time};

/// What a document said about one known member.
#[derive(Debug)]
pub(crate) enum Slot<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Slot<T> {
    /// Reads the value of the key just read, which must be the first of its name.
    pub(crate) fn fill<'de, A>(&mut self, name: &'static str, map: &mut A) -> Result<(), A::Error>
    where
        A: MapAccess<'de>,
        T: Deserialize<'de>,
    {
        let value = map.next_value::<Option<T>>()?;
        self.set(name, value)
    }

    /// Takes a value that is already read; `None` is `null`.
    pub(crate) fn set<E: de::Error>(
        &mut self,
        name: &'static str,
        value: Option<T>,
    ) -> Result<(), E> {
        if !matches!(self, Self::Absent) {
            return Err(E::duplicate_field(name));
        }
        *self = value.map_or(Self::Null, Self::Value);
        Ok(())
    }
}

/// Which known member of its type is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) index: u8,
}

/// A key of an object: one of a list, or another.
#[derive(Debug)]
pub(crate) enum Key {
    Known(usize),
    Unknown(String),
}

/// Reads a key without allocating if it is one of the given names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeySeed<'a>(pub(crate) &'a [&'static str]);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.0.iter().position(|known| *known == name) {
            Some(index) => Key::Known(index),
            None => Key::Unknown(name.to_owned()),
        })
    }
}

/// Implements `Serialize` and `Deserialize` for a struct with a field `extra`.
///
/// Members are written in the order given. Each line says how its member is read and written.
macro_rules! object {
    ($type:ident, $what:literal, hide: $hide:expr, { $($member:ident: $kind:ty),+ $(,)? }) => {
        const _: () = {
            const NAMES: &[&str] = &[$(stringify!($member)),+];

            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            #[repr(u8)]
            enum Index { $($member),+ }

            impl<'de> serde::Deserialize<'de> for $type {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct Members;

                    impl<'de> serde::de::Visitor<'de> for Members {
                        type Value = $type;

                        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            f.write_str(concat!("an object that is ", $what))
                        }

                        fn visit_map<A>(self, mut map: A) -> Result<$type, A::Error>
                        where
                            A: serde::de::MapAccess<'de>,
                        {
                            let mut extra = $crate::Extra::new();
                            $(let mut $member = $crate::object::Slot::Absent;)+
                            while let Some(key) = map.next_key_seed($crate::object::KeySeed(NAMES))? {
                                match key {
                                    $($crate::object::Key::Known(at) if at == Index::$member as usize => {
                                        $member.fill(stringify!($member), &mut map)?;
                                    })+
                                    $crate::object::Key::Known(_) => {
                                        let _: serde::de::IgnoredAny = map.next_value()?;
                                    }
                                    $crate::object::Key::Unknown(name) => extra.capture(name, &mut map)?,
                                }
                            }
                            Ok($type {
                                $($member: <$kind as $crate::object::Kind<_>>::read(
                                    $member,
                                    $crate::object::Place {
                                        name: stringify!($member),
                                        index: Index::$member as u8,
                                    },
                                    &mut extra,
                                )?,)+
                                extra,
                            })
                        }
                    }

                    deserializer.deserialize_map(Members)
                }
            }

            impl serde::Serialize for $type {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    use serde::ser::SerializeMap as _;

                    let mut map = serializer.serialize_map(None)?;
                    $(<$kind as $crate::object::Kind<_>>::write(
                        &self.$member,
                        $crate::object::Place {
                            name: stringify!($member),
                            index: Index::$member as u8,
                        },
                        &self.extra,
                        &mut map,
                    )?;)+
                    let hide: fn(&$type) -> Option<$crate::Extra> = $hide;
                    match hide(self) {
                        None => self.extra.write(NAMES, &mut map)?,
                        Some(shown) => shown.write(NAMES, &mut map)?,
                    }
                    map.end()
                }
            }
        };
    };
    ($type:ident, $what:literal, { $($members:tt)+ }) => {
        $crate::object::object!($type, $what, hide: |_| None, { $($members)+ });
    };
}

pub(crate) use object;
