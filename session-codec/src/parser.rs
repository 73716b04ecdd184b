//! Turning JSON text into values of any serde type. Owns the trait and the
//! default parser; must not know windows or files.

pub(crate) mod direct;
#[cfg(feature = "simd-json")]
mod simd;

use std::fmt::Debug;

use serde::de::DeserializeOwned;

#[cfg(feature = "simd-json")]
pub use simd::SimdJson;

use crate::message;

/// A parser of whole JSON texts.
pub trait Parser: Debug + Clone + Default + Send + Sync {
    /// Decodes one JSON text, which the parser may overwrite: nothing is
    /// promised of it afterwards. It is borrowed so that a text inside a larger
    /// buffer needs no copy.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] with the place in `json` and a text that quotes nothing
    /// of it.
    fn parse<T: DeserializeOwned>(&self, json: &mut [u8]) -> Result<T, ParseError>;

    /// Says whether this parser accepts, rejects and decodes exactly as
    /// [`SerdeJson`] does, so that a codec may decode a document in one pass of
    /// its own, in pieces as they are read, and ask this parser only about
    /// documents that the pass does not take. `false` if not overridden.
    fn is_exact(&self) -> bool {
        false
    }
}

/// Why a text could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse json at byte {offset}: {reason}")]
pub struct ParseError {
    kind: ParseErrorKind,
    offset: usize,
    reason: String,
}

/// The coarse reason of a [`ParseError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The text is not JSON that can be decoded.
    Syntax,
    /// The text is JSON that the type does not take.
    Data,
    /// The text nests deeper than the parser goes.
    Depth,
}

impl ParseError {
    /// Creates an error at the byte `offset` of the text. `reason` must not
    /// quote the text.
    #[must_use]
    pub fn new(kind: ParseErrorKind, offset: usize, reason: &str) -> Self {
        Self {
            kind,
            offset,
            reason: reason.to_owned(),
        }
    }

    /// Takes over an error that `serde_json` gave for `json`, without what it
    /// quotes.
    #[must_use]
    pub fn from_serde_json(error: &serde_json::Error, json: &[u8]) -> Self {
        let text = error.to_string();
        let kind = if text.starts_with("recursion limit exceeded") {
            ParseErrorKind::Depth
        } else if error.is_data() {
            ParseErrorKind::Data
        } else {
            ParseErrorKind::Syntax
        };
        let offset = message::offset_of(json, error.line(), error.column());
        Self {
            kind,
            offset,
            reason: message::without_content(error, &text),
        }
    }

    /// Returns the coarse reason.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Returns the byte of the text at which, or just before which, it failed.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns what was wrong, in words that quote nothing.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// The default parser: `serde_json`'s verdicts and values.
///
/// Texts are decoded by a deserialiser of this crate, which scans strings with
/// vector instructions and takes less than `serde_json` does. What it does not
/// take is decoded again by `serde_json`, from which all errors come.
///
/// ```
/// use session_codec::{Parser, SerdeJson};
///
/// let numbers: Vec<u8> = SerdeJson.parse(&mut b"[1, 2]".to_vec())?;
/// assert_eq!(numbers, [1, 2]);
/// assert_eq!(SerdeJson.parse::<u8>(&mut b"  x".to_vec()).unwrap_err().offset(), 2);
/// # Ok::<(), session_codec::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SerdeJson;

impl Parser for SerdeJson {
    fn parse<T: DeserializeOwned>(&self, json: &mut [u8]) -> Result<T, ParseError> {
        decode(json)
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// Decodes a text and leaves it as it is.
pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, ParseError> {
    let value =
        direct::Whole::new(json).and_then(|text| direct::decode(text, direct::Rules::plain()).ok());
    match value {
        Some(decoded) => Ok(decoded.value),
        None => judged(json),
    }
}

/// Decodes by `serde_json` itself.
#[cold]
fn judged<T: DeserializeOwned>(json: &[u8]) -> Result<T, ParseError> {
    serde_json::from_slice(json).map_err(|error| ParseError::from_serde_json(&error, json))
}
