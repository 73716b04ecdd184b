//! Owns values that are kept as JSON text until somebody asks for them. Must not know what they are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::RawJson;

/// A value of type `T` that is still JSON text.
///
/// Reading one checks that the text is JSON and copies it, no more; whether it is a `T` is seen by
/// [`Lazy::get`]. It is written as the text it was read from. Two are equal if their texts are.
///
/// ```
/// use session_model::{Lazy, Message, Role};
///
/// let json = r#"{"role":"user","content":[{"type":"text","text":"hi"}],"pinned":1}"#;
/// let lazy: Lazy<Message> = serde_json::from_str(json)?;
/// assert_eq!(lazy.get()?.role, Role::User);
/// assert_eq!(lazy.raw().get(), json);
/// assert_eq!(serde_json::to_string(&lazy)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct Lazy<T> {
    raw: RawJson,
    value: PhantomData<fn() -> T>,
}

impl<T> Lazy<T> {
    /// Takes a text, which need not be a `T`.
    #[must_use]
    pub fn from_raw(raw: RawJson) -> Self {
        Self {
            raw,
            value: PhantomData,
        }
    }

    /// Returns the text.
    #[must_use]
    pub fn raw(&self) -> &RawJson {
        &self.raw
    }

    /// Returns the text.
    #[must_use]
    pub fn into_raw(self) -> RawJson {
        self.raw
    }
}

impl<T: DeserializeOwned> Lazy<T> {
    /// Decodes the value, each time anew.
    ///
    /// # Errors
    ///
    /// If the text is no `T`. The message may quote the value.
    pub fn get(&self) -> Result<T, serde_json::Error> {
        self.raw.parse()
    }
}

impl<T: Serialize> Lazy<T> {
    /// Encodes a value.
    ///
    /// # Errors
    ///
    /// As for [`RawJson::from_value`].
    pub fn of(value: &T) -> Result<Self, serde_json::Error> {
        RawJson::from_value(value).map(Self::from_raw)
    }
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self::from_raw(self.raw.clone())
    }
}

impl<T> PartialEq for Lazy<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T> Eq for Lazy<T> {}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lazy").field(&self.raw).finish()
    }
}

impl<T> Serialize for Lazy<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Lazy<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawJson::deserialize(deserializer).map(Self::from_raw)
    }
}
