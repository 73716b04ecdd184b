//! Owns the members of an object that its type does not know, and the memory of how known members
//! were spelled. Must not know what any member means.

use std::fmt;

use serde::de::MapAccess;
use serde::ser::{Error as _, SerializeMap};

use crate::RawJson;

/// The members of one JSON object that the type it was read into does not know.
///
/// They keep their order and come back when the object is written, behind the known members. An
/// empty one is a null pointer, so it costs 8 bytes in every message and part.
///
/// It also remembers, out of sight, which known members were missing, `null`, or spelled in a way
/// that the value alone does not tell, so that an object that was read and not touched is written
/// with an equal [`serde_json::Value`]. Comparison ignores that memory.
///
/// A record of one's own is lossless too if its visitor passes each key it does not know to
/// [`Extra::capture`] and its `Serialize` ends with [`Extra::write`].
///
/// ```
/// use session_model::{Message, RawJson};
///
/// let json = r#"{"role":"user","content":[],"pinned":true}"#;
/// let mut message: Message = serde_json::from_str(json)?;
/// assert_eq!(message.extra.get("pinned").map(RawJson::get), Some("true"));
///
/// message.extra.insert("colour", RawJson::from_value("red")?);
/// let written = serde_json::to_string(&message)?;
/// assert_eq!(written, r#"{"role":"user","content":[],"pinned":true,"colour":"red"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Extra(Option<Box<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    members: Vec<(String, RawJson)>,
    /// Bit i: the known member i was not there.
    absent: u16,
    /// Bit i: the known member i was `null`.
    null: u16,
    /// Known members whose text says more than their value.
    spelled: Vec<(u8, Box<str>)>,
}

/// What is remembered of a known member whose value is its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blank {
    /// Nothing is remembered.
    Unknown,
    /// It was not there.
    Absent,
    /// It was `null`.
    Null,
}

impl Extra {
    /// Makes an empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Returns the member called `name`; the last one, if a document said it twice.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.members()
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Sets a member, at the place of an earlier one of that name or else at the end, and returns
    /// the earlier value.
    ///
    /// Writing fails if `name` is one of the members that the type does know.
    pub fn insert(&mut self, name: impl Into<String>, value: RawJson) -> Option<RawJson> {
        let name = name.into();
        let members = &mut self.inner().members;
        let Some(last) = members.iter().rposition(|(key, _)| *key == name) else {
            members.push((name, value));
            return None;
        };
        let old = std::mem::replace(&mut members[last].1, value);
        let mut at = 0;
        members.retain(|(key, _)| {
            let keep = at >= last || *key != name;
            at += 1;
            keep
        });
        Some(old)
    }

    /// Removes a member and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<RawJson> {
        let members = &mut self.0.as_mut()?.members;
        let mut last = None;
        while let Some(at) = members.iter().rposition(|(key, _)| key == name) {
            let (_, value) = members.remove(at);
            last.get_or_insert(value);
        }
        last
    }

    /// Iterates over the members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.members()
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members().len()
    }

    /// Says whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    /// Reads the value that belongs to the key just read from `map`, and keeps it.
    ///
    /// # Errors
    ///
    /// Whatever `map` says, and if the value is nested deeper than 127.
    pub fn capture<'de, A: MapAccess<'de>>(
        &mut self,
        name: impl Into<String>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value = map.next_value::<RawJson>()?;
        self.push(name.into(), value);
        Ok(())
    }

    /// Writes every member into `map`; `known` are the names the type writes itself.
    ///
    /// # Errors
    ///
    /// Whatever `map` says, and if a member has one of the `known` names: written, it would make a
    /// document with a duplicate key, which nothing could read again.
    pub fn write<M: SerializeMap>(&self, known: &[&str], map: &mut M) -> Result<(), M::Error> {
        for (name, value) in self.members() {
            if let Some(known) = known.iter().find(|known| *known == name) {
                return Err(M::Error::custom(format_args!(
                    "unknown member has the name of the known member `{known}`"
                )));
            }
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }

    /// Adds a member without looking for an earlier one of that name, so that a document with very
    /// many members is read in linear time.
    pub(crate) fn push(&mut self, name: String, value: RawJson) {
        self.inner().members.push((name, value));
    }

    /// Takes the members out, with nothing that is remembered.
    pub(crate) fn into_members(self) -> Vec<(String, RawJson)> {
        self.0.map_or_else(Vec::new, |inner| inner.members)
    }

    /// Returns what is remembered of known member `index`.
    pub(crate) fn blank(&self, index: u8) -> Blank {
        let Some(inner) = &self.0 else {
            return Blank::Unknown;
        };
        if inner.absent & (1 << index) != 0 {
            Blank::Absent
        } else if inner.null & (1 << index) != 0 {
            Blank::Null
        } else {
            Blank::Unknown
        }
    }

    /// Remembers that known member `index` was not there.
    pub(crate) fn remember_absent(&mut self, index: u8) {
        self.inner().absent |= 1 << index;
    }

    /// Remembers that known member `index` was `null`.
    pub(crate) fn remember_null(&mut self, index: u8) {
        self.inner().null |= 1 << index;
    }

    /// Returns the text that known member `index` was read from, if it is remembered.
    pub(crate) fn spelling(&self, index: u8) -> Option<&str> {
        let spelled = &self.0.as_ref()?.spelled;
        spelled
            .iter()
            .find(|(at, _)| *at == index)
            .map(|(_, text)| &**text)
    }

    /// Remembers the text that known member `index` was read from.
    pub(crate) fn remember_spelling(&mut self, index: u8, text: String) {
        self.inner().spelled.push((index, text.into_boxed_str()));
    }

    fn members(&self) -> &[(String, RawJson)] {
        self.0.as_ref().map_or(&[], |inner| &inner.members)
    }

    fn inner(&mut self) -> &mut Inner {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl Eq for Extra {}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
