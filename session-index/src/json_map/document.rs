//! The text of the JSON map: finds one entry, or changes some and keeps the rest. Knows no storage and no lock.
//!
//! Both directions accept the same texts: UTF-8, one object, at most one member `entries`, which is an object. Of two
//! entries with one key the last counts, as it does for a program that reads the entries into a map. An entry whose value
//! is not a string is no entry for a lookup and is kept when others change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

const ENTRIES: &str = "entries";

/// The text is not such a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Returns the id recorded for `directory`.
///
/// Nothing but that id is copied: keys are compared as they are parsed.
pub(super) fn find(json: &[u8], directory: &str) -> Result<Option<String>, Damaged> {
    // Skipping a value does not judge the encoding of its strings, so that is done here.
    let text = str::from_utf8(json).map_err(|_| Damaged)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let id = Find(directory)
        .deserialize(&mut deserializer)
        .map_err(|_| Damaged)?;
    deserializer.end().map_err(|_| Damaged)?;
    Ok(id)
}

/// Returns the text with `updates` made, or `None` if it would say the same as before.
///
/// A text that is not such a map is replaced by a new one, unless nothing is to be recorded.
pub(super) fn amend(
    json: Option<&[u8]>,
    updates: &BTreeMap<&str, Option<&str>>,
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let old = json
        .and_then(|json| Map::parse(json).ok())
        .unwrap_or_default();
    let is = old
        .entries
        .iter()
        .map(|(directory, value)| (&**directory, string(value)))
        .collect::<BTreeMap<_, _>>();
    let same = |directory: &str, id: Option<&str>| match (is.get(directory), id) {
        (None, None) => true,
        (Some(Some(old)), Some(new)) => old == new,
        _ => false,
    };
    if updates.iter().all(|(directory, id)| same(directory, *id)) {
        return Ok(None);
    }
    serde_json::to_vec(&Amended { old: &old, updates }).map(Some)
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The map in the order of the text, everything borrowed from it.
#[derive(Debug, Default)]
struct Map<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Map<'a> {
    fn parse(json: &'a [u8]) -> Result<Self, Damaged> {
        let text = str::from_utf8(json).map_err(|_| Damaged)?;
        let Object(members) = serde_json::from_str(text).map_err(|_| Damaged)?;
        let mut found = members.iter().filter(|(name, _)| name == ENTRIES);
        let entries = match (found.next(), found.next()) {
            (None, _) => Vec::new(),
            (Some((_, value)), None) => {
                serde_json::from_str::<Object<'a>>(value.get())
                    .map_err(|_| Damaged)?
                    .0
            }
            (Some(_), Some(_)) => return Err(Damaged),
        };
        Ok(Self { members, entries })
    }
}

/// The members of one object in the order of the text.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A string that is borrowed where it has no escapes; `Cow` itself always copies.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

/// Finds one entry in the whole document.
struct Find<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_entries) = map.next_key_seed(Is(ENTRIES))? {
            if !is_entries {
                map.next_value::<IgnoredAny>()?;
            } else if found.is_some() {
                return Err(A::Error::duplicate_field(ENTRIES));
            } else {
                found = Some(map.next_value_seed(FindEntry(self.0))?);
            }
        }
        Ok(found.flatten())
    }
}

/// Finds one entry in the object of entries.
struct FindEntry<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for FindEntry<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FindEntry<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut last = None;
        while let Some(wanted) = map.next_key_seed(Is(self.0))? {
            if wanted {
                last = string(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(last)
    }
}

/// Compares a key without copying it.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text == self.0)
    }
}

/// The document with the updates made: every member where it was, changed entries where they were, new ones at the end.
struct Amended<'a> {
    old: &'a Map<'a>,
    updates: &'a BTreeMap<&'a str, Option<&'a str>>,
}

impl Serialize for Amended<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = AmendedEntries {
            old: &self.old.entries,
            updates: self.updates,
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.old.members {
            if name == ENTRIES {
                map.serialize_entry(name, &entries)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        if !self.old.members.iter().any(|(name, _)| name == ENTRIES) {
            map.serialize_entry(ENTRIES, &entries)?;
        }
        map.end()
    }
}

struct AmendedEntries<'a> {
    old: &'a [(Cow<'a, str>, &'a RawValue)],
    updates: &'a BTreeMap<&'a str, Option<&'a str>>,
}

impl Serialize for AmendedEntries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut written = BTreeSet::new();
        for (directory, value) in self.old {
            match self.updates.get(&**directory) {
                None => map.serialize_entry(directory, value)?,
                Some(Some(id)) if written.insert(&**directory) => {
                    map.serialize_entry(directory, id)?;
                }
                // Forgotten, or a second entry of a directory: that would be the one that counts.
                Some(_) => {}
            }
        }
        for (directory, id) in self.updates {
            if let Some(id) = id
                && !written.contains(directory)
            {
                map.serialize_entry(directory, id)?;
            }
        }
        map.end()
    }
}
