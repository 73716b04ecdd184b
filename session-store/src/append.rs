//! New elements and changed members for a session that stays where it is. Knows no files.

use chrono::{DateTime, Utc};
use serde::Serialize;
use session_codec::{Amendment, Codec, Revision};
use session_model::{Message, SessionRecord, ToolUse, Usage};

use crate::redact::{self, Redactor};

/// What [`append`](crate::SessionStore::append) adds to a session: elements at the end of its arrays, and members
/// that replace old values.
///
/// ```
/// use session_store::{Append, Message};
///
/// let turn = Append::new()
///     .message(&Message::user("Why does the test fail?"))?
///     .message(&Message::assistant("It asserts a time."))?
///     .member("title", &"A flaky test")?;
/// assert!(!turn.is_empty());
/// # Ok::<(), session_store::Unencodable>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Append {
    base: Option<Revision>,
    elements: Vec<(String, String)>,
    members: Vec<(String, String)>,
}

impl Append {
    /// Starts with nothing to add.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the append fail with `Conflict` unless the document still is this revision.
    ///
    /// Take it from [`Tail::revision`](crate::Tail::revision) or from the call that wrote the session. Without it the
    /// elements go on top of whatever is there.
    pub fn based_on(mut self, revision: Revision) -> Self {
        self.base = Some(revision);
        self
    }

    /// Adds one element at the end of an array of the record.
    ///
    /// # Errors
    ///
    /// [`Unencodable`] for floating-point numbers that are not finite, and whatever the element's own serde code refuses.
    pub fn element<T: Serialize + ?Sized>(
        mut self,
        array: &str,
        element: &T,
    ) -> Result<Self, Unencodable> {
        self.add(array, encode(element)?);
        Ok(self)
    }

    /// Replaces, or adds, one top-level member of the record. What was added to it before goes with its old value.
    ///
    /// # Errors
    ///
    /// As for [`element`](Append::element).
    pub fn member<T: Serialize + ?Sized>(
        mut self,
        name: &str,
        value: &T,
    ) -> Result<Self, Unencodable> {
        self.set(name, encode(value)?);
        Ok(self)
    }

    /// Adds a message.
    ///
    /// # Errors
    ///
    /// See [`element`](Append::element).
    pub fn message(self, message: &Message) -> Result<Self, Unencodable> {
        self.element("messages", message)
    }

    /// Adds the record of a tool that ran.
    ///
    /// # Errors
    ///
    /// See [`element`](Append::element).
    pub fn tool_use(self, tool_use: &ToolUse) -> Result<Self, Unencodable> {
        self.element("tool_uses", tool_use)
    }

    /// Replaces the token usage.
    ///
    /// # Errors
    ///
    /// See [`member`](Append::member).
    pub fn usage(self, usage: &Usage) -> Result<Self, Unencodable> {
        self.member("usage", usage)
    }

    /// Sets `updated_at`. Without it the store writes the present time into documents that have that member.
    ///
    /// # Errors
    ///
    /// See [`member`](Append::member).
    pub fn updated_at(self, at: DateTime<Utc>) -> Result<Self, Unencodable> {
        self.member(UPDATED_AT, &rfc3339(at))
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.members.is_empty()
    }

    /// Takes everything of another append on top of this one.
    pub(crate) fn join(mut self, next: &Self) -> Self {
        // One append sets a name or adds to it, and no name is in both lists. So their order does not matter.
        for (name, json) in &next.members {
            self.set(name, json.clone());
        }
        for (array, json) in &next.elements {
            self.add(array, json.clone());
        }
        self
    }

    /// Adds to an array, or to the new value that this append gives it.
    fn add(&mut self, array: &str, json: String) {
        let set = self.members.iter_mut().find(|(name, _)| name == array);
        if let Some((_, value)) = set
            && let Some(longer) = with_element(value, &json)
        {
            *value = longer;
        } else {
            self.elements.push((array.to_owned(), json));
        }
    }

    fn set(&mut self, name: &str, json: String) {
        self.elements.retain(|(array, _)| array != name);
        self.members.retain(|(member, _)| member != name);
        self.members.push((name.to_owned(), json));
    }

