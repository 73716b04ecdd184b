//! Owns the few members by which a session is found and listed, and a lenient reading of them. Must
//! not know where in a file they stand.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{directory, time};

/// The members of a header that stand at the top of a document.
const TOP: [&str; 5] = ["id", "title", "agent", "created_at", "updated_at"];

/// What is known of a session without reading its messages.
///
/// Everything is optional: a foreign or older document may lack any member or use it otherwise, and
/// is still a session that can be found by the rest.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SessionHeader {
    /// The id that the document states, not checked.
    pub id: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// When the session was begun.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last added to.
    pub updated_at: Option<DateTime<Utc>>,
    /// The agent that runs it.
    pub agent: Option<String>,
    /// The working directory it belongs to.
    pub directory: Option<PathBuf>,
    /// The model that answers.
    pub model: Option<String>,
}

impl SessionHeader {
    /// Reads a header out of the text of one object, which may be a whole document or any part of
    /// its members.
    ///
    /// `directory` leads to the member that holds the directory, as
    /// [`SessionRecord::DIRECTORY`](crate::SessionRecord::DIRECTORY) does. The exact bytes of a
    /// directory that is not UTF-8 are looked for beside it, in the member of its name with
    /// `_bytes` added, and the model in the member `model` beside it.
    ///
    /// A member that is missing, of another type or not readable is `None`. Of members that stand
    /// twice the last counts.
    ///
    /// # Errors
    ///
    /// Only if the text is not JSON, or not an object. The message holds no content.
    ///
    /// ```
    /// use session_model::SessionHeader;
    ///
    /// let json = br#"{"id":"s1","title":7,"metadata":{"directory":"/work"}}"#;
    /// let header = SessionHeader::parse(json, &["metadata", "directory"])?;
    /// assert_eq!(header.directory, Some("/work".into()));
    /// assert_eq!(header.title, None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn parse(json: &[u8], directory: &[&str]) -> Result<Self, serde_json::Error> {
        let bytes_name = directory.last().map(|name| format!("{name}_bytes"));
        let mut header = Self::default();
        let mut place = Place {
            path: directory,
            bytes_name: bytes_name.as_deref(),
            ..Place::default()
        };
        let sought = place.names();
        let wanted = |name: &str| TOP.contains(&name) || sought.contains(&name);
        read(json, &wanted, &mut |name, value| {
            header.take(name, value);
            place.take(name, value);
        })?;
        header.model = place.model;
        header.directory = place.directory.map(|text| {
            let exact = place
                .bytes
                .and_then(|bytes| directory::exact(&text, &bytes));
            exact.unwrap_or_else(|| PathBuf::from(text))
        });
        Ok(header)
    }

    fn take(&mut self, name: &str, value: &RawValue) {
        match name {
            "id" => self.id = text(value),
            "title" => self.title = text(value),
            "agent" => self.agent = text(value),
            "created_at" => self.created_at = text(value).as_deref().and_then(time::parse),
            "updated_at" => self.updated_at = text(value).as_deref().and_then(time::parse),
            _ => {}
        }
    }
}

/// Reads a string, or nothing.
fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// What stands in and beside the member that holds the directory.
#[derive(Default)]
struct Place<'a> {
    /// What is left of the way to it.
    path: &'a [&'a str],
    bytes_name: Option<&'a str>,
    directory: Option<String>,
    bytes: Option<String>,
    model: Option<String>,
}

impl<'a> Place<'a> {
    /// Returns the members that mean something in the object in which the path stands.
    fn names(&self) -> [&'a str; 3] {
        match (self.path, self.bytes_name) {
            ([last], Some(bytes)) => [last, bytes, "model"],
            ([step, ..], _) => [step; 3],
            ([], _) => [TOP[0]; 3],
        }
    }

    /// Looks at one member of the object in which the path stands.
    fn take(&mut self, name: &str, value: &RawValue) {
        match self.path {
            [last] if name == *last => self.directory = text(value),
            [_] if Some(name) == self.bytes_name => self.bytes = text(value),
            [_] if name == "model" => self.model = text(value),
            [step, ..] if name == *step => self.descend(value),
            _ => {}
        }
    }

    /// Follows the path into `value`, forgetting what an earlier member of that name held.
    fn descend(&mut self, value: &RawValue) {
        let mut inner = Place {
            path: &self.path[1..],
            bytes_name: self.bytes_name,
            ..Place::default()
        };
        let sought = inner.names();
        let wanted = |name: &str| sought.contains(&name);
        // A value that is not an object holds no directory, which is all that there is to say.
        let _not_an_object = read(value.get().as_bytes(), &wanted, &mut |name, value| {
            inner.take(name, value);
        });
        (self.directory, self.bytes, self.model) = (inner.directory, inner.bytes, inner.model);
    }
}

/// Calls `member` with each wanted member of the object in `json`; the others are skipped.
fn read(
    json: &[u8],
    wanted: &dyn Fn(&str) -> bool,
    member: &mut dyn FnMut(&str, &RawValue),
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Members { wanted, member }.deserialize(&mut deserializer)?;
    deserializer.end()
}

struct Members<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    member: &'a mut dyn FnMut(&str, &RawValue),
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if (self.wanted)(&name) {
                (self.member)(&name, map.next_value::<&RawValue>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
