//! Owns JSON values kept as text. Knows nothing of sessions.

mod compact;
mod foreign;

use std::fmt;

use serde::de::{self, DeserializeOwned};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::compact::Compact;
use self::foreign::Capture;

/// The deepest nesting that `serde_json` reads, hence the deepest that is worth keeping.
const MAX_DEPTH: u32 = 127;

/// One JSON value of any type, kept as text.
///
/// The text is as it was written, digit for digit and escape for escape, without the white space
/// between its tokens. So an integer of any size survives, which it would not as a
/// [`serde_json::Value`], and a value costs no more memory than its text. Two are equal if their
/// texts are.
///
/// Values nested deeper than 127 are refused, so that nothing that reads one later can run out of
/// stack.
///
/// ```
/// use session_model::RawJson;
///
/// let raw = RawJson::from_text(r#"{ "n": 340282366920938463463374607431768211456 }"#.to_owned())?;
/// assert_eq!(raw.get(), r#"{"n":340282366920938463463374607431768211456}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Takes a text that is one JSON value.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or is nested deeper than 127.
    pub fn from_text(text: String) -> Result<Self, serde_json::Error> {
        Self::checked(RawValue::from_string(text)?)
    }

    /// Writes a value as JSON and keeps the text.
    ///
    /// # Errors
    ///
    /// If the value refuses to be serialised, has a map whose keys are not strings, or is nested
    /// deeper than 127.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Self::from_text(serde_json::to_string(value)?)
    }

    /// Returns the compact text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads the text as a value of type `T`.
    ///
    /// # Errors
    ///
    /// Whatever `T` refuses. The message of a [`serde_json::Error`] may quote the value.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// Returns the value JSON calls `null`.
    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// Makes a JSON string of `text`.
    pub(crate) fn string(text: &str) -> Result<Self, serde_json::Error> {
        RawValue::from_string(serde_json::to_string(text)?).map(Self)
    }

    fn checked(raw: Box<RawValue>) -> Result<Self, serde_json::Error> {
        match compact::compact(raw.get(), MAX_DEPTH) {
            Ok(Compact::Already) => Ok(Self(raw)),
            Ok(Compact::Rewritten(text)) => RawValue::from_string(text).map(Self),
            Err(compact::TooDeep) => Err(serde_json::Error::custom(TOO_DEEP)),
        }
    }
}

/// What an error says of a value nested too deep.
const TOO_DEEP: &str = "depth of a kept JSON value is over 127";

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({})", self.get())
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(Capture(deserializer))?;
        Self::checked(raw).map_err(de::Error::custom)
    }
}