    /// Shows every string to a redactor.
    pub(crate) fn redacted<S: SessionRecord>(&self, redactor: &dyn Redactor) -> Self {
        let part = |(name, json): &(String, String)| {
            let changed = redact::redacted::<S>(redactor, &[name], json);
            (name.clone(), changed.unwrap_or_else(|| json.clone()))
        };
        Self {
            base: self.base,
            elements: self.elements.iter().map(part).collect(),
            members: self.members.iter().map(part).collect(),
        }
    }

    /// Sets `updated_at` to a time, which the caller has not set.
    pub(crate) fn stamped(&self, stamp: Option<DateTime<Utc>>) -> Stamped<'_> {
        let json = stamp.map(|at| format!("\"{}\"", rfc3339(at)));
        Stamped {
            append: self,
            stamp,
            json,
        }
    }

    /// Whether there is nothing but elements for some of these arrays.
    pub(crate) fn only_adds_to(&self, arrays: &[&str]) -> bool {
        self.members.is_empty() && self.elements().all(|(array, _)| arrays.contains(&array))
    }

    /// The elements, each with the name of its array, in order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (&str, &str)> {
        let elements = self.elements.iter();
        elements.map(|(array, json)| (array.as_str(), json.as_str()))
    }

    pub(crate) fn base(&self) -> Option<Revision> {
        self.base
    }

    pub(crate) fn sets(&self, member: &str) -> bool {
        self.members.iter().any(|(name, _)| name == member)
    }
}

/// An append with the time that it is stamped with, if any. Nothing of the append is copied for it.
#[derive(Clone, Debug)]
pub(crate) struct Stamped<'a> {
    append: &'a Append,
    stamp: Option<DateTime<Utc>>,
    /// The stamp as JSON.
    json: Option<String>,
}

impl Stamped<'_> {
    /// The time that the store has set.
    pub(crate) fn stamp(&self) -> Option<DateTime<Utc>> {
        self.stamp
    }

    /// The elements, each with the name of its array, in order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.append.elements()
    }

    /// The members with their values, the stamp last.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.append.members.iter();
        let stamp = self.json.iter().map(|json| (UPDATED_AT, json.as_str()));
        members
            .map(|(name, json)| (name.as_str(), json.as_str()))
            .chain(stamp)
    }

    /// The bytes of JSON that are added.
    pub(crate) fn bytes(&self) -> u64 {
        let texts = self.elements().chain(self.members());
        texts
            .map(|(name, json)| (name.len() + json.len()) as u64)
            .sum()
    }

    /// Lowers to the codec's edit.
    pub(crate) fn amendment(&self) -> Amendment<'_> {
        self.amendment_of(|_| true)
    }

    /// Lowers to the codec's edit, with the elements of some arrays only.
    pub(crate) fn amendment_of(&self, wanted: impl Fn(&str) -> bool) -> Amendment<'_> {
        let elements = self.elements().filter(|(array, _)| wanted(array));
        let amendment = elements.fold(Amendment::new(), |amendment, (array, json)| {
            amendment.element(array, json)
        });
        self.members().fold(amendment, |amendment, (name, json)| {
            amendment.member(name, json)
        })
    }
}

/// An element or member that JSON has no text for; nothing of it is repeated here.
#[derive(Debug, thiserror::Error)]
#[error("append: {0}")]
pub struct Unencodable(#[source] session_codec::Error);

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, Unencodable> {
    Codec::new().encode_part(value).map_err(Unencodable)
}

/// An array with one more element, where null counts as an empty one; `None` for what is no array.
fn with_element(value: &str, json: &str) -> Option<String> {
    let value = value.trim_ascii();
    if value == "null" {
        return Some(format!("[{json}]"));
    }
    let inside = value.strip_prefix('[')?.strip_suffix(']')?;
    let comma = if inside.trim_ascii().is_empty() {
        ""
    } else {
        ","
    };
    Some(format!("[{inside}{comma}{json}]"))
}

/// The on-disk name of the time that orders sessions.
pub(crate) const UPDATED_AT: &str = "updated_at";

/// A time as chrono writes RFC 3339: the shortest of 0, 3, 6 or 9 fractional digits, and `Z`.
fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
