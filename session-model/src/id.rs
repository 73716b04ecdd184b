//! Owns the rule that makes a text a session id. Knows nothing of files, though the rule is
//! strict enough that an id can be a file name on every common system.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The greatest number of bytes in an id; a file name of 255 bytes leaves room for suffixes.
const MAX_LEN: usize = 128;

/// How many characters of a refused text an error shows.
const SHOWN: usize = 64;

/// Names one session.
///
/// An id is `[A-Za-z0-9][A-Za-z0-9_-]{0,127}` and is not one of the device names that Windows
/// reserves (`CON`, `nul`, `COM1`, …). So it has no separator, no dot and no control character,
/// and a path built from it stays inside its directory.
///
/// ```
/// use session_model::SessionId;
///
/// let id: SessionId = "2f4ac178-db26-48ea".parse()?;
/// assert_eq!(id, "2f4ac178-db26-48ea");
/// assert!(SessionId::new("../etc/passwd").is_err());
/// assert!(SessionId::new("con").is_err());
/// # Ok::<(), session_model::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Checks `text` and makes it an id.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if the text is empty, longer than 128 bytes, holds a character that is not
    /// allowed, or is a reserved device name.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(fault) => Err(InvalidId::new(text, fault)),
        }
    }

    /// Says whether a text would make an id, without making one.
    ///
    /// ```
    /// use session_model::SessionId;
    ///
    /// assert!(SessionId::is_valid("2f1c-a_B"));
    /// assert!(!SessionId::is_valid("../2f1c"));
    /// ```
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        fault(text).is_none()
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an id may hold a byte behind its first, by the byte.
const IS_INNER: [bool; 256] = {
    let mut inner = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        // Below 256, says the loop.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an index of a table of bytes"
        )]
        let letter = byte as u8;
        inner[byte] = letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
        byte += 1;
    }
    inner
};

/// Returns what is wrong with `text`, if anything is.
fn fault(text: &str) -> Option<Fault> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return Some(Fault::Empty);
    };
    if bytes.len() > MAX_LEN {
        return Some(Fault::TooLong);
    }
    // By a table and without a branch a byte: listings ask this of every name.
    let inner = |byte: &u8| IS_INNER[usize::from(*byte)];
    let is_allowed = bytes.iter().fold(true, |all, byte| all & inner(byte));
    if !first.is_ascii_alphanumeric() || !is_allowed {
        return Some(Fault::Character);
    }
    is_device(bytes).then_some(Fault::Device)
}

/// Says whether Windows would open a device instead of a file of this name.
fn is_device(name: &[u8]) -> bool {
    let is = |device: &[u8]| name.eq_ignore_ascii_case(device);
    match name {
        [_, _, _] => is(b"CON") || is(b"PRN") || is(b"AUX") || is(b"NUL"),
        [head @ .., digit] if head.len() == 3 && digit.is_ascii_digit() => {
            head.eq_ignore_ascii_case(b"COM") || head.eq_ignore_ascii_case(b"LPT")
        }
        _ => false,
    }
}

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Empty,
    TooLong,
    Character,
    Device,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is longer than 128 bytes",
            Self::Character => {
                "only ASCII letters, digits, `_` and `-` are allowed, letter or digit first"
            }
            Self::Device => "it is a reserved device name",
        })
    }
}

/// A text was refused as a session id.
///
/// The message shows at most 64 characters of the text, escaped, so that a hostile name cannot
/// write to a terminal or fill a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid session id \"{shown}\": {fault}")]
pub struct InvalidId {
    shown: String,
    fault: Fault,
}

impl InvalidId {
    fn new(text: &str, fault: Fault) -> Self {
        let mut shown: String = text.escape_default().take(SHOWN).collect();
        if text.escape_default().nth(SHOWN).is_some() {
            shown.push('…');
        }
        Self { shown, fault }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({:?})", self.0)
    }
}

impl Deref for SessionId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for SessionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<&str> for SessionId {
    type Error = InvalidId;

    fn try_from(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        match fault(&text) {
            None => Ok(Self(text)),
            Some(fault) => Err(InvalidId::new(&text, fault)),
        }
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl PartialEq<str> for SessionId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for SessionId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(de::Error::custom)
    }
}
